"""Takes of one song: judged by what was asked, and made one after the other until one fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io

from ..ace_core.audio.decoded import ENTRY, joined
from ..ace_core.constants import SEED_RANGE, TRIES_RANGE
from ..ace_core.errors import InvalidRequestError
from ..ace_core.latents import latent_samples
from ..ace_core.measure.criteria import YES_OR_NO, check_asked, parse_conditions
from ..ace_core.measure.fit import Fit, judge, ranked, ranking_lines
from ..ace_core.measure.measurement import measure
from ..ace_core.sampling.guidance import Guidance
from ..ace_core.sampling.recipe import Recipe, draw_seeds
from ..ace_core.types import Song
from .audio_preview import MIDDLE, OFF, make_preview, preview_inputs
from .node_text import node_text, warnings_first
from .run_sampler import run_sampler
from .seeds import CATEGORY
from .sockets import GuidanceSocket, SongSocket
from .typed import checked


def fit_lines(fits: Sequence[Fit], seeds: Sequence[int]) -> list[str]:
    """One line per take, the best first, of its score and the reason."""
    names = [
        f"item {item + 1}" + (f", seed {seeds[item]}" if item < len(seeds) else "")
        for item in range(len(fits))
    ]
    return ranking_lines([(fit.score, fit.text()) for fit in fits], names)


@dataclass(frozen=True, slots=True)
class _Take:
    seed: int
    latent: dict[str, Any]
    audio: dict[str, Any]
    fit: Fit
    lines: list[str]  # of the sampler's report


class AceStepTryUntilFit(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        fewest, most = TRIES_RANGE
        return io.Schema(
            node_id="AceStep15TryUntilFit",
            display_name="ACE-Step Try Until It Fits",
            category=CATEGORY,
            description="Samples take after take, each with a seed of its own, and measures it, "
            "until one keeps tempo, key or whatever is named. No take is lost.",
            search_aliases=["ace step", "retry", "best of", "tempo", "bpm", "key", "loop"],
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model, with LoRAs or without."),
                io.Sigmas.Input("sigmas", tooltip="From ACE-Step Schedule or a stock scheduler."),
                io.Conditioning.Input("positive", tooltip="The task, from its node."),
                io.Conditioning.Input("negative", tooltip="The unconditional task, for guidance."),
                io.Latent.Input(
                    "latent", tooltip="The latent of the task's node, with a batch size of 1."
                ),
                io.Vae.Input("vae", tooltip="Decodes each take, which is then measured."),
                SongSocket.Input("song", tooltip="What is asked for: tempo, key, length, meter."),
                io.String.Input(
                    "until",
                    default="tempo, key",
                    tooltip="What a take must keep, separated by commas: "
                    f"{', '.join(YES_OR_NO)}. The song must ask for what is compared.",
                ),
                io.Int.Input(
                    "tries",
                    default=4,
                    min=fewest,
                    max=most,
                    tooltip="Takes that are made at most.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    control_after_generate=True,
                    tooltip="Seed of the first take; the others are derived from it and listed in "
                    "the report. A seed gives the same take on ACE-Step Sampler.",
                ),
                GuidanceSocket.Input(
                    "guidance", optional=True, tooltip="Not connected: as the model was trained."
                ),
                io.Sampler.Input("solver", optional=True, tooltip="Not connected: Euler."),
                *(each for each in preview_inputs() if each.id != "vae"),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The best take."),
                io.Audio.Output(display_name="audio", tooltip="The best take, decoded."),
                io.Audio.Output(display_name="ranked", tooltip="All takes, the best first."),
                io.String.Output(
                    display_name="report", tooltip="All takes, the best first, and why."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, until: str | None) -> bool | str:
        return checked(parse_conditions, until)

    @classmethod
    def execute(
        cls,
        model,
        sigmas: torch.Tensor,
        positive: list,
        negative: list,
        latent: dict,
        vae,
        song: Song,
        until: str,
        tries: int,
        seed: int,
        guidance: Guidance | None = None,
        solver=None,
        preview_every: int = OFF,
        preview_at: float = MIDDLE,
    ) -> io.NodeOutput:
        from . import host

        weights = parse_conditions(until)
        check_asked(weights, song, "until")
        _check_single(latent)
        takes: list[_Take] = []
        for own in draw_seeds(tries, [seed], rng_seed=seed):
            preview = make_preview(latent, cls.hidden, vae, preview_every, preview_at)
            task, recipe = (positive, negative, latent), Recipe((own,))
            so_far = _report(takes, tries, until) if takes else ""
            with host.progress_heading(f"{so_far}\ntake {len(takes) + 1}".strip()):
                done, lines = run_sampler(model, sigmas, task, recipe, guidance, solver, preview)
                audio = host.decode(vae, done)
            host.check_interrupt()
            found = measure(audio["waveform"][0], audio["sample_rate"])
            takes.append(_Take(own, done, audio, judge(weights, song, found), lines))
            host.send_text(_report(takes, tries, until), cls.hidden)
            if takes[-1].fit.fits:
                break
        order = ranked([take.fit.score for take in takes])
        best = takes[order[0]]
        waveforms = torch.cat([takes[item].audio["waveform"] for item in order])
        report = "\n".join(warnings_first([_report(takes, tries, until), "", *best.lines]))
        origin = joined([takes[item].audio[ENTRY] for item in order])
        every = {**best.audio, "waveform": waveforms, ENTRY: origin}
        return io.NodeOutput(best.latent, best.audio, every, report, ui=node_text([report]))


def _check_single(latent: dict[str, Any]) -> None:
    count = len(latent_samples(latent))
    if count != 1:
        raise InvalidRequestError(
            f"The latent has {count} items, but takes are made one after the other. Set the batch "
            "size of the task's node to 1; `tries` says how many takes there are."
        )


def _report(takes: Sequence[_Take], tries: int, until: str) -> str:
    """What came of the takes so far."""
    if takes[-1].fit.fits:
        first = f"Take {len(takes)} of at most {tries} fits by {until}."
    elif len(takes) == tries:
        first = f"None of {tries} takes fits by {until}; the first of these is the nearest."
    else:
        first = f"{len(takes)} of at most {tries} takes, none fits by {until} so far."
    fits = [take.fit for take in takes]
    return "\n".join([first, *fit_lines(fits, [take.seed for take in takes])])
