"""The names of the models' tracks as people write them."""

import re
from typing import Final

from .constants import TRACKS


def _singular(name: str) -> str:
    return name.removesuffix("s") if not name.endswith("ss") else name


_BY_SINGULAR: Final = {_singular(track): track for track in TRACKS}


def parse_track(text: str) -> str | None:
    """The track that `text` names, in any case, singular or plural, with a space or a hyphen for
    the underscore: "Guitars" is guitar. None: no track of the models."""
    name = "_".join(text.lower().replace("-", " ").replace("_", " ").split())
    return _BY_SINGULAR.get(_singular(name))


def names_track(text: str, track: str) -> bool:
    """Whether `track` stands in `text` as words of its own, singular or plural."""
    words = _singular(track).replace("_", "[_ ]")
    lead = "" if track == "backing_vocals" else "(?<!backing[_ ])"
    return re.search(rf"{lead}\b{words}(?:e?s)?\b", text, re.IGNORECASE) is not None
