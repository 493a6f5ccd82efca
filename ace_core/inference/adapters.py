"""The adapters of a call: named as `FILE` or `FILE:STRENGTH`, found, read and checked."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ..constants import ADAPTER_STRENGTHS
from ..errors import CheckpointError, InvalidRequestError
from ..texts import home_path, shown, text_fault
from ..weights.adapter_keys import Shapes
from ..weights.apply_adapter import Strength, target_shapes
from ..weights.lora import WEIGHTS, Adapter, read_adapter

FOLDERS: Final = ("", "loras", "models/loras")  # below the folder of models
_STRENGTH: Final = re.compile(r":([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$", re.IGNORECASE)


class LoraChoice(NamedTuple):
    """An adapter as it is asked for."""

    file: str
    strength: float = 1.0

    @classmethod
    def of(cls, text: str) -> "LoraChoice":
        """`voice.safetensors` or `voice.safetensors:0.8`; the last colon before a number counts.

        Raises:
            InvalidRequestError: no file, a strength out of range, or no text.
        """
        if fault := text_fault(text):
            raise InvalidRequestError(f"`lora` {fault}. Remove it.")
        found = _STRENGTH.search(text)
        choice = cls(text) if found is None else cls(text[: found.start()], float(found[1]))
        if not choice.file.strip():
            raise InvalidRequestError(
                f"`lora` is {shown(text)!r}, which names no file. Write FILE or FILE:STRENGTH."
            )
        check_strength(choice.strength)
        return choice

    def __str__(self) -> str:
        return f"{self.file}:{self.strength!r}"


def check_strength(strength: float) -> None:
    """
    Raises:
        InvalidRequestError: it is out of range.
    """
    low, high = ADAPTER_STRENGTHS
    if not low <= strength <= high:
        raise InvalidRequestError(
            f"The strength {strength:g} of an adapter is outside {low:g} to {high:g}. 1 is as it "
            "was trained."
        )


def choices_of(lora: Sequence[str] | str | None) -> tuple[LoraChoice, ...]:
    """The value of a `lora` field; None holds no adapter here.

    Raises:
        InvalidRequestError: an entry is malformed.
    """
    listed = [lora] if isinstance(lora, str) else lora or ()
    return tuple(LoraChoice.of(text) for text in listed)


@dataclass(frozen=True, slots=True, eq=False)
class ReadAdapter:
    """An adapter that was read, and how it was asked for."""

    choice: LoraChoice
    adapter: Adapter

    @property
    def applied(self) -> Strength:
        return Strength(self.adapter, self.choice.strength)

    @property
    def notes(self) -> list[str]:
        """What it changes and what of it is not used, for the status message."""
        adapter, name = self.adapter, Path(self.choice.file).name
        count = len(adapter.deltas) + len(adapter.biases)
        weights = "1 weight" if count == 1 else f"{count} weights"
        used = (
            f"LoRA {name}: {weights} changed, strength {self.choice.strength:g}; strength 1 is "
            f"{adapter.scale_source}."
        )
        return [used, *(f"LoRA {name}: {warning}." for warning in adapter.warnings)]


def read_adapters(
    choices: Sequence[LoraChoice], root: str | Path, shapes: Shapes
) -> tuple[ReadAdapter, ...]:
    """The adapters for a model with weights of these `shapes` by official name.

    Raises:
        CheckpointError: one is not there, is broken, or was made for another model.
    """
    targets = target_shapes(shapes)
    return tuple(
        ReadAdapter(choice, read_adapter(find_adapter(root, choice.file), targets))
        for choice in choices
    )


def find_adapter(root: str | Path, name: str) -> Path:
    """The adapter's file or PEFT folder at the path `name`, or called so in `loras` below `root`,
    with or without its ending.

    Raises:
        CheckpointError: it is not there.
    """
    given, root = home_path(name), home_path(root)
    folders = [root / folder for folder in FOLDERS]
    bases = [given] if given.is_absolute() else [given, *(each / given for each in folders)]
    for base in bases:
        for path in (base, base.with_name(f"{base.name}.safetensors")):
            if os.path.isfile(path) or _holds_adapter(path):
                return path
    raise CheckpointError(
        f"No adapter is at {shown(given.absolute())}, nor called {shown(name)!r} in "
        f"{', '.join(shown(each.absolute()) for each in folders[1:])}. Give the path of its file "
        f"or of its PEFT folder.{_offered(folders[1:])}"
    )


def _holds_adapter(path: Path) -> bool:
    return os.path.isdir(path) and next(path.glob("*.safetensors"), None) is not None


def _offered(folders: Sequence[Path]) -> str:
    """A sentence with the names that exist."""
    names = [
        path.parent.name if path.name in WEIGHTS else path.name
        for folder in folders
        if os.path.isdir(folder)
        for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors")])
    ]
    return f" There are: {', '.join(names[:20])}." if names else ""
