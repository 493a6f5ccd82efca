"""Which instruments an instruction of lego, extract or complete speaks of."""

import re
from typing import Final, NamedTuple

from ..constants import TRACKS
from ..errors import InvalidRequestError
from ..prompts import TEXT_TO_MUSIC

EXAMPLES: Final = {
    "lego": "Generate the guitar track based on the audio context:",
    "extract": "Extract the vocals track from the audio:",
    "complete": "Complete the input track with drums, bass, guitar:",
}
PATTERNS: Final = {
    "lego": r"generate the (?P<tracks>.+) track based on the audio context",
    "extract": r"extract the (?P<tracks>.+) track from the audio",
    "complete": r"complete the input track with (?P<tracks>.+)",
}


class Instructed(NamedTuple):
    """The tracks, and the words if they are not the task's own."""

    tracks: tuple[str, ...]
    words: str | None


def instructed(task: str, instruction: str) -> Instructed:
    """What `instruction` asks of `task`. In the documented wording the tracks alone matter, and
    the model reads them as it was trained to; other wordings reach it as they are.

    Raises:
        InvalidRequestError: it names no track of the models.
    """
    named = tuple(track for track in TRACKS if _names(instruction, track))
    if not named:
        given = "no instruction" if _is_default(instruction) else f"{instruction!r}"
        raise InvalidRequestError(
            f"The task {task} was given {given}, which names no track. Write `instruction` as in "
            f"{EXAMPLES[task]!r}, with {'some' if task == 'complete' else 'one'} of "
            f"{', '.join(TRACKS)}."
        )
    documented = re.fullmatch(PATTERNS[task], instruction.strip(" :.\n"), re.IGNORECASE)
    if documented is None:
        return Instructed(named, instruction)
    listed = re.split(r"\s*(?:,|\||\band\b)\s*", documented["tracks"].strip())
    spelled = tuple(_spelled(name) for name in listed if name)
    if not set(spelled) <= set(TRACKS) or (task != "complete" and len(spelled) > 1):
        return Instructed(named, instruction)
    return Instructed(spelled, None)


def own_words(instruction: str) -> str | None:
    """A caller's instruction; None for the default, which leaves the task's own in place."""
    return None if _is_default(instruction) else instruction


def _is_default(instruction: str) -> bool:
    return instruction.strip() in ("", TEXT_TO_MUSIC)


def _names(instruction: str, track: str) -> bool:
    words = track.replace("_", "[_ ]")
    lead = "" if track == "backing_vocals" else "(?<!backing[_ ])"
    return re.search(rf"{lead}\b{words}\b", instruction, re.IGNORECASE) is not None


def _spelled(name: str) -> str:
    return re.sub(r"[_ ]+", "_", name.strip().lower())
