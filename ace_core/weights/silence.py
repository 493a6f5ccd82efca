"""The silence latent: digital silence through the VAE, used where a task has no source.

Published as a tensor of ten minutes beside the official weights, and inside diffusers' condition
encoder and acestep.cpp's GGUF files. Other single files lack it, and there it is made from the VAE.
"""

import os
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from ..constants import CHANNELS, LATENT_CHANNELS, LATENT_HOP, LATENT_RATE, LONGEST_SECONDS
from ..errors import CheckpointError
from .checkpoint import Checkpoint, Kind
from .shards import SILENCE_FILE
from .tensor_files import read_header, read_tensors

FRAMES: Final = int(LONGEST_SECONDS * LATENT_RATE)  # 15,000, as published
EDGE: Final = 16  # frames; the encoder's receptive field is 6 to each side, so the rest is constant

Encode = Callable[[Tensor], Tensor]  # audio [1, 2, N] -> posterior mean [1, 64, N // 1920]


def stored_silence(checkpoint: Checkpoint) -> Tensor | None:
    """The silence latent [1, S, 64] that came with a diffusion model, or None.

    Raises:
        CheckpointError: the checkpoint holds no diffusion model, or the tensor has another shape
            or values that are not finite.
    """
    part = checkpoint.part(Kind.DIT)
    if part.silence is not None:
        file = part.silence.file
        found = read_tensors(file, {"": part.silence.key})[""]
        return _frames_first(found, f"{file}: {part.silence.key!r}")
    file = part.files[0].with_name(SILENCE_FILE)
    if not os.path.isfile(file):
        return None
    keys = list(read_header(file))
    if len(keys) != 1:
        raise CheckpointError(f"{file}: {len(keys)} tensors instead of one. Download it again.")
    return _frames_first(read_tensors(file, {"": keys[0]})[""], str(file))


def encoded_silence(encode: Encode) -> Tensor:
    """The silence latent [1, 15000, 64] by a VAE: both edges of a short silence, and the frame
    between them repeated, which equals encoding ten minutes."""
    zeros = torch.zeros(1, CHANNELS, (2 * EDGE + 1) * LATENT_HOP)
    with torch.no_grad():
        short = encode(zeros).transpose(1, 2)  # [1, 2 * EDGE + 1, 64]
    steady = short[:, EDGE : EDGE + 1].expand(-1, FRAMES - 2 * EDGE, -1)
    return torch.cat([short[:, :EDGE], steady, short[:, -EDGE:]], dim=1)


def silence_latent(checkpoint: Checkpoint, encode: Encode | None = None) -> Tensor:
    """The silence latent [1, S, 64]: stored beside the weights, else made with the VAE.

    Raises:
        CheckpointError: none is stored and there is no VAE to make one.
    """
    stored = stored_silence(checkpoint)
    if stored is not None:
        return stored
    if encode is None:
        raise CheckpointError(
            f"{checkpoint.path}: no {SILENCE_FILE} lies beside it, and no VAE was given to make "
            f"one. Connect the ACE-Step 1.5 VAE, or put the official {SILENCE_FILE} beside it."
        )
    return encoded_silence(encode)


def _frames_first(found: Tensor, where: str) -> Tensor:
    """The official file is [1, 64, S]; diffusers stores [1, S, 64], a GGUF file [S, 64]."""
    if found.dim() == 2 and found.shape[1] == LATENT_CHANNELS:
        return found[None]
    if found.dim() == 3 and found.shape[0] == 1:
        if found.shape[1] == LATENT_CHANNELS:
            return found.transpose(1, 2)
        if found.shape[2] == LATENT_CHANNELS:
            return found
    raise CheckpointError(
        f"{where} has shape {list(found.shape)}, but a silence latent is [1, {LATENT_CHANNELS}, "
        "frames]. Download it again."
    )
