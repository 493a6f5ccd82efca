"""What a recording is: tempo, beats, meter, key and levels as values, as text and as a picture."""

from functools import partial
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.errors import InvalidRequestError
from ..ace_core.measure.beats import beat_grid
from ..ace_core.measure.fit import METERS
from ..ace_core.measure.measurement import Measurement, measure
from ..ace_core.measure.picture import measured_picture
from ..ace_core.measure.report import compared, lines, summary
from ..ace_core.measure.voice import Spans, check_same_music, phrase_lines, phrases
from ..ace_core.parallel import in_parallel
from ..ace_core.types import Song
from .beats import beats_json
from .node_text import node_text
from .sockets import BeatsSocket, SongSocket
from .vae import CATEGORY

MOST_ITEMS = 64
QUIET = -70.0  # LUFS: the gate below which nothing counts, for a recording that is silent


class AceStepMeasure(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Measure",
            display_name="ACE-Step Measure",
            category=CATEGORY,
            description="Measures a recording: tempo with beats, meter with downbeats, key, "
            "loudness, true peak, clipping, silence and how it ends. No model is needed.",
            search_aliases=[
                "ace step",
                "bpm",
                "tempo",
                "beat",
                "key",
                "beat detection",
                "lufs",
                "analyse",
            ],
            inputs=[
                io.Audio.Input("audio", tooltip="Each item of a batch is measured."),
                SongSocket.Input(
                    "song",
                    optional=True,
                    tooltip="The song as requested, or as ACE-Step Understand describes it: the "
                    "comparison sets its values beside the measured ones.",
                ),
                io.Audio.Input(
                    "vocals",
                    optional=True,
                    tooltip="The vocals of the same recording alone, as a stem: the report and "
                    "the picture then show when somebody sings.",
                ),
                io.Int.Input(
                    "item",
                    default=1,
                    min=1,
                    max=MOST_ITEMS,
                    optional=True,
                    advanced=True,
                    tooltip="Which item of a batch the single values are of.",
                ),
            ],
            outputs=_outputs(),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        song: Song | None = None,
        vocals: dict[str, Any] | None = None,
        item: int = 1,
    ) -> io.NodeOutput:
        waveform, rate = unpack_audio(audio)
        if item > len(waveform):
            raise InvalidRequestError(
                f"Item {item} was asked for, but the audio has {len(waveform)}. Set `item` to 1 "
                f"to {len(waveform)}."
            )
        sung = _sung(vocals, waveform, rate)
        found = in_parallel([partial(measure, each, rate) for each in waveform])
        drawn = in_parallel(
            [
                partial(measured_picture, each, rate, values, spans or ())
                for each, values, spans in zip(waveform, found, sung, strict=True)
            ]
        )
        grids = tuple(beat_grid(values) for values in found)
        return io.NodeOutput(
            _by_item([_report(*pair) for pair in zip(found, sung, strict=True)]),
            "" if song is None else _by_item(["\n".join(compared(song, each)) for each in found]),
            torch.stack(drawn),
            grids,
            *_values(found[item - 1]),
            ui=beats_json(grids) | node_text(map(summary, found)),
        )


def _sung(vocals: dict[str, Any] | None, waveform: Tensor, rate: int) -> list[Spans | None]:
    """When somebody sings in each item; None where no vocals are connected.

    Raises:
        InvalidRequestError: see `check_same_music`.
    """
    if vocals is None:
        return [None] * len(waveform)
    stems, stem_rate = unpack_audio(vocals)
    check_same_music(waveform, rate, stems, stem_rate)
    return [phrases(stem, stem_rate) for stem in stems]


def _report(found: Measurement, sung: Spans | None) -> str:
    words = [line.strip() for line in lines(found)]
    return "\n".join(words if sung is None else [*words, *phrase_lines(sung, found.seconds)])


def _by_item(texts: list[str]) -> str:
    """One text as it is; several under the numbers of their items."""
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(f"item {place}\n{text}" for place, text in enumerate(texts, start=1))


def _values(found: Measurement) -> tuple[float, float, str, str, float, float, float]:
    """Tempo and its confidence, key, meter, first downbeat, loudness, true peak."""
    tempo, meter, loudness = found.tempo, found.meter, found.levels.loudness
    return (
        0.0 if tempo is None else tempo.bpm,
        0.0 if tempo is None else tempo.confidence,
        "" if found.key is None else found.key.name,
        "" if meter is None else METERS[meter.time_signature],
        0.0 if meter is None else meter.downbeats[0],
        QUIET if loudness is None else loudness,
        found.levels.true_peak,
    )


def _outputs() -> list[io.Output]:
    return [
        io.String.Output(
            display_name="report",
            tooltip="All that was measured, with confidences and second candidates.",
        ),
        io.String.Output(
            display_name="comparison",
            tooltip="The values of the song beside those that were measured. Empty without a song.",
        ),
        io.Image.Output(
            display_name="image",
            tooltip="Waveform and spectrogram with bars, beats, silences and clipping, one picture "
            "per item.",
        ),
        BeatsSocket.Output(
            display_name="beats",
            tooltip="Beats and bars of each item, for nodes that cut, mark or pulse by them.",
        ),
        io.Float.Output(display_name="bpm", tooltip="Beats per minute. 0: no steady pulse."),
        io.Float.Output(
            display_name="confidence", tooltip="How steady the pulse is, 0 to 1. Low: unreliable."
        ),
        io.String.Output(display_name="key", tooltip="Such as F minor. Empty: no pitch was heard."),
        io.String.Output(
            display_name="time_signature", tooltip="Such as 4/4. Empty: fewer than three bars."
        ),
        io.Float.Output(
            display_name="downbeat", tooltip="The first downbeat, in seconds. 0 without a meter."
        ),
        io.Float.Output(
            display_name="loudness",
            tooltip="Integrated loudness in LUFS. -70: silent, or shorter than a block.",
        ),
        io.Float.Output(
            display_name="true_peak", tooltip="Largest peak between samples, in dB of full scale."
        ),
    ]
