"""The formats of audio files, as nodes that save offer them."""

from comfy_api.latest import io

from ..ace_core.audio.files import Encoding

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
