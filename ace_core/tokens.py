"""The tokenizer interface of this library, and one loaded from files by `transformers`.

No token id is written here: ids come from the tokenizer's files.
"""

import logging
from pathlib import Path
from typing import Any, Protocol

from .errors import CheckpointError, InvalidRequestError
from .parsing import read_json
from .texts import shown, text_fault
from .versions import is_older

SOURCES = (
    "Every official ACE-Step 1.5 language model folder carries one (tokenizer.json), and so does "
    "every ComfyUI, under comfy/text_encoders/qwen25_tokenizer (vocab.json and merges.txt)."
)

_SLOW_BEFORE = "0.22.2"  # before it, loading is quadratic in the number of added tokens
_MANY = 10_000  # added tokens, from which loading takes long

logger = logging.getLogger(__name__)


class Tokenizer(Protocol):
    """Text to token ids and back. Nothing is added, cut or padded."""

    @property
    def size(self) -> int:
        """Number of tokens; ids run from 0 to `size - 1`."""
        ...

    def encode(self, text: str) -> list[int]:
        """The ids of `text`; the text of a special token becomes that token.

        Raises:
            InvalidRequestError: the text has a zero byte or half a character.
        """
        ...

    def decode(self, ids: list[int]) -> str:
        """The text of `ids`, special tokens included."""
        ...

    def token_id(self, token: str) -> int | None:
        """The id of the token with exactly this text, `None` if there is none."""
        ...

    def texts(self) -> list[str]:
        """The text of every token, by id."""
        ...


class FolderTokenizer:
    """A tokenizer read by `transformers`."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend  # a tokenizers.Tokenizer
        self.size: int = backend.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> list[int]:
        if fault := text_fault(text):
            raise InvalidRequestError(
                f"A text for the model {fault}: {shown(text)!r}. Remove that character."
            )
        return self._backend.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        return self._backend.decode(ids, skip_special_tokens=False)

    def token_id(self, token: str) -> int | None:
        return self._backend.token_to_id(token)

    def texts(self) -> list[str]:
        return self._backend.decode_batch(
            [[i] for i in range(self.size)], skip_special_tokens=False
        )


def load_tokenizer(path: str | Path) -> FolderTokenizer:
    """The tokenizer at `path`: a file in the format of `tokenizer.json` under any name, or a
    folder with that file, or with `vocab.json` and `merges.txt`.

    Raises:
        CheckpointError: it is missing, or not a tokenizer, or broken.
    """
    files = _files(Path(path))
    _warn_slow(_json(files[0]))
    try:
        return FolderTokenizer(_read(files))
    except Exception as error:  # the tokenizer library raises bare Exception for a bad file
        raise CheckpointError(
            f"The tokenizer {path} cannot be read: {error} Download it again. {SOURCES}"
        ) from error


def holds_tokenizer(folder: Path) -> bool:
    """Whether `load_tokenizer` finds the files of a tokenizer in `folder`."""
    return _files_in(folder) is not None


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CheckpointError(f"{path} is not a folder with a tokenizer. {SOURCES}")
    files = _files_in(path)
    if files is None:
        raise CheckpointError(
            f"{path} holds no tokenizer: neither tokenizer.json nor vocab.json with "
            f"merges.txt is in it. {SOURCES}"
        )
    return files


def _files_in(folder: Path) -> list[Path] | None:
    whole, parts = folder / "tokenizer.json", [folder / "vocab.json", folder / "merges.txt"]
    if whole.is_file():
        return [whole]
    return parts if all(part.is_file() for part in parts) else None


def required_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of `token`.

    Raises:
        CheckpointError: the tokenizer does not have it.
    """
    token_id = tokenizer.token_id(token)
    if token_id is None:
        raise CheckpointError(
            f"The tokenizer has no token {token}, so it is not the Qwen tokenizer that ACE-Step "
            f"1.5 was trained with. {SOURCES}"
        )
    return token_id


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a JSON file: {error}. Download it again.") from error


def _warn_slow(content: Any) -> None:
    """Log a line before loading that takes a minute."""
    added = content.get("added_tokens") if isinstance(content, dict) else None
    if isinstance(added, list) and len(added) > _MANY and is_older("tokenizers", _SLOW_BEFORE):
        logger.warning(
            "Reading this language model's tokenizer takes about a minute with the installed "
            "tokenizers package; with %s or newer it takes a second. Update it together with "
            "transformers: pip install -U transformers tokenizers",
            _SLOW_BEFORE,
        )


def _read(files: list[Path]) -> Any:
    """The backend of the tokenizer that `transformers` loads; importing it takes seconds."""
    import transformers

    if len(files) == 1:
        fast = transformers.PreTrainedTokenizerFast(tokenizer_file=str(files[0]))
        return fast.backend_tokenizer
    qwen: Any = transformers.Qwen2TokenizerFast  # pyright: ignore  # transformers 5's unlisted alias
    return qwen.from_pretrained(str(files[0].parent), local_files_only=True).backend_tokenizer
