"""Write the tables of docs/miniature.md that tests hold the family's music to: what each claim
reached, with its plots where they were drawn, and what was heard while our code was broken on
purpose.

`python -m tools.docs.music_tables` writes them from tests/music/reached.json.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.hosts.checkout import ROOT
from tools.miniature.claims.kept import broken, reached, read_reached
from tools.miniature.claims.table import GROUPS, HEAD

REACHED: Final = ROOT / "tests" / "music" / "reached.json"
DOCUMENT: Final = ROOT / "docs" / "miniature.md"
BEGIN: Final = "<!-- {}: python -m tools.docs.music_tables -->"
END: Final = "<!-- end of {} -->"
PLOTS: Final = {
    "rolls": "A composed piece, and what turbo plays for the same request",
    "tempo": "Tempo heard over tempo asked",
    "guidance": "Tempo, key and instruments as asked, by guidance scale",
    "strengths": "Likeness to the source, by strength",
}
BROKEN_HEAD: Final = (
    "| broken | claim that falls most | intact | held to | broken | heard |",
    "|---|---|---|---|---|---|",
)


def with_tables(text: str, kept: Path) -> str:
    """The document with both tables as they are kept.

    Raises:
        ValueError: it lacks the lines between which a table stands.
    """
    for name, rows in (("figures", _figures(kept)), ("broken", _broken(kept))):
        begin, end = BEGIN.format(name), END.format(name)
        if begin not in text or end not in text:
            raise ValueError(f"{begin} and {end} are not both in the document")
        before, rest = text.split(begin)
        text = "\n".join((f"{before}{begin}", *rows, end + rest.split(end)[1]))
    return text


def _figures(kept: Path) -> Iterator[str]:
    yield from HEAD
    measured = read_reached(kept).get("whole", {})
    for group in GROUPS:
        if group in measured:
            yield from (figure.row() for figure in reached(kept, "whole", group))
    for name, title in PLOTS.items():
        if (picture := DOCUMENT.with_name(f"miniature_{name}.png")).is_file():
            yield f"\n![{title}]({picture.name})"


def _broken(kept: Path) -> Iterator[str]:
    yield from BROKEN_HEAD
    yield from (heard.row(name) for name, heard in broken(kept).items())


def main() -> None:
    text = with_tables(DOCUMENT.read_text(encoding="utf-8"), REACHED)
    DOCUMENT.write_text(text, encoding="utf-8")
    print(DOCUMENT)


if __name__ == "__main__":
    main()
