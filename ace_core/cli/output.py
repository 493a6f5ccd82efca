"""What a command returns to the shell: exit codes, results on stdout, everything else on stderr.

Ctrl-C raises its exception wherever Python is at that moment, and some libraries swallow it there
(while they try imports, in a callback from C). So it is recorded too, and raised again at the next
step of the work.
"""

import codecs
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import Any, Final, TextIO

from ..errors import AceStepError

BAR: Final = 30  # characters
LINE: Final = 79


class Exit(IntEnum):
    """Exit codes; documented in docs/command_line.md."""

    DONE = 0
    FAILED = 1  # the message says what to do
    USAGE = 2  # the command line or a line of the prompts file is wrong; nothing was started
    SOME_FAILED = 3  # a batch ended with some songs recorded as failed
    INTERRUPTED = 130  # Ctrl-C, by the convention of shells


class UsageError(AceStepError):
    """The command line is wrong; nothing was started."""


@contextmanager
def usage_errors() -> Iterator[None]:
    """Errors that the command line alone causes, before anything is loaded.

    Raises:
        UsageError: the block found one.
    """
    try:
        yield
    except (AceStepError, TypeError) as error:
        raise UsageError(str(error)) from error


class Interrupts:
    """While it is entered, Ctrl-C ends the work even where its exception was swallowed."""

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> "Interrupts":
        self.installed = threading.current_thread() is threading.main_thread()
        if self.installed:
            self.previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        if self.installed:
            signal.signal(signal.SIGINT, self.previous)

    def check(self) -> None:
        """
        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, now or before.
        """
        if self.pressed:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt


class Output:
    """Results, notes and errors. With `as_json` stdout has JSON only, one value per line.

    Songs are reported from the thread that saves them, while the bar moves in another one.
    """

    def __init__(self, as_json: bool, interrupts: Interrupts) -> None:
        self.as_json = as_json
        self.bar = Bar(sys.stderr, not as_json and sys.stderr.isatty(), interrupts.check)

    def result(self, content: Mapping[str, Any], text: str) -> None:
        """Print the result, as JSON or as `text`."""
        with self.bar.lock:
            self.bar.clear()
            _print(_json(content) if self.as_json else text, sys.stdout)

    def note(self, text: str) -> None:
        """Print a note to stderr."""
        with self.bar.lock:
            self.bar.clear()
            _print(text, sys.stderr)

    def refusal(self, message: str) -> None:
        """Print why there is no result."""
        self.note(f"error: {message}")
        if self.as_json:
            _print(_json({"success": False, "error": message}), sys.stdout)


def _json(content: Mapping[str, Any]) -> str:
    """One line of JSON, in ASCII where the terminal or a file takes no UTF-8."""
    encoding = codecs.lookup(sys.stdout.encoding or "utf-8").name
    return json.dumps(content, ensure_ascii=encoding != "utf-8")


def _print(text: str, stream: TextIO) -> None:
    """Print `text`; what the stream cannot encode, such as half a character, is escaped."""
    encoding = stream.encoding or "utf-8"
    escaped = text.encode(encoding, "backslashreplace").decode(encoding)
    print(escaped, file=stream, flush=True)


class Bar:
    """A progress bar on one line, shown on terminals only. `check` is called at each step, and may
    end the work by an exception."""

    def __init__(self, stream: TextIO, shown: bool, check: Callable[[], None]) -> None:
        self.stream = stream
        self.shown = shown
        self.check = check
        self.lock = threading.RLock()
        self.text = ""
        self.title = ""
        self.share, self.desc = 0.0, ""

    def __call__(self, share: float, desc: str = "", **_: Any) -> None:
        """`share` of the work is done, from 0 to 1; `desc` is what is being done."""
        self.check()
        with self.lock:
            self.share, self.desc = share, desc
            self._draw()

    def retitle(self, title: str) -> None:
        """Show `title` before the bar, which stays where it is."""
        with self.lock:
            self.title = title
            self._draw()

    def clear(self) -> None:
        with self.lock:
            if self.text:
                self._write("")

    def _draw(self) -> None:
        if not self.shown:
            return
        full = round(BAR * min(max(self.share, 0.0), 1.0))
        drawn = f"{'█' * full}{'░' * (BAR - full)} {self.share:4.0%}"
        text = f"{self.title}{drawn} {self.desc}"[:LINE]
        if text != self.text:
            self._write(text)

    def _write(self, text: str) -> None:
        blank = " " * (len(self.text) - len(text))
        self.stream.write(f"\r{text}{blank}\r" if not text else f"\r{text}{blank}")
        self.stream.flush()
        self.text = text
