"""Finished music analysed by the diffusion model: attention to the lyrics, and audio codes."""

from collections.abc import Iterator
from typing import Any, Final

import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.alignment.attention_maps import (
    STEPS,
    FinishedSong,
    lyric_attention_maps,
    parse_heads,
)
from ...ace_core.alignment.lyric_tokens import LyricTokens
from ...ace_core.conditioning import context as ctx
from ...ace_core.errors import InvalidRequestError
from ...ace_core.latents import latent_samples
from ...ace_core.types import AudioCodes
from .conditioning import items_of, task_of
from .from_native import ace_model_of
from .frontend import progress_bar
from .lora import refuse_foreign_patches
from .model import AceModel
from .vae import music_frames

_LYRIC_TOKENS: Final = 3_000  # for which the memory of the maps is estimated
_TOKENIZER_ITEMS: Final = 3  # the pooler has 1.2 tokens per frame, the estimated decoder 0.5


@torch.inference_mode()
def lyric_maps(
    model: Any, positive: list, latent: dict[str, Any], tokens: LyricTokens, heads: str = ""
) -> list[Tensor]:
    """[K, L', S] for each item of `latent`: the attention of its music to the lyrics. `heads` is as
    on the node.

    Raises:
        CheckpointError: the MODEL was not loaded by this pack, or a LoRA does not fit it.
        InvalidRequestError: the latent, the conditioning and the song do not belong together.
    """
    check_lyrics(positive, tokens)
    ace, samples = _checked_model(model), latent_samples(latent)  # [B, C, T]
    chosen = parse_heads(heads, ace.diffusion_model.config)
    report, maps = progress_bar("song"), []
    played = -(-music_frames(latent) // ace.diffusion_model.config.patch)  # S
    comfy.model_management.load_models_gpu([model], memory_required=_bytes_for(ace, samples))
    for song in _finished(ace, model.load_device, positive, samples):
        decoder = ace.diffusion_model.decoder
        whole = lyric_attention_maps(decoder, song, tokens, chosen, 1 / STEPS)
        maps.append(whole[..., :played].cpu())
        report(len(maps), len(samples))
    return maps


def check_lyrics(positive: list, tokens: LyricTokens) -> None:
    """
    Raises:
        InvalidRequestError: `positive` was made from another song's lyrics.
    """
    lyrics = _first_entry(positive).get("conditioning_lyrics")
    if lyrics is None or lyrics.shape[1] != tokens.prompt_length:
        read = "no lyrics" if lyrics is None else f"lyrics of {lyrics.shape[1]} tokens"
        raise InvalidRequestError(
            f"The song has {tokens.prompt_length} tokens of lyrics, but the positive conditioning "
            f"holds {read}. Connect the song that the task node was given."
        )


def _finished(
    ace: AceModel, device: torch.device, positive: list, samples: Tensor
) -> Iterator[FinishedSong]:
    entry = _first_entry(positive)
    item, fallback = task_of(entry, samples)
    silence, net = ace.silence_on(device, fallback), ace.diffusion_model
    items = items_of(entry, item, len(samples))
    kv = net.decoder.cross_attention_kv(ctx.encode_conditions(net, item, silence))
    contexts = torch.cat([ctx.context(net, each, silence) for each in items])  # [1 or B, T, 2C]
    for number, latents in enumerate(samples.transpose(1, 2)):  # [T, C]
        own = number if len(contexts) > 1 else 0
        yield FinishedSong(latents[None], contexts[own : own + 1], kv)


def _bytes_for(ace: AceModel, samples: Tensor) -> float:
    """One forward of one item, and the attention of three heads to the lyrics in float32."""
    tokens = -(-samples.shape[-1] // ace.diffusion_model.config.patch)
    return ace.memory_required([1, *samples.shape[1:]]) + 3 * 2 * 4 * _LYRIC_TOKENS * tokens


def _first_entry(positive: list) -> dict[str, Any]:
    """The first entry as the host hands it to a model."""
    text, extras = positive[0]
    return {"cross_attn": text, **extras}


def _checked_model(model: Any) -> AceModel:
    ace = ace_model_of(model)
    refuse_foreign_patches(model)
    return ace


@torch.inference_mode()
def encode_codes(model: Any, samples: Tensor, silence: Tensor) -> tuple[AudioCodes, ...]:
    """Codes of each item of `samples` [B, C, T]; `silence` [1, S, C] serves models that carry none.

    A last code that is not full is filled up with silence.

    Raises:
        CheckpointError: the MODEL is not of ACE-Step 1.5, or a LoRA does not fit it.
    """
    ace = _checked_model(model)
    memory = ace.memory_required([_TOKENIZER_ITEMS, *samples.shape[1:]])
    comfy.model_management.load_models_gpu([model], memory_required=memory)
    dtype = ace.get_dtype_inference()
    latents = samples.transpose(1, 2).to(model.load_device, dtype)  # [B, T, C]
    own = silence if ace.silence is None else ace.silence
    return tuple(ctx.codes_of_latents(ace.diffusion_model, item[None], own) for item in latents)


def codes_of(model: Any, positive: list, latent: dict[str, Any]) -> tuple[AudioCodes, ...]:
    """The audio codes of the music, one per item."""
    ace, like = _checked_model(model), latent_samples(latent)
    _, fallback = task_of(_first_entry(positive), like)
    music = like[..., : music_frames(latent)]
    return encode_codes(model, music, ace.silence_on(model.load_device, fallback))
