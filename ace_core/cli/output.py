"""Where results, errors and progress go: results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

from .interrupt import Interrupts

BAR: Final = 30  # characters
LINE: Final = 79


class Output:
    """What a command says. With `as_json` stdout holds JSON and nothing else, one value a line."""

    def __init__(self, as_json: bool, interrupts: Interrupts) -> None:
        self.as_json = as_json
        self.bar = Bar(sys.stderr, not as_json and sys.stderr.isatty(), interrupts.check)

    def result(self, content: Mapping[str, Any], text: str) -> None:
        """The answer, as JSON or as `text`."""
        self.bar.clear()
        print(json.dumps(content, ensure_ascii=False) if self.as_json else text, flush=True)

    def note(self, text: str) -> None:
        """Something to know that is not the answer."""
        self.bar.clear()
        print(text, file=sys.stderr, flush=True)

    def refusal(self, message: str) -> None:
        """Why there is no answer."""
        self.note(f"error: {message}")
        if self.as_json:
            print(json.dumps({"success": False, "error": message}, ensure_ascii=False), flush=True)


class Bar:
    """One line that is written over; nothing at all where nobody looks. `check` is called at each
    step, and may end the work."""

    def __init__(self, stream: TextIO, shown: bool, check: Callable[[], None]) -> None:
        self.stream = stream
        self.shown = shown
        self.check = check
        self.text = ""
        self.title = ""

    def __call__(self, share: float, desc: str = "", **_: Any) -> None:
        """`share` of the work is done, from 0 to 1; `desc` is what is being done."""
        self.check()
        if not self.shown:
            return
        full = round(BAR * min(max(share, 0.0), 1.0))
        drawn = f"{'█' * full}{'░' * (BAR - full)} {share:4.0%}"
        text = f"{self.title}{drawn} {desc}"[:LINE]
        if text != self.text:
            self._write(text)

    def clear(self) -> None:
        if self.text:
            self._write("")

    def _write(self, text: str) -> None:
        blank = " " * (len(self.text) - len(text))
        self.stream.write(f"\r{text}{blank}\r" if not text else f"\r{text}{blank}")
        self.stream.flush()
        self.text = text
