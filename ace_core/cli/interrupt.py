"""Ctrl-C that is not lost.

Its exception comes up wherever Python is at that moment, and some libraries swallow it there: while
they try what can be imported, in a callback from C. So it is remembered too, and raised again at
the next step of the work.
"""

import signal
import threading
from types import FrameType


class Interrupts:
    """While this is entered, Ctrl-C ends the work even where its exception was swallowed."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> "Interrupts":
        self.listens = threading.current_thread() is threading.main_thread()
        if self.listens:
            self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self.listens:
            signal.signal(signal.SIGINT, self.before)

    def check(self) -> None:
        """
        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, now or before.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt
