"""Between the core's `Task` and the host's CONDITIONING, and how conditions are batched.

A CONDITIONING is a list of pairs (text states, dictionary). The text and the lyrics lie where the
host's own ACE-Step nodes put them, so stock nodes and ours mix; the whole task lies under `KEY`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import comfy.conds
import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.constants import TIMBRE_FRAMES
from ...ace_core.errors import InvalidRequestError
from ...ace_core.task import FlowEdit, Task
from ...ace_core.types import AudioCodes

GUARD: Final = "ace_task"  # among the conditions of a model: what only our model answers
KEY: Final = "ace_step"  # ours in CONDITIONING (a `HostTask`), in LATENT and on a MODEL


@dataclass(frozen=True, slots=True, eq=False)
class HostTask:
    """What a CONDITIONING carries beside text and lyrics, which stock nodes may have changed."""

    task: Task
    silence: Tensor  # [1, S, C], for models whose files hold none
    variations: tuple[AudioCodes, ...] = ()  # several: one for each item, instead of task.codes


def conditioning(task: Task, silence: Tensor, variations: Sequence[AudioCodes] = ()) -> list:
    """The host's CONDITIONING for one task; `silence` [1, S, C] serves models that carry none.

    Several `variations` are one per item of the batch, instead of the task's codes.
    """
    task = _on_intermediate_device(task)
    extras: dict[str, Any] = {
        "pooled_output": None,
        "conditioning_lyrics": task.lyrics,
        KEY: HostTask(task, silence, tuple(variations)),
    }
    if task.codes is not None:
        extras["audio_codes"] = [list(task.codes.values)]
    if len(variations) > 1 or not _is_plain(task):
        extras["model_conds"] = {GUARD: OnlyOurs(task.name)}
    return [[task.text, extras]]


def _is_plain(task: Task) -> bool:
    """Whether the host's own model can do all of the task: text, lyrics and codes, no more."""
    beyond = (task.source, task.mask, task.timbre, task.without_source(), task.keep, task.edit)
    return all(each is None for each in beyond) and task.source_strength == 0


def unconditional(positive: list) -> list:
    """The same task with zeros for text and lyrics, as the stock ConditioningZeroOut makes them."""
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
    guard = OnlyOurs(extras[KEY].task.name)
    return {"model_conds": {**extras.get("model_conds", {}), GUARD: guard}}


def _more_timbre(entry_task: HostTask, clip: Tensor) -> HostTask:
    before = entry_task.task.timbre
    clips = clip if before is None else torch.cat([before, clip])
    return replace(entry_task, task=replace(entry_task.task, timbre=clips))


def host_task(entries: list) -> HostTask | None:
    """What a CONDITIONING carries, as given or as the host converts it; None: no task of ours."""
    for entry in entries:
        extras = entry if isinstance(entry, dict) else entry[1]
        if KEY in extras:
            return extras[KEY]
    return None


def source_strength(entries: list) -> float:
    """How much of the source a run starts from, 0 to 1."""
    entry_task = host_task(entries)
    return 0.0 if entry_task is None else entry_task.task.source_strength


def task_name(positive: list) -> str:
    """Empty when no task node of this pack made it."""
    entry_task = host_task(positive)
    return "" if entry_task is None else entry_task.task.name


def task_warnings(positive: list) -> list[str]:
    """What the model does not read of the song."""
    entry_task = host_task(positive)
    return [] if entry_task is None else list(entry_task.task.warnings)


def task_lines(positive: list) -> list[str]:
    """What a task asks of the sampling, as lines of text."""
    entry_task = host_task(positive)
    if entry_task is None:
        return []
    task, said = entry_task.task, []
    if task.cover_strength < 1:
        seen = "source" if task.codes is None else "codes"
        said.append(
            f"cover strength: {task.cover_strength:g} of the steps are conditioned on the {seen}"
        )
    if task.source_strength > 0:
        said.append(f"source strength: {task.source_strength:g} of the source at the start")
    if task.edit is not None:
        window = task.edit.window
        draws = "1 draw" if window.n_avg == 1 else f"{window.n_avg} draws"
        said.append(
            f"morph: the words are exchanged from {window.n_min:g} to {window.n_max:g} of the "
            f"steps, {draws} per step"
        )
    keep = task.keep
    if keep is not None and (keep.injection or keep.blend_frames):
        said.append(
            f"kept outside the region: in {keep.injection:.0%} of the steps, blended over "
            f"{keep.blend_frames} frames"
        )
    return said


def task_of(given: dict[str, Any], like: Tensor) -> tuple[Task, Tensor | None]:
    """One entry of a CONDITIONING back as the core's value, and the silence it carries.

    `given` is the entry's dictionary as the host hands it to a model; `like` [B, C, T] is the
    latent that it is for. Text and lyrics are the entry's own, which stock nodes may have changed.
    The negative stays without text: a text of zeros has zeros where it has no source, too.
    """
    entry_task: HostTask | None = given.get(KEY)
    frames, text, lyrics = like.shape[-1], given["cross_attn"], given["conditioning_lyrics"]
    if entry_task is None:
        codes, timbre = _stock_codes(given), _stock_timbre(given)
        return Task(text, lyrics, frames, codes=codes, timbre=timbre), None
    if entry_task.task.frames != frames:
        raise InvalidRequestError(
            f"The latent has {frames} frames, but the task was made for {entry_task.task.frames}. "
            "Connect the latent of the same task node to the sampler."
        )
    without = entry_task.task.text_without_source
    if without is not None:
        without = without.to(text) if torch.count_nonzero(text) else torch.zeros_like(text)
    edit = entry_task.task.edit
    if edit is not None and not torch.count_nonzero(text):
        edit = replace(edit, text=torch.zeros_like(edit.text), lyrics=torch.zeros_like(edit.lyrics))
    words = {"text": text, "lyrics": lyrics, "text_without_source": without, "edit": edit}
    task = replace(entry_task.task, **words)
    return task, entry_task.silence


def items_of(given: dict[str, Any], item: Task, batch: int) -> list[Task]:
    """`item` for the whole batch, or one for each when each has codes of its own.

    Raises:
        InvalidRequestError: there are more or fewer sources or variations of codes than items.
    """
    if item.source is not None and len(item.source) not in (1, batch):
        raise InvalidRequestError(
            f"The task was made for {len(item.source)} sources, but the latent has {batch} items. "
            "Connect the latent of the same task node to the sampler."
        )
    entry_task: HostTask | None = given.get(KEY)
    variations = () if entry_task is None else entry_task.variations
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


def _on_intermediate_device(task: Task) -> Task:
    """`task` with text and lyrics on the host's intermediate device, in float32."""
    device = comfy.model_management.intermediate_device()
    names = ("text", "lyrics", "text_without_source")
    embeddings = {name: getattr(task, name) for name in names}
    moved = {name: t.to(device, torch.float32) for name, t in embeddings.items() if t is not None}
    return replace(task, **moved, edit=task.edit and _edit_on(task.edit, device))


def _edit_on(edit: FlowEdit, device: Any) -> FlowEdit:
    text, lyrics = (each.to(device, torch.float32) for each in (edit.text, edit.lyrics))
    return replace(edit, text=text, lyrics=lyrics)


class OnlyOurs(comfy.conds.CONDConstant):
    """Stands in a task's conditioning until our model, which knows the task, replaces it.

    A model that knows no tasks leaves it there; the host then asks it for its part of a batch.
    """

    def process_cond(self, batch_size: int, **kwargs: Any) -> Any:
        raise InvalidRequestError(
            f"The model that samples knows no ACE-Step tasks, so it cannot do this one "
            f"({self.cond or 'unnamed'}). Put ACE-Step Adopt Model between ComfyUI's loader and "
            "the sampler, or sample with ACE-Step Sampler."
        )


class CondKV(comfy.conds.CONDList):
    """Keys and values [B, ..., L, D] of every layer; one may stand for L equal ones.

    Attention to equal keys is their value whatever their number, so the one-token null condition
    and a long text share a batch although their lengths differ.
    """

    def process_cond(self, batch_size: int, **kwargs: Any) -> "CondKV":
        if len(self.cond[0]) not in (1, batch_size):
            raise InvalidRequestError(
                f"The conditioning is for {len(self.cond[0])} items, but the latent has "
                f"{batch_size}. Make both with the same batch size."
            )
        rows = (batch_size, *[-1] * (self.cond[0].dim() - 1))
        return CondKV([tensor.expand(rows) for tensor in self.cond])

    def can_concat(self, other: Any) -> bool:
        if not isinstance(other, CondKV) or len(self.cond) != len(other.cond):
            return False
        mine, theirs = self.cond[0].shape, other.cond[0].shape
        lengths = {mine[-2], theirs[-2]}
        return mine[1:-2] == theirs[1:-2] and (len(lengths) == 1 or 1 in lengths)

    def concat(self, others: list["CondKV"]) -> list[Tensor]:
        columns = zip(self.cond, *(other.cond for other in others), strict=True)
        return [_stacked(column) for column in columns]


def _stacked(tensors: tuple[Tensor, ...]) -> Tensor:
    length = max(tensor.shape[-2] for tensor in tensors)
    shape = (*[-1] * (tensors[0].dim() - 2), length, -1)
    return torch.cat([tensor.expand(shape) for tensor in tensors])
