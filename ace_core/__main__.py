"""`python -m ace_core`: the command line. See docs/command_line.md."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
