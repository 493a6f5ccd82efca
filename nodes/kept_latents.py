"""The latents of saved files, so that a take that becomes a source is not encoded again.

Each is a file of its own in ComfyUI's user folder (6.4 kB for a second), named by the digest of the
saved file's bytes: a copy of that file has them wherever it lies, one that was changed has none.
Nothing is lost with them but the time to encode: those that were not used for longest go first.
"""

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from ..ace_core.audio.latent_files import LatentFile, latent_content, read_latents
from ..ace_core.errors import AceStepError
from ..ace_core.writing import make_folder, write_file
from . import folders
from .temporary_files import keep_newest

COUNT = 2_000
BYTES = 512 * 2**20  # of all of them: about 22 hours of music

logger = logging.getLogger(__name__)


def keep(file: Path, latents: Tensor, vae: str) -> None:
    """Keep the `latents` [T, C] of a `file` that was just saved; where that fails, the log says
    so."""
    try:
        path = make_folder(folders.kept_latents()) / _name(file)
        write_file(path, latent_content(latents, vae), replace=True, durable=False)
    except (AceStepError, OSError) as error:
        logger.warning("The latents of %s are not kept: %s", file.name, error)
    keep_newest(folders.kept_latents(), "*.safetensors", COUNT, BYTES)


def find(file: Path) -> LatentFile | None:
    """The latents of a file with the same bytes."""
    path = folders.kept_latents() / _name(file)
    if not path.is_file():
        return None
    try:
        found = read_latents(path)
    except AceStepError as error:
        logger.warning("%s", error)
        return None
    with suppress(OSError):
        os.utime(path)  # it counts as new
    return found


def _name(file: Path) -> str:
    with file.open("rb") as content:
        digest = hashlib.sha256()
        while part := content.read(2**20):
            digest.update(part)
    return f"{digest.hexdigest()}.safetensors"
