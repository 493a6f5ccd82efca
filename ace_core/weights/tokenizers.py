"""Where the tokenizer of a checkpoint lies; reading it is for `ace_core.tokens`."""

from pathlib import Path

from .checkpoint import Checkpoint, Kind
from .shards import STANDARD_STEMS

NAME = "tokenizer.json"


def tokenizer_file(checkpoint: Checkpoint, kind: Kind) -> Path | None:
    """The tokenizer of a text encoder or language model, or None: single files carry none, and
    the host then takes its own.

    Looked for in this order: `<file>.tokenizer.json` beside the file; `tokenizer.json` in its
    folder when the folder is the model's own; in diffusers' sibling folder `tokenizer`.

    Raises:
        CheckpointError: the checkpoint holds no such model.
    """
    file = checkpoint.part(kind).files[0]
    places = [file.with_name(f"{file.stem}.{NAME}")]
    if file.name.split(".")[0].split("-")[0] in STANDARD_STEMS:
        places += [file.with_name(NAME), file.parent.parent / "tokenizer" / NAME]
    return next((place for place in places if place.is_file()), None)
