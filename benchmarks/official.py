"""The official pipeline on a CPU with our random weights, for `benchmarks.real_song`.

ACESTEP_PATH names a checkout of the official repository (as of April 2026: with
`acestep/core/generation/handler`), ACESTEP_PYTHON the Python of its environment, whose transformers
are older than ours; without it the Python that runs the benchmark is taken. Nothing of the checkout
is changed.

The handler is the official one, given what its `initialize_service` loads from a checkpoint. Where
that has text encoder and tokenizer it has stand-ins that give random states.
"""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_HOP
from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig
from ace_core.models.vae import Oobleck
from ace_core.task import Task
from ace_core.weights.oobleck import unfold_weight_norm
from tools.hosts.checkout import standins_for

from .vae_decode import diffusers_vae

_MARK: Final = Path("acestep", "core", "generation", "handler", "__init__.py")
_MADE: Final = ("quantizer", "inv_freq")  # buffers that a checkpoint does not hold


def checkout() -> Path | None:
    """The official checkout to measure, None where ACESTEP_PATH names none.

    Raises:
        SystemExit: it names a place that is no such checkout.
    """
    named = os.environ.get("ACESTEP_PATH")
    if not named:
        return None
    if not (Path(named) / _MARK).is_file():
        raise SystemExit(f"ACESTEP_PATH has {named}, but there is no official pipeline: no {_MARK}")
    return Path(named)


def python() -> str:
    """The Python that has what the official pipeline imports."""
    return os.environ.get("ACESTEP_PYTHON") or sys.executable


class Tokenizer:
    """Tells a prompt from lyrics by its turn: the handler asks for both, the prompt first."""

    pad_token_id: Final = 0

    def __init__(self, lengths: tuple[int, int]) -> None:
        self._lengths = lengths
        self._asked = 0

    def __call__(self, _text: str, **_options: Any) -> SimpleNamespace:
        length = self._lengths[self._asked % 2]
        self._asked += 1
        ids = torch.ones(1, length, dtype=torch.long)
        return SimpleNamespace(input_ids=ids, attention_mask=torch.ones_like(ids))


class TextEncoder:
    """Gives the states of a task, whatever the tokens are."""

    def __init__(self, item: Task) -> None:
        self._item = item

    def __call__(self, **_inputs: Any) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self._item.text)

    def embed_tokens(self, _ids: Tensor) -> Tensor:
        return self._item.lyrics


def pipeline(model: AceStepModel, vae: Oobleck, item: Task, place: Path) -> Any:
    """The handler of the checkout at `place` with these weights, as it would compute on a CPU.

    Attention is torch's, as `initialize_service` chooses without flash attention.
    """
    sys.path[:0] = [*standins_for(sys.executable), str(place)]
    os.environ.setdefault("LOGURU_LEVEL", "WARNING")
    from acestep.handler import AceStepHandler

    handler = AceStepHandler()
    handler.dtype = model.null_condition_emb.dtype
    handler.model = _model(model)
    handler.config = handler.model.config
    handler.vae = _vae(vae)
    handler.text_tokenizer = Tokenizer((item.text.shape[1], item.lyrics.shape[1]))
    handler.text_encoder = TextEncoder(item)
    return handler


def sampled(handler: Any, silence: Tensor, frames: int) -> Tensor:
    """Latents [1, T, 64] of text to music in its eight steps; `silence` is [1, S, 64]."""
    handler.silence_latent = silence
    made = handler.service_generate(
        captions="",
        lyrics="",
        metas="",
        target_wavs=torch.zeros(1, 2, frames * LATENT_HOP),
        infer_steps=8,
        shift=3.0,
        seed=0,
    )
    return made["target_latents"]


def decoded(handler: Any, latents: Tensor) -> Tensor:
    """[1, 2, N] in its own tiles: on a CPU windows of 256 frames, of which 128 are kept."""
    return handler.tiled_decode(latents.transpose(1, 2).contiguous().to(handler.vae.dtype))


def _model(model: AceStepModel) -> Any:
    from acestep.models.common.configuration_acestep_v15 import AceStepConfig
    from acestep.models.turbo.modeling_acestep_v15_turbo import AceStepConditionGenerationModel
    from transformers.modeling_utils import no_init_weights  # pyright: ignore[reportAttributeAccessIssue]

    config = AceStepConfig(is_turbo=True, **_sizes(model.config))
    config._attn_implementation = "sdpa"
    with no_init_weights():
        peer = AceStepConditionGenerationModel(config)
    _assign(peer, dict(model.state_dict()))
    return peer.eval()


def _sizes(config: DiTConfig) -> dict[str, Any]:
    return {
        "hidden_size": config.decoder.hidden_size,
        "intermediate_size": config.decoder.intermediate_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.decoder.heads,
        "num_key_value_heads": config.decoder.kv_heads,
        "head_dim": config.decoder.head_dim,
        "fsq_dim": config.encoder.hidden_size,
        "num_lyric_encoder_hidden_layers": config.lyric_layers,
        "num_timbre_encoder_hidden_layers": config.timbre_layers,
        "num_attention_pooler_hidden_layers": config.pooler_layers,
        "text_hidden_dim": config.text_hidden_size,
    }


def _vae(vae: Oobleck) -> Any:
    peer = diffusers_vae()  # as its `_load_vae_model` has it
    _assign(peer, unfold_weight_norm(vae.state_dict()))
    return peer


def _assign(peer: torch.nn.Module, weights: dict[str, Tensor]) -> None:
    """Share these weights with an official module.

    Raises:
        RuntimeError: it has others.
    """
    missing, unexpected = peer.load_state_dict(weights, strict=False, assign=True)
    if unexpected or any(not set(key.split(".")) & set(_MADE) for key in missing):
        raise RuntimeError(f"the official module differs: {missing} missing, {unexpected} more")
