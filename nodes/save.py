"""AUDIO to files. They are encoded at the same time, and measured beside it."""

from functools import partial
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.audio.decoded import ENTRY, decoded_of
from ..ace_core.audio.files import BITRATES, FileFormat, audio_content
from ..ace_core.audio.loudness import loudness
from ..ace_core.audio.postprocessing import FADE_RANGE, LOUDNESS_RANGE, PEAK_RANGE, PostProcessing
from ..ace_core.audio.tags import song_tags
from ..ace_core.errors import InvalidRequestError
from ..ace_core.parallel import in_parallel
from ..ace_core.types import Song
from . import folders, kept_latents
from .formats import FORMATS, format_input, level_line
from .lyrics import Timestamps, lyric_text
from .node_text import node_text
from .sockets import LyricTimestampsSocket, PlayerSocket, SongSocket
from .take_origin import origin_of
from .typed import checked
from .vae import CATEGORY
from .waveform_ui import WAVEFORMS, lines_in_time, waveform, waveform_json

_OFF, _PEAK, _LOUDNESS = "off", "peak", "loudness"


class AceStepSaveAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SaveAudio",
            display_name="ACE-Step Save Audio",
            category=CATEGORY,
            description="Saves audio with the workflow and the song inside the file, and plays it.",
            search_aliases=[
                "ace step",
                "master",
                "loudness",
                "export flac",
                "export wav",
                "export mp3",
                "opus",
                "aac",
            ],
            inputs=[
                io.Audio.Input("audio", tooltip="Each item of a batch becomes a file."),
                SongSocket.Input(
                    "song", optional=True, tooltip="Written into the file's tags if connected."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="audio/ACE-Step",
                    tooltip="Name of the file, with folders inside the output folder if you like.",
                ),
                format_input(),
                io.Combo.Input(
                    "bitrate",
                    options=[str(bitrate) for bitrate in reversed(BITRATES)],
                    default=str(BITRATES[-1]),
                    advanced=True,
                    tooltip="Bitrate of mp3, opus and aac, in kbit/s.",
                ),
                LyricTimestampsSocket.Input(
                    "timestamps",
                    optional=True,
                    tooltip="From ACE-Step Lyric Timestamps: an .lrc file of the same name is "
                    "saved beside each audio file, where players look for it.",
                ),
                *_postprocessing_inputs(),
                io.String.Input(
                    "title",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="Title in the file's tags. Empty: the beginning of the song's caption.",
                ),
                PlayerSocket.Input("audioUI", optional=True, tooltip="The player on the node."),
            ],
            outputs=[
                io.Audio.Output(
                    display_name="audio",
                    tooltip="What was saved, with its level and fades, for a video or another "
                    "node.",
                )
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, filename_prefix: str | None) -> bool | str:
        return checked(folders.check_prefix, filename_prefix)

    @classmethod
    def execute(
        cls,
        audio: dict,
        filename_prefix: str,
        format: str,
        bitrate: str,
        song: Song | None = None,
        timestamps: Timestamps | None = None,
        normalization: str = _OFF,
        normalization_db: float = -1.0,
        normalization_lufs: float = -14.0,
        fade_in_duration: float = 0.0,
        fade_out_duration: float = 0.0,
        title: str = "",
        audioUI: None = None,  # noqa: N803  # the id that the frontend's player listens to
    ) -> io.NodeOutput:
        from . import host

        sound, rate = unpack_audio(audio)
        finish = PostProcessing(
            peak=normalization_db if normalization == _PEAK else None,
            loudness=normalization_lufs if normalization == _LOUDNESS else None,
            fade_in=fade_in_duration,
            fade_out=fade_out_duration,
        )
        sound = finish.applied(sound, rate)
        made = {"waveform": sound, "sample_rate": rate}
        source = decoded_of(audio)
        latents = source and source.of_sound(sound, rate)
        if latents is not None:
            made[ENTRY] = source
        lyrics = _lyrics_for(len(sound), timestamps)
        form = FileFormat(FORMATS[format], int(bitrate))
        tags = {**_song_tags(song, title), **host.graph_tags(cls.hidden)}
        place = folders.output(filename_prefix)
        ending = f"_{form.encoding.suffix}"
        origin = {**origin_of(cls.hidden), "caption": song.caption if song else ""}
        contents = [{ending: audio_content(place.name, item, form, tags, rate)} for item in sound]
        for each, text in zip(contents, lyrics, strict=False):
            each["_.lrc"] = folders.text_content(f"{text}\n")
        measures = [partial(_measured, item, rate, form) for item in sound]
        done: list[Any] = in_parallel([*place.writes(contents), *measures])
        saved, waves, lines = [], [], []
        written, measured = done[: len(sound)], done[len(sound) :]
        for number, (paths, (line, drawn)) in enumerate(zip(written, measured, strict=True)):
            if source is not None and latents is not None:
                kept_latents.keep(paths[0], latents[number], source.vae)
            saved.append(place.shown_on_page(paths[0]))
            sung = lines_in_time(timestamps[number] if timestamps else ())
            waves.append(waveform_json({**saved[-1], **origin, **sung}, drawn))
            lines.append(f"{paths[0].name}: {line}")
        shown = {**ui.SavedAudios(saved).as_dict(), WAVEFORMS: waves, **node_text(lines)}
        return io.NodeOutput(made, ui=shown)


def _measured(item: Tensor, rate: int, form: FileFormat) -> tuple[str, dict[str, Any]]:
    """What is said of the levels of one item [C, N], and what its waveform is drawn from."""
    loud = loudness(item, rate)
    return level_line(item, loud, form), waveform(item, rate, loud)


def _postprocessing_inputs() -> list[io.Input]:
    def number(
        name: str, default: float, limits: tuple[float, float], step: float, tooltip: str
    ) -> io.Float.Input:
        return io.Float.Input(
            name,
            default=default,
            min=limits[0],
            max=limits[1],
            step=step,
            optional=True,
            advanced=True,
            tooltip=tooltip,
        )

    return [
        io.Combo.Input(
            "normalization",
            options=[_OFF, _PEAK, _LOUDNESS],
            default=_OFF,
            optional=True,
            advanced=True,
            tooltip="off: the level as it is. peak: the loudest sample at normalization_db. "
            "loudness: the whole as loud as normalization_lufs, at most at full scale.",
        ),
        number("normalization_db", -1.0, PEAK_RANGE, 0.1, "Peak, in dB of full scale."),
        number(
            "normalization_lufs",
            -14.0,
            LOUDNESS_RANGE,
            0.1,
            "Loudness after ITU-R BS.1770. -14 is usual for streaming, -23 for broadcasting.",
        ),
        number(
            "fade_in_duration", 0.0, FADE_RANGE, 0.1, "Seconds of a linear fade at the beginning."
        ),
        number("fade_out_duration", 0.0, FADE_RANGE, 0.1, "Seconds of a linear fade at the end."),
    ]


def _song_tags(song: Song | None, title: str) -> dict[str, str]:
    tags = song_tags(song) if song is not None else {}
    return {**tags, "title": title.strip()} if title.strip() else tags


def _lyrics_for(count: int, timestamps: Timestamps | None) -> list[str]:
    """LRC for each of `count` sounds."""
    if timestamps is not None and len(timestamps) != count:
        raise InvalidRequestError(
            f"There are lyric timestamps for {len(timestamps)} songs, but the audio has {count}. "
            "Connect the timestamps of the same batch."
        )
    return [lyric_text(lines, "lrc", False) for lines in timestamps or ()]
