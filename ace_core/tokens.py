"""The tokenizer interface of this library, and one loaded from files by `tokenizers`.

No token id is written here: ids come from the tokenizer's files.
"""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from .errors import CheckpointError, InvalidRequestError
from .parsing import LARGEST_JSON, JSONError, check_size, parse_json, read_bytes
from .texts import shown, text_fault
from .versions import is_older

SOURCES = (
    "Every official ACE-Step 1.5 language model folder carries one (tokenizer.json), and so does "
    "every ComfyUI, under comfy/text_encoders/qwen25_tokenizer (vocab.json and merges.txt)."
)

_SLOW_BEFORE = "0.22.2"  # before it, loading is quadratic in the number of added tokens
_MANY = 10_000  # added tokens, from which loading takes long

# How Qwen's tokenizers and their ancestor, GPT-2's, cut a text. Others are refused: the tokenizer
# library's expressions backtrack, so one from a stranger's file could run for hours.
PATTERNS: Final = frozenset(
    [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    ]
)

_REGEX: Final = re.compile(rb'"Regex"\s*:\s*("(?:[^"\\]|\\.)*")')  # the name, and the text it has
_SPELT: Final = re.compile(rb"\\u00(?:52|65|67|78)")  # a letter of that name by its number

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

    def texts(self, count: int) -> list[str]:
        """The texts of the first `count` tokens, by id."""
        ...


class FolderTokenizer:
    """A tokenizer read by the library `tokenizers`.

    Raises:
        CheckpointError: its ids do not run from 0 on; and at each call: the file is faulty.
    """

    def __init__(self, backend: Any, path: Path) -> None:
        self._backend = backend  # a tokenizers.Tokenizer
        self._path = path
        self.size: int = backend.get_vocab_size(with_added_tokens=True)
        if not self.size or None in map(backend.id_to_token, range(self.size)):
            last = max(backend.get_vocab(with_added_tokens=True).values(), default=-1)
            raise CheckpointError(f"it has {self.size} tokens, and ids up to {last}.")
        backend.no_padding()
        backend.no_truncation()

    def encode(self, text: str) -> list[int]:
        if fault := text_fault(text):
            raise InvalidRequestError(
                f"A text for the model {fault}: {shown(text)!r}. Remove that character."
            )
        with _library_errors(self._path):
            return self._backend.encode(text, add_special_tokens=False).ids

    def decode(self, ids: list[int]) -> str:
        with _library_errors(self._path):
            return self._backend.decode(ids, skip_special_tokens=False)

    def token_id(self, token: str) -> int | None:
        return self._backend.token_to_id(token)

    def texts(self, count: int) -> list[str]:
        with _library_errors(self._path):
            return [self._backend.decode([i], skip_special_tokens=False) for i in range(count)]


@contextmanager
def _library_errors(path: Path) -> Iterator[None]:
    """What the tokenizer library raises in the block, as an error of ours: for a bad file it raises
    bare Exception, or stops with a panic, which is no Exception and would end a host's worker.

    Raises:
        CheckpointError: the library raised something.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise CheckpointError(
            f"The tokenizer {shown(path)} cannot be used: {shown(str(error).rstrip('.'))}. "
            f"Download it again. {SOURCES}"
        ) from error


def load_tokenizer(path: str | Path) -> FolderTokenizer:
    """The tokenizer at `path`: a file in the format of `tokenizer.json` under any name, or a
    folder with that file, or with `vocab.json` and `merges.txt`.

    Raises:
        CheckpointError: it is missing, or not a tokenizer, or broken.
    """
    files = _files(Path(path))
    content = _content(files[0])
    _check_patterns(content, files[0])
    _warn_slow(content)
    with _library_errors(Path(path)):
        backend = _read(content) if len(files) == 1 else _read_folder(files[0].parent)
        return FolderTokenizer(backend, Path(path))


def holds_tokenizer(folder: Path) -> bool:
    """Whether `load_tokenizer` finds the files of a tokenizer in `folder`."""
    return _files_in(folder) is not None


def _files(path: Path) -> list[Path]:
    if os.path.isfile(path):
        return [path]
    if not os.path.isdir(path):
        raise CheckpointError(f"{shown(path)} is not a folder with a tokenizer. {SOURCES}")
    files = _files_in(path)
    if files is None:
        raise CheckpointError(
            f"{path} holds no tokenizer: neither tokenizer.json nor vocab.json with "
            f"merges.txt is in it. {SOURCES}"
        )
    return files


def _files_in(folder: Path) -> list[Path] | None:
    whole, parts = folder / "tokenizer.json", [folder / "vocab.json", folder / "merges.txt"]
    if os.path.isfile(whole):
        return [whole]
    return parts if all(os.path.isfile(part) for part in parts) else None


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


def check_ids(tokenizer: Tokenizer, ids: Sequence[int], rows: int) -> None:
    """
    Raises:
        InvalidRequestError: an embedding of `rows` rows has none for one of the `ids`.
    """
    last = max(ids, default=0)
    if last >= rows:
        raise InvalidRequestError(
            f"{shown(tokenizer.decode([last]))!r} is token {last} of the tokenizer, and the model "
            f"has {rows}. Remove it from the text, or use the tokenizer of the model."
        )


def _content(path: Path) -> bytes:
    try:
        content = read_bytes(path, LARGEST_JSON)
        check_size(content)
    except (OSError, ValueError) as error:
        raise _not_json(path, error) from error
    return content


def _not_json(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path} is not a JSON file: {error}. Download it again.")


def _check_patterns(content: bytes, path: Path) -> None:
    """Refuse regular expressions that are not of `PATTERNS`, wherever in the file they are.

    The text is searched, as parsing a language model's two million values would take a second, and
    the library parses them anyway. Nothing in a text looks like `"Regex": "..."`: there its quotes
    are escaped.
    """
    if _SPELT.search(content):  # no tokenizer of Qwen's has one
        raise CheckpointError(
            f"The tokenizer {shown(path)} writes letters by their numbers, which Qwen's "
            f"tokenizers do not. Choose the tokenizer of the model. {SOURCES}"
        )
    try:
        patterns = [parse_json(each, halves=True) for each in _REGEX.findall(content)]
    except JSONError as error:
        raise _not_json(path, error) from error
    for pattern in patterns:
        if pattern not in PATTERNS:
            raise CheckpointError(
                f"The tokenizer {shown(path)} has the regular expression {shown(pattern)!r}, which "
                f"Qwen's tokenizers do not have. Choose the tokenizer of the model. {SOURCES}"
            )


def _warn_slow(content: bytes) -> None:
    """Log a line before loading that takes a minute."""
    many = content.count(b'"single_word"') > _MANY  # every added token says whether it is one
    if many and is_older("tokenizers", _SLOW_BEFORE):
        logger.warning(
            "Reading this language model's tokenizer takes about a minute with the installed "
            "tokenizers package; with %s or newer it takes a second. Update it together with "
            "transformers: pip install -U transformers tokenizers",
            _SLOW_BEFORE,
        )


def _read(content: bytes) -> Any:
    """A tokenizers.Tokenizer of a whole file. `transformers` would read it, too, but takes half as
    long again, and a second to import."""
    from tokenizers import Tokenizer as Backend

    return Backend.from_buffer(content)


def _read_folder(folder: Path) -> Any:
    """A tokenizers.Tokenizer of vocabulary and merges, which `transformers` makes."""
    import transformers

    qwen: Any = transformers.Qwen2TokenizerFast  # pyright: ignore  # transformers 5's unlisted alias
    return qwen.from_pretrained(str(folder), local_files_only=True).backend_tokenizer
