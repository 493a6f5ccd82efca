"""The tokens of the lyrics: where they lie in what the model reads, and what each spells."""

from dataclasses import dataclass

from ..conditioning.text import prompt_ids
from ..constants import END_OF_TEXT, LYRIC_TOKENS
from ..errors import InvalidRequestError
from ..prompts import lyric_heading, lyric_prompt
from ..tokens import Tokenizer, required_id
from ..types import Song

BROKEN = "\ufffd"  # what a decoder writes for a character of which bytes are missing


@dataclass(frozen=True, slots=True)
class Words:
    """Tokens `first` to `first + len(pieces)` of the lyric prompt, which has `total`.

    A piece is the text that its token completes: empty while a character's bytes are still
    coming. `sung` is false for tokens of [section tags].
    """

    first: int
    total: int
    pieces: tuple[str, ...]
    sung: tuple[bool, ...]

    @property
    def places(self) -> slice:
        """Where the lyrics lie in the model's memory."""
        return slice(self.first, self.first + len(self.pieces))


def words_of(tokenizer: Tokenizer, song: Song) -> Words:
    """
    Raises:
        InvalidRequestError: nothing is sung.
    """
    if song.instrumental:
        raise InvalidRequestError(
            "The song has no lyrics, so there is nothing to time. Give the song its lyrics, or "
            "leave this node out."
        )
    ids = prompt_ids(tokenizer, lyric_prompt(song), LYRIC_TOKENS, "lyric prompt")
    first = len(tokenizer.encode(lyric_heading(song)))
    own = ids[first : ids.index(required_id(tokenizer, END_OF_TEXT))]
    sung = _outside_brackets([tokenizer.decode([token]) for token in own])
    if not any(sung):
        raise InvalidRequestError(
            "The lyrics are section tags only, so there is nothing to time. Write the words that "
            "are sung below the tags."
        )
    return Words(first, len(ids), _pieces(tokenizer, own), sung)


def _pieces(tokenizer: Tokenizer, ids: list[int]) -> tuple[str, ...]:
    pieces, waiting = [], []
    for token in ids:
        waiting.append(token)
        text = tokenizer.decode(waiting)
        if text.endswith(BROKEN) and len(pieces) + 1 < len(ids):
            pieces.append("")
        else:
            pieces.append(text)
            waiting = []
    return tuple(pieces)


def _outside_brackets(texts: list[str]) -> tuple[bool, ...]:
    """False from a token with [ up to the next one with ]."""
    outside, inside = [], False
    for text in texts:
        inside = inside or "[" in text
        outside.append(not inside and "]" not in text)
        inside = inside and "]" not in text
    return tuple(outside)
