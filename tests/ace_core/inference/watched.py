"""Runs of `generate_music` with what reached the models, and the register of tests per field."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn

from ace_core.conditioning.text import TextEncoder
from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    GenerationResult,
    LLMHandler,
    generate_music,
    music,
)
from ace_core.lm import decoding, functions

from .conftest import ONE, QUICK

CODES = "".join(f"<|audio_code_{code}|>" for code in range(100, 150))  # 10 s
PLANNING: dict[str, Any] = {"thinking": True, "use_cot_caption": False}  # the miniature rambles
PLANNING_ALONE = {**PLANNING, "audio_codes": CODES}  # codes are given, none are written

CHANGED: dict[str, list[str]] = {}  # field: tests that change it alone
LEFT_OPEN: dict[str, list[str]] = {}  # field: tests that leave it open
Test = TypeVar("Test", bound=Callable[..., None])


def changes(*names: str) -> Callable[[Test], Test]:
    """Registers the test as one that sees the documented effect of the fields `names`."""
    return _registered(CHANGED, names)


def leaves_open(*names: str) -> Callable[[Test], Test]:
    """Registers the test as one that sees what the fields `names` do when they are not given."""
    return _registered(LEFT_OPEN, names)


def _registered(register: dict[str, list[str]], names: tuple[str, ...]) -> Callable[[Test], Test]:
    def decorate(test: Test) -> Test:
        for name in names:
            register.setdefault(name, []).append(test.__name__)
        return test

    return decorate


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward of the diffusion model."""

    t: float
    x: Tensor  # [B, T, C]
    context: Tensor  # [1 or B, T, 2C]
    velocity: Tensor  # [B, T, C]


@dataclass(frozen=True, slots=True)
class Writing:
    """One decoding run of the language model."""

    prompts: tuple[str, ...]
    uncond_prompts: tuple[str, ...]
    tokens: list[list[int]]


@dataclass
class Run:
    """A result, the parameters as the run left them, and what was computed."""

    params: GenerationParams
    result: GenerationResult = field(default_factory=GenerationResult)
    prompts: list[str] = field(default_factory=list)  # of the text encoder
    lyric_prompts: list[str] = field(default_factory=list)
    forwards: list[Forward] = field(default_factory=list)
    writings: list[Writing] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)  # of the language model, at each draw
    drawn: list[Tensor] = field(default_factory=list)  # columns of `logits`

    @property
    def status(self) -> str:
        return self.result.status_message

    @property
    def latents(self) -> Tensor:
        assert self.result.success, self.result.error
        return self.result.extra_outputs["latents"]

    @property
    def found(self) -> dict[str, Any]:
        """What the language model settled on."""
        return self.result.extra_outputs["lm_metadata"]

    @property
    def times(self) -> list[float]:
        """The flow times of the forwards, in their order."""
        return [forward.t for forward in self.forwards]

    def item(self, index: int = 0) -> dict[str, Any]:
        """The `params` of a song."""
        return self.result.audios[index]["params"]

    def sound(self, index: int = 0) -> Tensor:
        return self.result.audios[index]["tensor"]


def stand_in(models: Any, latents: Tensor, *_: Any) -> Tensor:
    """In place of the VAE where nobody hears the sound: latents as 1,920 samples each."""
    return latents[..., :2].transpose(1, 2).repeat_interleave(1920, dim=-1)


class Runs:
    """Makes songs on the miniature; equal requests are run once."""

    def __init__(self, turbo: AceStepHandler, base: AceStepHandler, lm: LLMHandler) -> None:
        self.handlers = {"turbo": turbo, "base": base}
        self.lm = lm
        self._kept: dict[str, Run] = {}

    def __call__(
        self,
        model: str = "turbo",
        config: GenerationConfig = ONE,
        save_dir: str | None = None,
        decoded: bool = False,
        **fields: Any,
    ) -> Run:
        """A song of ten seconds in one step with changed `fields`; `decoded` by the VAE."""
        key = repr((model, config, save_dir, decoded, sorted(fields.items())))
        if key not in self._kept:
            run = Run(replace(QUICK, **fields))
            self._make(run, model, config, save_dir, decoded)
            self._kept[key] = run
        return self._kept[key]

    def again(self, model: str = "turbo", config: GenerationConfig = ONE, **fields: Any) -> Run:
        """The same, run anew."""
        run = Run(replace(QUICK, **fields))
        self._make(run, model, config, None, False)
        return run

    def _make(
        self, run: Run, model: str, config: GenerationConfig, save_dir: str | None, decoded: bool
    ) -> None:
        handler = self.handlers[model]
        with pytest.MonkeyPatch.context() as patch:
            _watch_texts(patch, run)
            _watch_writing(patch, run)
            if not decoded:
                patch.setattr(music, "decode_audio", stand_in)
            hook = handler.service.models.dit.decoder.register_forward_hook(_seen_by(run))
            try:
                run.result = generate_music(handler, self.lm, run.params, config, save_dir)
            finally:
                hook.remove()


def _seen_by(run: Run) -> Callable[[nn.Module, tuple[Any, ...], Tensor], None]:
    def seen(_: nn.Module, given: tuple[Any, ...], velocity: Tensor) -> None:
        x, t, context, _ = given
        run.forwards.append(Forward(float(t[0]), x.clone(), context.clone(), velocity.clone()))

    return seen


def _watch_texts(patch: pytest.MonkeyPatch, run: Run) -> None:
    states, embeddings = TextEncoder.states, TextEncoder.embeddings

    def watched_states(self: TextEncoder, prompt: str) -> Tensor:
        run.prompts.append(prompt)
        return states(self, prompt)

    def watched_embeddings(self: TextEncoder, lyrics: str) -> Tensor:
        run.lyric_prompts.append(lyrics)
        return embeddings(self, lyrics)

    patch.setattr(TextEncoder, "states", watched_states)
    patch.setattr(TextEncoder, "embeddings", watched_embeddings)


def _watch_writing(patch: pytest.MonkeyPatch, run: Run) -> None:
    decode, sample_token = functions.decode, decoding.sample_token

    def watched_decode(lm: Any, requests: Any, *given: Any, **named: Any) -> list[list[int]]:
        tokens = decode(lm, requests, *given, **named)
        texts = [
            tuple(lm.vocabulary.decode(list(prompt or ())) for prompt in prompts)
            for prompts in zip(*((r.prompt, r.uncond_prompt) for r in requests), strict=True)
        ]
        run.writings.append(Writing(texts[0], texts[1], tokens))
        return tokens

    def watched_draw(logits: Tensor, *given: Any) -> Tensor:
        columns = sample_token(logits, *given)
        run.logits.append(logits.clone())
        run.drawn.append(columns)
        return columns

    patch.setattr(functions, "decode", watched_decode)
    patch.setattr(decoding, "sample_token", watched_draw)


def after_source(run: Run) -> list[Tensor]:
    """The source's half [T, C] of each forward's context."""
    return [forward.context[0, :, : forward.x.shape[-1]] for forward in run.forwards]


def same(one: Run, other: Run) -> bool:
    """Whether both made the same songs, bit for bit."""
    return torch.equal(one.latents, other.latents)
