"""Stems made by the diffusion model: taken out of a song, or built up upon it, one by one."""

from dataclasses import replace
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.mixing import Stem, mixdown, residual_of
from ..ace_core.audio.waveform import limit_peak
from ..ace_core.conditioning import tasks
from ..ace_core.constants import TRACKS
from ..ace_core.errors import InvalidRequestError
from ..ace_core.sources import SourceAudio
from ..ace_core.types import Song
from .lm_inputs import seed_input
from .node_text import node_text, warnings_first
from .run_sampler import run_sampler
from .seeds import make_noise
from .sockets import GuidanceSocket, SongSocket, TextEncoderInput
from .stem_mixer import CATEGORY, make_audio, single_audio, stems_output
from .task_inputs import prepared_source

_EXTRACT, _BUILD = "extract", "build up"
RESIDUAL, BACKING = "residual", "backing"  # stems that are no track of the models
_TASKS = {_EXTRACT: tasks.extract, _BUILD: tasks.lego}


class AceStepMakeStems(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15MakeStems",
            display_name="ACE-Step Make Stems",
            category=CATEGORY,
            description="Makes one track after the other: extracts each from the source, or adds "
            "each to the source and to the tracks before it. Needs a base model.",
            search_aliases=["ace step", "stem separation", "split song", "multitrack", "demix"],
            inputs=[
                io.Model.Input("model", tooltip="A base model: the others were not trained on it."),
                TextEncoderInput.Input("text_encoder", tooltip="Encodes the caption."),
                io.Vae.Input("vae", tooltip="Encodes the source and decodes the stems."),
                SongSocket.Input("song", tooltip="The piece. Its length is the source's."),
                io.Audio.Input("source", tooltip="The recording to split, or the one to build on."),
                io.Sigmas.Input("sigmas", tooltip="From ACE-Step Schedule."),
                io.Combo.Input(
                    "mode",
                    options=list(_TASKS),
                    default=_EXTRACT,
                    tooltip="extract: each track from the whole source. build up: each is added "
                    "to the source and to the tracks before it.",
                ),
                seed_input("Seed of every track."),
                *(
                    io.Boolean.Input(
                        track,
                        default=track in ("vocals", "drums", "bass"),
                        tooltip=f"Make {track}.",
                    )
                    for track in TRACKS
                ),
                io.Boolean.Input(
                    "residual",
                    default=True,
                    tooltip="One more stem: the source minus the extracted ones, or the source "
                    "itself as backing. All stems together are then the whole.",
                ),
                GuidanceSocket.Input(
                    "guidance", optional=True, tooltip="Not connected: as the model was trained."
                ),
                io.Sampler.Input("solver", optional=True, tooltip="Not connected: Euler."),
            ],
            outputs=[
                stems_output("One stem per track, in the order of the switches."),
                io.String.Output(display_name="report", tooltip="What was done, as text."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, text_encoder, vae, song: Song, source: dict, mode: str, residual: bool, **given: Any
    ) -> io.NodeOutput:
        from . import host

        chosen = [track for track in TRACKS if given[track]]
        if not chosen:
            raise InvalidRequestError(
                "No track is switched on. Switch on at least one, such as vocals."
            )
        first = prepared_source({**source, **make_audio(single_audio(source))}, vae=vae)
        encoder = host.text_encoder_of(text_encoder)
        stems: list[Stem] = []
        reports: list[str] = []
        for number, track in enumerate(chosen, start=1):
            title = f"{track}, {number} of {len(chosen)}"
            with host.progress_heading(title):
                now = _backing_mix(first, stems) if mode == _BUILD else first
                task = _TASKS[mode](song, encoder, now.length, track)
                latent, lines = run_sampler(
                    given["model"],
                    given["sigmas"],
                    host.task_outputs(task, now, vae),
                    make_noise(given["seed"]).recipe(1),
                    given.get("guidance"),
                    given.get("solver"),
                )
                stems.append(Stem(track, host.decode(vae, latent)["waveform"]))
            reports.append("\n".join([title, *lines]))
            host.send_text("\n\n".join(reports), cls.hidden)
        if residual:
            stems.append(_last_stem(mode, first.audio, stems))
        report = "\n".join(warnings_first(["\n\n".join(reports)]))
        return io.NodeOutput(tuple(stems), report, ui=node_text([report]))


def _backing_mix(first: SourceAudio, stems: list[Stem]) -> SourceAudio:
    """The source with all that was played to it, brought to full scale when it is too loud."""
    mixed = mixdown([Stem(BACKING, first.audio), *stems])[..., : first.audio.shape[-1]]
    own = None if stems else first.latents
    return replace(first, audio=limit_peak(mixed), latents=own)


def _last_stem(mode: str, source: Tensor, stems: list[Stem]) -> Stem:
    return Stem(BACKING, source) if mode == _BUILD else Stem(RESIDUAL, residual_of(source, stems))
