"""The waveforms of the page: a file, its length, its peaks and its loudness.

Each is sent as JSON in a string: ComfyUI takes lists of objects for results of a run.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from comfy_api.latest import io, ui
from torch import Tensor

from ..ace_core.alignment.timed_lyrics import TimedLine
from ..ace_core.audio.files import Encoding, FileFormat, audio_content
from ..ace_core.audio.loudness import loudness
from ..ace_core.audio.picture import levels
from ..ace_core.constants import SAMPLE_RATE
from . import folders, temporary_files

WAVEFORMS = "ace_step_waveforms"  # the key in web/waveform/peaks.js
COLUMNS = 1000  # peaks of a waveform, whatever its length
FULL = 255  # a peak at full scale
FORM = FileFormat(Encoding.FLAC_16)


def waveform(audio: Tensor, rate: int, loud: float | None) -> dict[str, Any]:
    """What one item [C, N] of `loud` LUFS is drawn from."""
    peak, _ = levels(audio, COLUMNS)  # [C, COLUMNS]
    return {
        "seconds": audio.shape[-1] / rate,
        "peaks": (peak.amax(dim=0) * FULL).round().clamp(max=FULL).int().tolist(),
        "loudness": loud if loud is None else round(loud, 2),
    }


def waveform_json(file: Mapping[str, Any], drawn: Mapping[str, Any]) -> str:
    """A `waveform` whose sound was saved as `file`."""
    return json.dumps({**file, **drawn})


def lines_in_time(lines: Iterable[TimedLine]) -> dict[str, list[dict[str, Any]]]:
    """What is sung when, in seconds, and the section tags, which are not `sung`."""
    shown = ("text", "start", "end", "sung")
    return {"lines": [{name: getattr(line, name) for name in shown} for line in lines]}


def source_waveform(audio: Tensor) -> dict[str, list[str]]:
    """A source [1, 2, N] at 48 kHz as a temporary file; the same one is written once, until it has
    not been used for long."""
    digest = hashlib.sha256(audio.cpu().numpy().tobytes()).hexdigest()[:16]
    path, there = temporary_files.source_file(digest)
    if not there:
        scaled = audio[0] / audio.abs().max().clamp(min=1)
        folders.save_temporary(path, audio_content(path.name, scaled, FORM))
    temporary_files.remove_old_sources()
    file = ui.SavedResult(path.name, "", io.FolderType.temp)
    drawn = waveform(audio[0], SAMPLE_RATE, loudness(audio[0], SAMPLE_RATE))
    return {WAVEFORMS: [waveform_json(file, drawn)]}
