"""The tokens of the lyrics: their positions in what the model reads, and what each spells."""

from dataclasses import dataclass

from ..conditioning.text import prompt_ids
from ..constants import END_OF_TEXT, LYRIC_TOKENS
from ..errors import InvalidRequestError
from ..prompts import lyric_heading, lyric_prompt
from ..tokens import Tokenizer, required_id
from ..types import Song

REPLACEMENT_CHARACTER = "\ufffd"  # what a decoder writes for a character of which bytes are missing


@dataclass(frozen=True, slots=True)
class LyricTokens:
    """Tokens `start` to `start + len(texts)` of the lyric prompt, which has `prompt_length`.

    `texts` holds the text that each token completes: empty while a character's bytes are still
    coming. `sung` is false for tokens of [section tags].
    """

    start: int
    prompt_length: int
    texts: tuple[str, ...]
    sung: tuple[bool, ...]

    @property
    def positions(self) -> slice:
        """Of the lyrics among the tokens that cross-attention reads."""
        return slice(self.start, self.start + len(self.texts))


def lyric_tokens(tokenizer: Tokenizer, song: Song) -> LyricTokens:
    """The lyrics of a song as its lyric prompt holds them.

    Raises:
        InvalidRequestError: nothing is sung.
    """
    if song.instrumental:
        raise InvalidRequestError(
            "The song has no lyrics, so there is nothing to time. Give the song its lyrics, or "
            "leave this node out."
        )
    ids = prompt_ids(tokenizer, lyric_prompt(song), LYRIC_TOKENS, "lyric prompt")
    start = len(tokenizer.encode(lyric_heading(song)))
    lyric_ids = ids[start : ids.index(required_id(tokenizer, END_OF_TEXT))]
    sung = _outside_brackets([tokenizer.decode([token]) for token in lyric_ids])
    if not any(sung):
        raise InvalidRequestError(
            "The lyrics are section tags only, so there is nothing to time. Write the words that "
            "are sung below the tags."
        )
    return LyricTokens(start, len(ids), _completed_texts(tokenizer, lyric_ids), sung)


def _completed_texts(tokenizer: Tokenizer, ids: list[int]) -> tuple[str, ...]:
    texts, pending = [], []
    for token in ids:
        pending.append(token)
        text = tokenizer.decode(pending)
        if text.endswith(REPLACEMENT_CHARACTER) and len(texts) + 1 < len(ids):
            texts.append("")
        else:
            texts.append(text)
            pending = []
    return tuple(texts)


def _outside_brackets(texts: list[str]) -> tuple[bool, ...]:
    """False from a token with [ up to the next one with ]."""
    outside, inside = [], False
    for text in texts:
        inside = inside or "[" in text
        outside.append(not inside and "]" not in text)
        inside = inside and "]" not in text
    return tuple(outside)
