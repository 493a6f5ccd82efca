"""What every trained part shares: a loop that may be stopped at any moment, and its files."""
