"""A finished song looked at once more: which words the model has in mind at every moment."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.attention import KV
from ..models.dit import AttentionCapture, DiT
from .heads import Heads
from .words import Words

SEED = 42  # of the noise that the song is mixed with, as in the official code
STEPS = 8  # the song is looked at as it was one step before its end


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """One song, and what it was made from."""

    latents: Tensor  # [1, T, 64]
    context: Tensor  # [1, T, 128] in the model's dtype
    kv: list[KV]  # keys and values of every layer, batch 1


@torch.inference_mode()
def listen(
    decoder: DiT, song: Finished, words: Words, heads: Heads, t: float = 1 / STEPS, seed: int = SEED
) -> Tensor:
    """[K, L', S]: how much each moment looks at each token of the lyrics, by each of the heads.

    The song is mixed with noise up to flow time `t`; 1 is noise alone, where only the conditions
    speak. The noise is drawn on the CPU in float32: a seed means the same on every device.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(song.latents.shape, generator=generator)
    x = t * noise + (1 - t) * song.latents.float().cpu()
    moment = torch.full((1,), t, device=song.context.device)
    capture = AttentionCapture(heads, words.places)
    return decoder.attention_maps(x.to(song.context), moment, song.context, song.kv, capture)[0]
