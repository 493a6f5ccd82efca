"""Diffusers' pipeline on the toy model, for the parity cases in which it is right.

Both sides compute in float64. Its scheduler holds the times in float32, so ours are these times.

It has no XL timbre token, no shortest canvas, no extension of a source and no switch at a cover
strength, chooses other segments of references and keeps nothing of a source while it repaints.
Cases with these are compared without them, or not at all.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, cast

import torch
from torch import Tensor

from ace_core.models.qwen3 import Qwen3Config
from ace_core.pipeline import sample
from ace_core.sampling.dcw import DCW_OFF
from ace_core.sampling.guidance import Guidance
from ace_core.sampling.recipe import Recipe
from ace_core.sampling.schedules import timesteps
from ace_core.types import Variant
from tests.float64 import in_float64
from tests.oracle import AceStepPipeline, diffusers_of
from tests.rounding import difference
from tools.miniature.tokenizer import build_tokenizer as miniature_tokenizer

from . import ours, recipe
from .cases import BY_NAME, CODES, SCALE, SHIFT, SOURCE, STEPS, Case

COMPARABLE: Final = tuple(
    "text2music text2music_codes cover repaint lego lego_range extract complete".split()
)
UNSUPPORTED: Final = {
    "cover_short": "it has no shortest canvas",
    "repaint_left": "it cannot extend a source",
    "repaint_right": "it cannot extend a source",
}
END: Final = "<|endoftext|>"


def comparable_case(name: str) -> Case:
    """The case without what diffusers does differently."""
    case = BY_NAME[name]
    return replace(
        case,
        samples=SOURCE if case.samples else 0,
        codes=CODES + CODES[::2] if case.codes else (),  # 150 frames
        references=0,
        cover_strength=1.0,
    )


def turbo(name: str) -> float:
    return _error(name, Variant.TURBO)


def base(name: str) -> float:
    return _error(name, Variant.BASE)


CHECKS: Final[dict[str, Callable[[str], float]]] = {"turbo": turbo, "base": base}


@cache
def _error(name: str, variant: Variant) -> float:
    case = comparable_case(name)
    item = ours.task(case)
    noise = recipe.drawn("noise", (1, item.frames, recipe.CHANNELS)).double()
    steps = 8 if variant.distilled else STEPS
    sampling = Recipe(
        times=_in_single_precision(timesteps(steps, SHIFT)),
        guidance=None if variant.distilled else Guidance(scale=SCALE),
        dcw=DCW_OFF,  # diffusers has none
    )
    models = replace(ours.models("2b"), variant=variant)
    mine = sample(models, item, sampling, start=noise)
    return difference(mine, _theirs(case, noise, variant, steps))


def _in_single_precision(times: Sequence[float]) -> tuple[float, ...]:
    return tuple(torch.tensor(times, dtype=torch.float32).tolist())


def _theirs(case: Case, noise: Tensor, variant: Variant, steps: int | None) -> Tensor:
    pipeline, song = _pipeline(), case.song
    pipeline.is_turbo = variant.distilled
    waveform = recipe.audio(case.name, case.samples).double() if case.samples else None
    if waveform is not None:
        pipeline.vae.waveform = waveform
        pipeline.vae.latents = recipe.encode(waveform).double().transpose(1, 2)
    arguments: dict[str, Any] = {
        "prompt": song.caption,
        "lyrics": song.lyrics,
        "audio_duration": None if case.samples else song.seconds,
        "vocal_language": song.language or "unknown",
        "bpm": song.bpm,
        "keyscale": song.key,
        "timesignature": str(song.time_signature or ""),
        "task_type": case.task,
        "track_name": case.tracks[0] if case.tracks else None,
        "complete_track_classes": list(case.tracks),
        "src_audio": waveform,
        "audio_codes": "".join(f"<|audio_code_{code}|>" for code in case.codes) or None,
        "repainting_start": case.start,
        "repainting_end": case.end,
        "num_inference_steps": steps,
        "shift": SHIFT,
        "guidance_scale": 1.0 if variant.distilled else SCALE,
        "latents": noise,
        "output_type": "latent",
    }
    with in_float64():
        return pipeline(**arguments).audios


class _StandInVAE(torch.nn.Module):
    """Returns the latents of the source, under the methods that diffusers calls."""

    config = SimpleNamespace(sampling_rate=recipe.RATE, downsampling_ratios=(recipe.HOP,))
    dtype, device = torch.float64, torch.device("cpu")
    waveform: Tensor  # the source [2, N]
    latents: Tensor  # and its latents [1, C, T]

    def encode(self, audio: Tensor) -> Any:
        assert torch.equal(audio[0], self.waveform)
        latents = self.latents
        return SimpleNamespace(latent_dist=SimpleNamespace(sample=lambda: latents))


@cache
def _pipeline() -> Any:
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
        FlowMatchEulerDiscreteScheduler,
    )
    from transformers import PreTrainedTokenizerFast

    with in_float64():
        parts = diffusers_of(ours.models("2b").dit)
    parts.encoder.silence_latent = recipe.silence().double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of diffusers about its own parts
        pipeline = AceStepPipeline(
            vae=cast(Any, _StandInVAE()),
            text_encoder=_text_encoder(),
            tokenizer=PreTrainedTokenizerFast(
                tokenizer_object=miniature_tokenizer(), pad_token=END
            ),
            transformer=parts.transformer,
            condition_encoder=parts.encoder,
            scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
            audio_tokenizer=parts.tokenizer,
            audio_token_detokenizer=parts.detokenizer,
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _text_encoder() -> Any:
    from transformers import Qwen3Model

    size = ours.text_config()
    with in_float64():
        model = Qwen3Model(_text_config(size))
    model.load_state_dict(ours.weights(model, "text"))
    return model.double().eval()


def _text_config(size: Qwen3Config) -> Any:
    from transformers import Qwen3Config as TheirConfig

    return TheirConfig(
        vocab_size=size.vocab_size,
        hidden_size=size.hidden_size,
        intermediate_size=size.intermediate_size,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        head_dim=size.head_dim,
        rms_norm_eps=size.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": size.rope_theta},
    )
