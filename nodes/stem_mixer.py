"""The stem mixer: a song as named tracks, with gain, pan and mute, mixed and saved."""

import math
import os
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from comfy_api.latest import io, ui

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.files import BITRATES, FileFormat, audio_content
from ..ace_core.audio.loudness import loudness
from ..ace_core.audio.mixing import (
    GAIN_RANGE,
    PAN_RANGE,
    Stem,
    join_stems,
    mixdown,
    null_db,
    stem_index,
)
from ..ace_core.audio.waveform import model_audio
from ..ace_core.constants import SAMPLE_RATE, TRACKS
from ..ace_core.errors import InvalidAudioError
from ..ace_core.parallel import in_parallel
from ..ace_core.texts import distinct, file_name
from . import folders
from .formats import FORMATS, format_input, level_line
from .node_text import node_text
from .sockets import StemsSocket
from .typed import checked

CATEGORY = "audio/ACE-Step/stems"
Stems = tuple[Stem, ...]
_HIGHEST_DB = 200.0  # a deeper null is reported as nothing left


def stems_input(tooltip: str = "From ACE-Step Make Stems or Add Stem.", **more: Any) -> io.Input:
    return StemsSocket.Input("stems", tooltip=tooltip, **more)


def stems_output(tooltip: str) -> io.Output:
    return StemsSocket.Output(display_name="stems", tooltip=tooltip)


def _name_input(tooltip: str) -> io.String.Input:
    return io.String.Input("name", default=TRACKS[0], tooltip=tooltip)


def make_audio(waveform: torch.Tensor) -> dict[str, Any]:
    """An AUDIO of 48 kHz stereo."""
    return {"waveform": waveform, "sample_rate": SAMPLE_RATE}


def single_audio(audio: dict[str, Any]) -> torch.Tensor:
    """An AUDIO of one item at 48 kHz stereo, [1, 2, N].

    Raises:
        InvalidAudioError: it is no audio, or a batch.
    """
    waveform, rate = unpack_audio(audio)
    count = len(waveform)
    if count > 1:
        raise InvalidAudioError(
            f"The audio has {count} items, but one is needed here. Pick one of them first."
        )
    return model_audio(waveform, rate)


class AceStepAddStem(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15AddStem",
            display_name="ACE-Step Add Stem",
            category=CATEGORY,
            description="Adds audio to the stems under a name; the first one needs no stems.",
            search_aliases=["ace step", "new stem", "add track", "combine stems"],
            inputs=[
                io.Audio.Input("audio", tooltip="The track: any rate, mono or stereo."),
                _name_input("Its name, which no other stem has."),
                stems_input("The stems so far.", optional=True),
            ],
            outputs=[stems_output("The stems with one more.")],
        )

    @classmethod
    def execute(cls, audio: dict, name: str, stems: Stems = ()) -> io.NodeOutput:
        return io.NodeOutput(join_stems(stems, [Stem(name.strip(), single_audio(audio))]))


class AceStepTakeStem(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15TakeStem",
            display_name="ACE-Step Take Stem",
            category=CATEGORY,
            description="One of the stems as audio, untouched.",
            search_aliases=["ace step", "get stem", "solo", "isolate track"],
            inputs=[stems_input(), _name_input("Which one.")],
            outputs=[io.Audio.Output(display_name="audio", tooltip="48 kHz stereo.")],
        )

    @classmethod
    def execute(cls, stems: Stems, name: str) -> io.NodeOutput:
        return io.NodeOutput(make_audio(stems[stem_index(stems, name)].audio))


class AceStepStemLevel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15StemLevel",
            display_name="ACE-Step Stem Level",
            category=CATEGORY,
            description="Sets gain, pan and mute of one stem; chain one node per stem. The stem's "
            "own audio stays as it is.",
            search_aliases=["ace step", "fader", "volume", "pan", "mute"],
            inputs=[
                stems_input(),
                _name_input("Which one."),
                io.Float.Input(
                    "gain",
                    default=0.0,
                    min=GAIN_RANGE[0],
                    max=GAIN_RANGE[1],
                    step=0.1,
                    tooltip="In dB: 0 is as it is, -6 half the amplitude, 6 twice.",
                ),
                io.Float.Input(
                    "pan",
                    default=0.0,
                    min=PAN_RANGE[0],
                    max=PAN_RANGE[1],
                    step=0.01,
                    tooltip="-1 left, 0 as it is, 1 right; constant power.",
                ),
                io.Boolean.Input("mute", default=False, tooltip="Leave it out of the mix."),
            ],
            outputs=[stems_output("The stems with that one set.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, stems: Stems, name: str, gain: float, pan: float, mute: bool) -> io.NodeOutput:
        index = stem_index(stems, name)
        changed = replace(stems[index], gain=gain, pan=pan, muted=mute)
        return io.NodeOutput((*stems[:index], changed, *stems[index + 1 :]))


class AceStepMixdown(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Mixdown",
            display_name="ACE-Step Mixdown",
            category=CATEGORY,
            description="Mixes the stems with their levels and, against a source, reports in dB "
            "what the mix leaves of it (null test).",
            search_aliases=["ace step", "mix stems", "merge tracks", "null test", "sum"],
            inputs=[
                stems_input(),
                io.Audio.Input(
                    "source",
                    optional=True,
                    tooltip="What the mix is compared with, sample by sample.",
                ),
            ],
            outputs=[
                io.Audio.Output(display_name="audio", tooltip="48 kHz stereo, not limited."),
                io.String.Output(display_name="report", tooltip="Levels, peak and null test."),
            ],
        )

    @classmethod
    def execute(cls, stems: Stems, source: dict | None = None) -> io.NodeOutput:
        mixed = mixdown(stems)
        lines = [_level_line(stem) for stem in stems]
        lines.append(f"peak: {_decibels(mixed.abs().max().item())} dBFS")
        if source is not None:
            lines.append(_null_test_line(mixed, single_audio(source)))
        return io.NodeOutput(make_audio(mixed), "\n".join(lines))


def _level_line(stem: Stem) -> str:
    if stem.muted:
        return f"{stem.name}: muted"
    side = "right" if stem.pan > 0 else "left"
    position = f"{abs(stem.pan):.0%} {side}" if stem.pan else "centre"
    return f"{stem.name}: {stem.gain:+g} dB, {position}"


def _decibels(peak: float) -> str:
    return f"{20 * math.log10(peak):.1f}" if peak else "-inf"


def _null_test_line(mixed: torch.Tensor, source: torch.Tensor) -> str:
    left = null_db(mixed, source)
    said = f"{left:.1f} dB" if left > -_HIGHEST_DB else "nothing is left"
    seconds = min(mixed.shape[-1], source.shape[-1]) / SAMPLE_RATE
    return f"null test over {seconds:.2f} s: {said}"


class AceStepSaveStems(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SaveStems",
            display_name="ACE-Step Save Stems",
            category=CATEGORY,
            description="Saves the stems as one folder, each as a file of its own name, and plays "
            "them.",
            search_aliases=["ace step", "export stems", "save tracks", "multitrack"],
            inputs=[
                stems_input(),
                io.String.Input(
                    "filename_prefix",
                    default="audio/stems",
                    tooltip="Name of the folder, inside others of the output folder if you like; a "
                    "number follows.",
                ),
                format_input(),
                io.Boolean.Input(
                    "apply_levels",
                    default=False,
                    tooltip="Save each with its gain, pan and mute, instead of untouched. A muted "
                    "one is then silent.",
                ),
            ],
            outputs=[],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None) -> bool | str:
        return checked(folders.check_prefix, filename_prefix)

    @classmethod
    def execute(
        cls, stems: Stems, filename_prefix: str, format: str, apply_levels: bool
    ) -> io.NodeOutput:
        from . import host

        form = FileFormat(FORMATS[format], BITRATES[-1])
        graph = host.graph_tags(cls.hidden)
        place = folders.output(filename_prefix)
        contents, lines = {}, []
        names = distinct([file_name(stem.name) for stem in stems])
        for name, stem in zip(names, stems, strict=True):
            sound = (stem.in_mix if apply_levels else stem.audio)[0]
            file = f"{name}{form.encoding.suffix}"
            tags = {**graph, "title": stem.name}
            contents[file] = audio_content(stem.name, sound, form, tags, SAMPLE_RATE)
            lines.append(partial(_saved_line, file, sound, form))
        done: list[Any] = in_parallel([partial(place.save_folder, contents), *lines])
        saved, levels = done[0], done[1:]
        where = f"Folder: output/{saved[0]['subfolder']}" if saved else "There are no stems."
        shown = node_text([where.replace(os.sep, "/"), *levels])
        return io.NodeOutput(ui={**ui.SavedAudios(saved).as_dict(), **shown})


def _saved_line(file: str, sound: torch.Tensor, form: FileFormat) -> str:
    return f"{file}: {level_line(sound, loudness(sound, SAMPLE_RATE), form)}"
