"""What a repaint is held to: outside bit for bit as before, inside new, in key and beat, without a
click where they meet."""

from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

import torch
from torch import Tensor

from ace_core.audio.splice import splice
from ace_core.conditioning import tasks
from ace_core.constants import SAMPLE_RATE
from ace_core.pipeline import Models, decode_audio, sample
from ace_core.sampling.repaint import RepaintMode, preservation
from ace_core.sources import RepaintCanvas, place_region, prepare_source

from ..evaluation.key import in_key
from ..evaluation.likeness import kept
from ..evaluation.sound import CLICK, audio_of, click
from ..evaluation.strokes import roll_of
from ..evaluation.tempo import on_grid
from ..world.request import Request
from .asked import requests, song
from .figure import Extent, Figure
from .music import Family, How, latent, length, recipe, truths

REGION: Final = (0.35, 0.65)  # of the piece
KEEP: Final = preservation(RepaintMode.CONSERVATIVE)
IN_TIME: Final = 0.9  # share of the strokes on the grid; pieces of other requests come to 0.41
IN_KEY: Final = 0.9  # share of the notes in the key; others come to 0.63
NEW: Final = 0.7  # share of the strokes that may be those of before


@dataclass(frozen=True, slots=True, eq=False)
class Repaint:
    """One repaint: `latents` [1, T, 64], the region in frames, and the source."""

    request: Request
    source: Tensor  # [T, 64], a roll
    latents: Tensor
    canvas: RepaintCanvas
    first: int
    stop: int

    def outside_equal(self) -> bool:
        """Whether all frames beyond the ramps are the source's, bit for bit."""
        ramp = KEEP.blend_frames
        before, after = slice(0, self.first - ramp), slice(self.stop + ramp, None)
        truth = latent(self.source)
        return all(torch.equal(self.latents[:, part], truth[:, part]) for part in (before, after))

    def is_new(self) -> bool:
        same, total = kept(self.inside(self.source), self.inside(roll_of(self.latents[0])))
        return same < NEW * total

    def fits(self) -> bool:
        """Whether the new music is in time and in key; chords held from before do not begin
        there."""
        roll, inside = roll_of(self.latents[0]), slice(self.first, self.stop)
        time = on_grid(roll, self.request, inside)
        notes = in_key(roll, self.request.key, inside)
        return time is not None and time >= IN_TIME and (notes is None or notes >= IN_KEY)

    def inside(self, roll: Tensor) -> Tensor:
        """The region of a roll, silent elsewhere."""
        alone = torch.zeros_like(roll)
        alone[self.first : self.stop] = roll[self.first : self.stop]
        return alone

    def seams_and_samples(self, models: Models) -> tuple[bool, bool, bool]:
        """Whether each seam is without a click, and the samples beyond the crossfade are the
        source's bit for bit."""
        kept_source = self.canvas.splice(KEEP)
        if kept_source is None:
            raise ValueError("a conservative repaint splices its source")
        audio = splice(decode_audio(models, self.latents), kept_source)
        first, last = (click(audio[0], edge) <= CLICK for edge in self.canvas.spans[0])
        fade = int(kept_source.crossfade * SAMPLE_RATE)
        start, end = (int(edge * SAMPLE_RATE) for edge in self.canvas.spans[0])
        source = self.canvas.source.audio
        beyond = (slice(0, start - fade), slice(end + fade, source.shape[-1]))
        equal = all(torch.equal(audio[..., part], source[..., part]) for part in beyond)
        return first, last, equal


def repaint(models: Models, request: Request, seed: int, how: How) -> Repaint:
    """The middle of a request's piece, painted anew."""
    (truth,) = truths([request])
    source = prepare_source(audio_of(truth)[None], SAMPLE_RATE)
    start, end = (share * request.seconds for share in REGION)
    canvas = place_region(source, start, end)
    task = tasks.repaint(song(request), models.text, length(request), canvas.mask)
    task = replace(task, source=latent(truth), keep=KEEP, splice=canvas.splice(KEEP))
    made = sample(models, task, recipe(replace(how, seed=seed)))
    places = canvas.mask[0, :, 0].nonzero().flatten()
    return Repaint(request, truth, made, canvas, int(places[0]), int(places[-1]) + 1)


def repaints(family: Family, extent: Extent) -> list[Figure]:
    """All of it on latents; seams and samples on the audio of the first few."""
    made = [
        repaint(family.turbo, each, extent.noise + place, How())
        for place, each in enumerate(requests(extent))
    ]
    seams = [
        count for each in made[: extent.decoded] for count in each.seams_and_samples(family.turbo)
    ]
    return [
        Figure("repaint: frames outside as before", fmean(e.outside_equal() for e in made), 1.0),
        Figure("repaint: inside new", fmean(each.is_new() for each in made), 0.95, chance=0.0),
        Figure(
            "repaint: inside in beat and key", fmean(each.fits() for each in made), 0.95, chance=0.1
        ),
        Figure("repaint: no click, samples outside as before", fmean(seams), 0.95, chance=0.0),
    ]
