"""What the shell is told when a command ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; documented in docs/command_line.md."""

    DONE = 0
    FAILED = 1  # it could not be done; the message says what to do
    USAGE = 2  # the command line or a line of the prompts file is wrong; nothing was started
    SOME_FAILED = 3  # a batch came to its end, but some of its songs are recorded as failed
    INTERRUPTED = 130  # Ctrl-C, as shells count it
