"""The formats of audio files, as nodes that save offer them, and what they say of a saved one."""

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.files import Encoding, FileFormat, clipping_samples
from ..ace_core.measure.levels import true_peak_db
from ..ace_core.measure.report import level_words

FORMATS = {
    "flac24": Encoding.FLAC_24,
    "flac16": Encoding.FLAC_16,
    "wav24": Encoding.WAV_24,
    "wav16": Encoding.WAV_16,
    "wav32f": Encoding.WAV_FLOAT,
    "mp3": Encoding.MP3,
    "opus": Encoding.OPUS,
    "aac": Encoding.AAC,
}


def format_input() -> io.Combo.Input:
    return io.Combo.Input(
        "format",
        options=list(FORMATS),
        default="flac24",
        tooltip="Container and bits per sample; wav32f never clips, aac is an .m4a file. Dropped "
        "on the canvas, each brings its workflow back.",
    )


def level_line(item: Tensor, loud: float | None, form: FileFormat) -> str:
    """Loudness, true peak and what clips of one item [C, N] of `loud` LUFS."""
    words = level_words(loud, true_peak_db(item.float().cpu()))
    over = clipping_samples(item, form.encoding)
    return f"{words}, {over} samples clip" if over else words
