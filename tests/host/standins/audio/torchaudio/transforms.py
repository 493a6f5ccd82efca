"""Empty: no node that this project runs uses a transform."""
