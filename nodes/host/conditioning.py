"""Between the core's `Conditioning` and the host's CONDITIONING, and how conditions are batched.

A CONDITIONING is a list of pairs (text states, dictionary). The text and the lyrics lie where the
host's own ACE-Step nodes put them, so stock nodes and ours mix; what the host has no word for lies
under `KEY`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import comfy.conds
import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.constants import LATENT_CHANNELS, TIMBRE_FRAMES
from ...ace_core.errors import InvalidRequestError
from ...ace_core.sampling.repaint import Preservation
from ...ace_core.types import AudioCodes, Conditioning

GUARD: Final = "ace_task"  # among the conditions of a model: what only our model answers
KEY: Final = "ace_step"  # dict: the task's fields, silence, variations, handling
_TASK_FIELDS = ("frames", "source", "mask", "timbre", "codes", "quantize", "hole", "unheard")


@dataclass(frozen=True, slots=True, eq=False)
class Handling:
    """What a task asks of the sampling, beside what the model hears."""

    task: str = ""  # its name
    cover_strength: float = 1.0  # share of the steps that hear the source
    free: Tensor | None = None  # [1, L, 1024] the text of the steps that do not
    source_strength: float = 0.0  # how much of the source is in the starting noise
    keep: Preservation | None = None  # of the source outside the mask


PLAIN: Final = Handling()


def conditioning(
    item: Conditioning,
    silence: Tensor,
    variations: Sequence[AudioCodes] = (),
    handling: Handling = PLAIN,
) -> list:
    """The host's CONDITIONING for one task; `silence` [1, S, C] serves models that carry none.

    Several `variations` are one for each item of the batch, in the place of the task's codes.
    """
    task = {name: getattr(item, name) for name in _TASK_FIELDS} | {"handling": handling}
    extras = {
        "pooled_output": None,
        "conditioning_lyrics": _resting(item.lyrics),
        KEY: {**task, "silence": silence, "variations": tuple(variations)},
    }
    if item.codes is not None:
        extras["audio_codes"] = [list(item.codes.values)]
    if len(variations) > 1 or not _is_plain(item, handling):
        extras["model_conds"] = {GUARD: OnlyOurs(handling.task)}
    return [[_resting(item.text), extras]]


def _is_plain(item: Conditioning, handling: Handling) -> bool:
    """Whether the host's own model hears all of the task: words and codes, and nothing else."""
    asked = (item.source, item.mask, item.timbre, handling.free, handling.keep)
    return all(each is None for each in asked) and handling.source_strength == 0


def null(positive: list) -> list:
    """The same task without its words: zeros, as the stock ConditioningZeroOut makes them."""
    return [
        [
            torch.zeros_like(text),
            {**extras, "conditioning_lyrics": torch.zeros_like(extras["conditioning_lyrics"])},
        ]
        for text, extras in positive
    ]


def with_timbre(positive: list, clip: Tensor) -> list:
    """The same task with one more reference clip [1, 750, C].

    Raises:
        InvalidRequestError: a conditioning that no task node of this pack made.
    """
    if any(KEY not in extras for _, extras in positive):
        raise InvalidRequestError(
            "The conditioning comes from no ACE-Step task. Connect the positive output of a task "
            "node."
        )
    return [
        [text, {**extras, **_guarded(extras), KEY: _more_timbre(extras[KEY], clip)}]
        for text, extras in positive
    ]


def _guarded(extras: dict[str, Any]) -> dict[str, Any]:
    task = extras[KEY]["handling"].task
    return {"model_conds": {**extras.get("model_conds", {}), GUARD: OnlyOurs(task)}}


def _more_timbre(task: dict[str, Any], clip: Tensor) -> dict[str, Any]:
    before = task["timbre"]
    return {**task, "timbre": clip if before is None else torch.cat([before, clip])}


def handling_of(entries: list) -> Handling:
    """What a CONDITIONING, as given or as the host converts it, asks of the sampling."""
    for entry in entries:
        extras = entry if isinstance(entry, dict) else entry[1]
        if KEY in extras:
            return extras[KEY]["handling"]
    return PLAIN


def task_name(positive: list) -> str:
    """Empty when no task node of this pack made it."""
    return handling_of(positive).task


def handling_lines(positive: list) -> list[str]:
    """What a task asks of the sampling, in words."""
    handling = handling_of(positive)
    said = []
    if handling.cover_strength < 1:
        said.append(f"cover strength: {handling.cover_strength:g} of the steps hear the source")
    if handling.source_strength > 0:
        said.append(f"source strength: {handling.source_strength:g} of the source at the start")
    keep = handling.keep
    if keep is not None and (keep.injection or keep.blend_frames):
        said.append(
            f"kept outside the region: in {keep.injection:.0%} of the steps, blended over "
            f"{keep.blend_frames} frames"
        )
    return said


def canvas(frames: int, batch: int) -> dict[str, Any]:
    """An empty LATENT, [B, C, T]."""
    device = comfy.model_management.intermediate_device()
    return {
        "samples": torch.zeros(batch, LATENT_CHANNELS, frames, device=device),
        "type": "audio",
    }


def task_of(given: dict[str, Any], like: Tensor) -> tuple[Conditioning, Tensor | None]:
    """One entry of a CONDITIONING back as the core's value, and the silence it carries.

    `given` is the entry's dictionary as the host hands it to a model; `like` [B, C, T] is the
    latent that it is for.
    """
    task = given.get(KEY, {})
    frames = like.shape[-1]
    if task and task["frames"] != frames:
        raise InvalidRequestError(
            f"The latent has {frames} frames, but the task was made for {task['frames']}. Connect "
            "the latent of the same task node to the sampler."
        )
    item = Conditioning(
        text=given["cross_attn"],
        lyrics=given["conditioning_lyrics"],
        frames=frames,
        timbre=task.get("timbre") if task else _stock_timbre(given),
        source=task.get("source"),
        mask=task.get("mask"),
        codes=task.get("codes") if task else _stock_codes(given),
        quantize=task.get("quantize", False),
        hole=task.get("hole", False),
        unheard=task.get("unheard", False),
    )
    return item, task.get("silence")


def free_of(given: dict[str, Any], item: Conditioning) -> tuple[Conditioning, float] | None:
    """The item for the steps after the cover strength is spent, and that strength; or nothing.

    The negative keeps its silence: a text of zeros stays zeros.
    """
    handling: Handling = given.get(KEY, {}).get("handling", PLAIN)
    if handling.free is None or handling.cover_strength == 1:
        return None
    worded = bool(torch.count_nonzero(item.text))
    text = handling.free.to(item.text) if worded else torch.zeros_like(item.text)
    plain = replace(item, text=text, source=None, codes=None, quantize=False, hole=False)
    return plain, handling.cover_strength


def items_of(given: dict[str, Any], item: Conditioning, batch: int) -> list[Conditioning]:
    """`item` for the whole batch, or one for each when each has codes of its own.

    Raises:
        InvalidRequestError: there are more or fewer sources or variations of codes than items.
    """
    if item.source is not None and len(item.source) not in (1, batch):
        raise InvalidRequestError(
            f"The task was made for {len(item.source)} sources, but the latent has {batch} items. "
            "Connect the latent of the same task node to the sampler."
        )
    variations = given.get(KEY, {}).get("variations", ())
    if len(variations) < 2:
        return [item]
    if len(variations) != batch:
        raise InvalidRequestError(
            f"The task was made for {len(variations)} variations of codes, but the latent has "
            f"{batch} items. Connect the latent of the same task node to the sampler."
        )
    return [replace(item, codes=codes) for codes in variations]


def _stock_codes(given: dict[str, Any]) -> AudioCodes | None:
    """Codes of the stock text encode node, a list of lists of integers."""
    codes = given.get("audio_codes")
    return AudioCodes(tuple(codes[0])) if codes else None


def _stock_timbre(given: dict[str, Any]) -> Tensor | None:
    """The clip of the stock ReferenceTimbreAudio node, [B, C, T]: its first 30 s."""
    clips = given.get("reference_audio_timbre_latents")
    return clips[-1][:1, :, :TIMBRE_FRAMES].transpose(1, 2) if clips else None


def _resting(tensor: Tensor) -> Tensor:
    """Where and how the host keeps what waits between nodes."""
    return tensor.to(comfy.model_management.intermediate_device(), torch.float32)


class OnlyOurs(comfy.conds.CONDConstant):
    """Stands in a task's conditioning until our model, which knows the task, takes its place.

    A model that knows no tasks leaves it there; the host then asks it for its part of a batch.
    """

    def process_cond(self, batch_size: int, **kwargs: Any) -> Any:
        raise InvalidRequestError(
            f"The model that samples knows no ACE-Step tasks, so it would not hear this one "
            f"({self.cond or 'unnamed'}). Put ACE-Step Adopt Model between ComfyUI's loader and "
            "the sampler, or sample with ACE-Step Sampler."
        )


class CondMemory(comfy.conds.CONDList):
    """Tensors [B, ..., L, D] that every step reads, of which one place may stand for L equal ones.

    Attention to equal keys is their value whatever their number, so the one-token null condition
    and a long text share a batch although their lengths differ.
    """

    def process_cond(self, batch_size: int, **kwargs: Any) -> "CondMemory":
        if len(self.cond[0]) not in (1, batch_size):
            raise InvalidRequestError(
                f"The conditioning is for {len(self.cond[0])} items, but the latent has "
                f"{batch_size}. Make both with the same batch size."
            )
        rows = (batch_size, *[-1] * (self.cond[0].dim() - 1))
        return CondMemory([tensor.expand(rows) for tensor in self.cond])

    def can_concat(self, other: Any) -> bool:
        if not isinstance(other, CondMemory) or len(self.cond) != len(other.cond):
            return False
        mine, theirs = self.cond[0].shape, other.cond[0].shape
        lengths = {mine[-2], theirs[-2]}
        return mine[1:-2] == theirs[1:-2] and (len(lengths) == 1 or 1 in lengths)

    def concat(self, others: list["CondMemory"]) -> list[Tensor]:
        columns = zip(self.cond, *(other.cond for other in others), strict=True)
        return [_stacked(column) for column in columns]


def _stacked(tensors: tuple[Tensor, ...]) -> Tensor:
    length = max(tensor.shape[-2] for tensor in tensors)
    shape = (*[-1] * (tensors[0].dim() - 2), length, -1)
    return torch.cat([tensor.expand(shape) for tensor in tensors])
