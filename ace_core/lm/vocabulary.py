"""The token ids of a language model: text, audio codes, special tokens.

Every id comes from the tokenizer and from the number of rows in the model's embedding. A
tokenizer without audio codes (ComfyUI's) is completed by arithmetic: the published codes follow
it. A model of a smaller codebook has a tokenizer with just its codes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from ..constants import CODEBOOK_SIZE, END_OF_TEXT
from ..errors import CheckpointError, InvalidCodesError
from ..tokens import Tokenizer, check_ids, required_id
from ..types import AudioCodes

AUDIO_TOKENS = 65_535  # rows of audio codes in a language model; the first 64,000 are decodable
CODE_PATTERN = re.compile(r"<\|audio_code_(\d{1,9})\|>")  # more digits are no code
IM_END = "<|im_end|>"
THINK, THINK_END = "<think>", "</think>"


def code_token(code: int) -> str:
    return f"<|audio_code_{code}|>"


class Vocabulary:
    """The token ids of `tokenizer` and an embedding of `rows` rows.

    Raises:
        CheckpointError: the model has no audio codes, or the tokenizer is another model's.
    """

    def __init__(self, tokenizer: Tokenizer, rows: int) -> None:
        self.tokenizer = tokenizer
        self.rows = rows
        first = _first_code(tokenizer, rows)
        self.codes = range(first, min(first + CODEBOOK_SIZE, rows))
        self.audio = range(first, min(first + AUDIO_TOKENS, rows))
        self.text = range(first)  # everything that is no audio code
        self.plain = range(required_id(tokenizer, END_OF_TEXT))  # and no special token either
        self.end = required_id(tokenizer, IM_END)
        self.think = required_id(tokenizer, THINK)
        self.think_end = required_id(tokenizer, THINK_END)
        newline = tokenizer.encode("\n")
        if len(newline) != 1:
            raise CheckpointError(
                f"The tokenizer makes {len(newline)} tokens of a line's end, but Qwen's makes one. "
                "Use the tokenizer that belongs to the model."
            )
        (self.newline,) = newline

    def encode(self, text: str) -> list[int]:
        """The ids of `text`; `<|audio_code_N|>` becomes its token.

        Raises:
            InvalidRequestError: it holds a token that the model does not have.
        """
        ids: list[int] = []
        start = 0
        for match in CODE_PATTERN.finditer(text):
            code = int(match[1])
            if code < len(self.audio):
                ids += self.tokenizer.encode(text[start : match.start()])
                ids.append(self.audio[code])
                start = match.end()
        ids += self.tokenizer.encode(text[start:])
        check_ids(self.tokenizer, ids, self.rows)
        return ids

    def check_codes(self, codes: AudioCodes) -> None:
        """
        Raises:
            InvalidCodesError: one of `codes` is not in the model's codebook.
        """
        largest = max(codes.values, default=0)
        if largest >= len(self.codes):
            raise InvalidCodesError(
                f"Code {largest} is of another model: this language model knows codes 0 to "
                f"{len(self.codes) - 1}. Encode the audio with the diffusion model that belongs "
                "to it."
            )

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, audio codes as `<|audio_code_N|>`."""
        text, start = "", 0
        for index, token in enumerate(ids):
            if token in self.audio:
                text += self.tokenizer.decode(list(ids[start:index]))
                text += code_token(token - self.audio.start)
                start = index + 1
        return text + self.tokenizer.decode(list(ids[start:]))

    @cached_property
    def texts(self) -> list[str]:
        """The text of every plain token, by id."""
        return self.tokenizer.texts(len(self.plain))

    def where(self, condition: Callable[[str], Any]) -> frozenset[int]:
        """The plain tokens whose text meets `condition`."""
        return frozenset(i for i, text in enumerate(self.texts) if condition(text))

    def trie(self, values: Iterable[object]) -> dict[int, Any]:
        """Ids of ` value` and a newline for each value, as nested dictionaries; a leaf is empty."""
        root: dict[int, Any] = {}
        for value in values:
            node = root
            for token in self.encode(f" {value}\n"):
                node = node.setdefault(token, {})
        return root


def _first_code(tokenizer: Tokenizer, rows: int) -> int:
    first_id = tokenizer.token_id(code_token(0))
    first = tokenizer.size if first_id is None else first_id
    if rows <= first or (first_id is None and rows < first + CODEBOOK_SIZE):
        raise CheckpointError(
            f"This model has {rows} tokens and no audio codes, so it is a text encoder or another "
            "Qwen model. Choose an ACE-Step 1.5 language model: acestep-5Hz-lm-0.6B, -1.7B or "
            "-4B, or qwen_1.7b_ace15 or qwen_4b_ace15."
        )
    if first_id is not None:
        _check_codes_of(tokenizer, first, min(rows - first, CODEBOOK_SIZE))
    elif rows != first + AUDIO_TOKENS:
        raise CheckpointError(
            f"The tokenizer has {first} tokens and the language model {rows}, but the model must "
            f"have {AUDIO_TOKENS} more, one for each audio code. Use the tokenizer that belongs "
            "to the model."
        )
    return first


def _check_codes_of(tokenizer: Tokenizer, first: int, count: int) -> None:
    """
    Raises:
        CheckpointError: the tokenizer's codes are not `count` that follow each other.
    """
    last = tokenizer.token_id(code_token(count - 1))
    if last != first + count - 1:
        raise CheckpointError(
            f"The tokenizer gives {code_token(0)} the id {first} and {code_token(count - 1)} the "
            f"id {last}, but they must be consecutive. Use the tokenizer that belongs to the model."
        )
    if count < CODEBOOK_SIZE and tokenizer.token_id(code_token(count)) is not None:
        raise CheckpointError(
            f"The language model has rows for {count} audio codes, and the tokenizer has more. Use "
            "the tokenizer that belongs to the model."
        )
