"""Our own code broken on purpose, one thing at a time, where only music can tell.

`python -m tests.music.broken` measures what each comes to and keeps it in `reached.json`; which of
them are heard with the weights of today is found there.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import mul
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from torch import Tensor

from ace_core import prompts
from ace_core.conditioning import context, tasks
from ace_core.models import attention, dit
from ace_core.models.acestep import ConditionEncoder
from ace_core.models.codes import Quantizer
from ace_core.sampling import guidance, recipe
from ace_core.sampling.recipe import Recipe
from ace_core.types import Song
from tests.music.forms import REACHED
from tools.miniature.claims.figure import QUICK, Figure
from tools.miniature.claims.kept import Heard, heard_most, reached, write_broken
from tools.miniature.claims.music import Family, written
from tools.miniature.claims.table import GROUPS

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that is broken; `kind` is what it stands for, of which one at least has to be
    heard, and `group` the claims that listen."""

    kind: str
    group: str
    apply: Callable[[Patch], None]

    def figures(self, family: Family) -> list[Figure]:
        """What the claims come to while it is broken, of which nothing is kept for others."""
        with pytest.MonkeyPatch.context() as patch:
            self.apply(patch)
            return GROUPS[self.group].measure(replace(family), QUICK)


def mask_upside_down(patch: Patch) -> None:
    _wrap(patch, tasks, "repaint", lambda real, *given: real(*given[:3], 1 - given[3]))


def mask_upside_down_for_the_model(patch: Patch) -> None:
    def hidden(real: Callable[..., Tensor], task: Any, silence: Tensor) -> Tensor:
        turned = None if task.mask is None else 1 - task.mask
        return real(replace(task, mask=turned), silence)

    _wrap(patch, context, "unquantized_source", hidden)


def last_step_missing(patch: Patch) -> None:
    _wrap(patch, Recipe, "schedule", lambda real, *given: real(*given)[:-1])


def first_step_missing(patch: Patch) -> None:
    _wrap(patch, Recipe, "schedule", lambda real, *given: real(*given)[1:])


def times_of_another_shift(patch: Patch) -> None:
    _wrap(patch, recipe, "timesteps", lambda real, steps, shift: real(steps, 1 / shift))


def times_turned(patch: Patch) -> None:
    def turned(real: Callable[..., Any], self: Any, t: Tensor, dtype: torch.dtype) -> Any:
        return real(self, 1 - t, dtype)

    _wrap(patch, dit.TimestepEmbedding, "forward", turned)


def times_not_in_thousandths(patch: Patch) -> None:
    patch.setattr(dit, "TIME_SCALE", 1.0)


def codes_reversed(patch: Patch) -> None:
    _wrap(patch, context, "code_hints", _with_codes(lambda values: values[::-1]))


def codes_exchanged_in_pairs(patch: Patch) -> None:
    def exchanged(values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(values[min(place ^ 1, len(values) - 1)] for place in range(len(values)))

    _wrap(patch, context, "code_hints", _with_codes(exchanged))


def codes_one_late(patch: Patch) -> None:
    _wrap(patch, context, "code_hints", _with_codes(lambda values: (values[-1], *values[:-1])))


def digits_reversed(patch: Patch) -> None:
    """The first digit of a code that is decoded has the highest place value."""

    def basis(self: Quantizer, like: Tensor) -> Tensor:
        values = list(accumulate((1, *self.levels[:0:-1]), mul))
        return torch.tensor(values[::-1], device=like.device)

    def embed(real: Callable[..., Tensor], self: Quantizer, codes: Tensor) -> Tensor:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Quantizer, "_basis", basis)
            return real(self, codes)

    _wrap(patch, Quantizer, "embed", embed)


def guidance_turned(patch: Patch) -> None:
    patch.setattr(guidance, "cfg", lambda cond, uncond, scale: uncond - scale * (cond - uncond))


def guidance_away_from_the_condition(patch: Patch) -> None:
    patch.setattr(guidance, "cfg", lambda cond, uncond, scale: cond - scale * (cond - uncond))


def lyrics_and_timbre_exchanged(patch: Patch) -> None:
    """Each is read by the encoder of the other."""
    _wrap(
        patch,
        ConditionEncoder,
        "forward",
        lambda real, self, text, lyrics, timbre: real(self, text, timbre, lyrics),
    )


def timbre_packed_before_lyrics(patch: Patch) -> None:
    def packed(self: ConditionEncoder, text: Tensor, lyrics: Tensor, timbre: Tensor) -> Tensor:
        vectors = self.timbre_encoder(timbre).unsqueeze(0)
        return torch.cat((vectors, self.lyric_encoder(lyrics), self.text_projector(text)), dim=1)

    patch.setattr(ConditionEncoder, "forward", packed)


def instruction_of_text_to_music(patch: Patch) -> None:
    patch.setattr(prompts, "COVER", prompts.TEXT_TO_MUSIC)


def instruction_of_lego(patch: Patch) -> None:
    patch.setattr(prompts, "extract_instruction", prompts.lego_instruction)


def instruction_for_another_track(patch: Patch) -> None:
    other = {"drums": "bass", "bass": "keyboard", "keyboard": "synth", "synth": "drums"}
    _wrap(patch, prompts, "extract_instruction", lambda real, track: real(other[track]))


def metadata_not_told(patch: Patch) -> None:
    _wrap(patch, prompts, "metadata_lines", lambda real, song, seconds: real(Song("-"), seconds))


def source_scaled(patch: Patch) -> None:
    _wrap(patch, context, "unquantized_source", lambda real, *given: 0.2 * real(*given))


def source_late(patch: Patch) -> None:
    _wrap(patch, context, "unquantized_source", lambda real, *given: real(*given).roll(3, 1))


def silence_late(patch: Patch) -> None:
    def late(real: Callable[..., Tensor], silence: Tensor, frames: int) -> Tensor:
        return real(silence.roll(3, 1), frames)

    _wrap(patch, context, "silence_frames", late)


def positions_of_another_base(patch: Patch) -> None:
    def other(real: Callable[..., Any], positions: Tensor, size: Any, dtype: torch.dtype) -> Any:
        return real(positions, replace(size, rope_theta=100.0), dtype)

    for module in (attention, dit):
        _wrap(patch, module, "rotary_embedding", other)


def rotation_backwards_by_other_halves(patch: Patch) -> None:
    """Even and odd places are the two coordinates, as in other models."""

    def rotate(x: Tensor, rope: attention.Rope) -> Tensor:
        cos, sin = rope
        even, odd = x[..., ::2], x[..., 1::2]
        half = cos[..., : sin.shape[-1]]
        return torch.stack((even * half - odd * sin, odd * half + even * sin), dim=-1).flatten(-2)

    patch.setattr(attention, "rotate", rotate)


def window_in_no_layer(patch: Patch) -> None:
    patch.setattr(dit, "sliding_window", lambda x, radius: None)


def frames_of_a_patch_exchanged(patch: Patch) -> None:
    def exchanged(real: Callable[..., Tensor], *given: Any) -> Tensor:
        return real(*given).unflatten(1, (-1, 2)).flip(2).flatten(1, 2)

    _wrap(patch, dit.DiT, "_unpatchify", exchanged)


def every_seed_the_same(patch: Patch) -> None:
    _wrap(patch, recipe, "_draws", lambda real, seeds, *sizes: real([0] * len(seeds), *sizes))


BREAKS: Final = {
    "a repaint's mask upside down": Break("mask", "repaint", mask_upside_down),
    "the same, only for what the model sees": Break(
        "mask", "repaint", mask_upside_down_for_the_model
    ),
    "a schedule that ends a step before 0": Break("schedule", "codes", last_step_missing),
    "a schedule that begins a step late": Break("schedule", "codes", first_step_missing),
    "shift 1/3 in place of 3": Break("schedule", "codes", times_of_another_shift),
    "the model is told 1 - t": Break("schedule", "codes", times_turned),
    "the model is told t, not 1000 t": Break("schedule", "codes", times_not_in_thousandths),
    "codes from the last to the first": Break("codes", "codes", codes_reversed),
    "codes exchanged in pairs": Break("codes", "codes", codes_exchanged_in_pairs),
    "codes 0.2 s late": Break("codes", "codes", codes_one_late),
    "digits of a code read in the other order": Break("digits", "codes", digits_reversed),
    "guidance's sign turned": Break("guidance", "base", guidance_turned),
    "guidance away from the condition": Break("guidance", "base", guidance_away_from_the_condition),
    "lyrics and timbre exchanged": Break("conditions", "turbo", lyrics_and_timbre_exchanged),
    "timbre packed before lyrics": Break("conditions", "turbo", timbre_packed_before_lyrics),
    "another track in the instruction to extract": Break(
        "instruction", "extract", instruction_for_another_track
    ),
    "the instruction of lego to extract": Break("instruction", "extract", instruction_of_lego),
    "the instruction of text to music for codes": Break(
        "instruction", "codes", instruction_of_text_to_music
    ),
    "the same for a cover": Break("instruction", "cover", instruction_of_text_to_music),
    "tempo, key and meter not told": Break("metadata", "turbo", metadata_not_told),
    "the source 0.12 s late": Break("source", "cover", source_late),
    "the source at a fifth of its height": Break("source", "cover", source_scaled),
    "the silence latent 0.12 s late": Break("silence", "turbo", silence_late),
    "rotary positions of base 100": Break("positions", "codes", positions_of_another_base),
    "rotary halves taken as even and odd": Break(
        "positions", "codes", rotation_backwards_by_other_halves
    ),
    "no layer with a sliding window": Break("window", "codes", window_in_no_layer),
    "the two frames of a patch exchanged": Break("patches", "codes", frames_of_a_patch_exchanged),
    "every seed the same": Break("seeds", "seeds", every_seed_the_same),
}


def listened(family: Family) -> Iterator[tuple[str, Heard]]:
    """Each break by its name with the claim that hears it best."""
    for name, each in BREAKS.items():
        yield name, heard_most(reached(REACHED, "quick", each.group), each.figures(family))


def _with_codes(change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Callable[..., Tensor]:
    def changed(real: Callable[..., Tensor], model: Any, codes: Any, like: Tensor) -> Tensor:
        return real(model, replace(codes, values=change(codes.values)), like)

    return changed


def _wrap(patch: Patch, owner: Any, name: str, around: Callable[..., Any]) -> None:
    """`around` in place of a function, which it is handed first."""
    real = getattr(owner, name)
    patch.setattr(owner, name, lambda *given: around(real, *given))


def main() -> None:
    found = {}
    with tempfile.TemporaryDirectory() as out:
        for name, heard in listened(written(Path(out))):
            found[name] = heard
            print(heard.row(name), flush=True)  # noqa: T201  a command
    write_broken(REACHED, found)


if __name__ == "__main__":
    main()
