"""The arguments of every command. Nothing heavy is imported: `--help` does not wait for torch."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

from ..constants import INT8, TRACKS
from ..inference.types import GenerationConfig, GenerationParams
from ..tracks import parse_track
from .options import add_fields

DIT: Final = "acestep-v15-turbo"
LMS: Final = (  # in order of preference
    "acestep-5Hz-lm-1.7B",
    "acestep-5Hz-lm-0.6B",
    "acestep-5Hz-lm-4B",
)


def add_models(parser: argparse.ArgumentParser, dit: bool = True, optional_lm: bool = True) -> None:
    """The options of the models; `dit` False for commands that need the language model alone."""
    group = parser.add_argument_group("models")
    group.add_argument(
        "--models", default=".", metavar="DIR", help="folder the models lie in (default: this one)"
    )
    if dit:
        group.add_argument(
            "--checkpoint",
            default=DIT,
            metavar="NAME",
            help=f"diffusion model, by name or path (default {DIT})",
        )
        group.add_argument(
            "--variant",
            metavar="NAME",
            help="turbo, turbo-continuous, base or sft, where neither config nor name has it",
        )
        group.add_argument(
            "--vae",
            metavar="NAME",
            help="another VAE, by name or path, in diffusers' or stable-audio-tools' layout",
        )
    if optional_lm:
        group.add_argument("--no-lm", action="store_true", help="do without the language model")
    group.add_argument(
        "--lm", metavar="NAME", help=f"language model (default: the first of {', '.join(LMS)})"
    )
    group.add_argument(
        "--tokenizer",
        metavar="PATH",
        help="Qwen's tokenizer, a file or folder, where none lies with the models or in a ComfyUI "
        "around them",
    )
    group.add_argument("--device", default="auto", help="cuda, cuda:1, mps, xpu or cpu")
    group.add_argument("--dtype", default="auto", help="bf16, fp16 or fp32")
    group.add_argument(
        "--quantization",
        choices=INT8,
        metavar="KIND",
        help=f"{INT8[0]}: the large weights take a byte each",
    )
    group.add_argument(
        "--offload-to-cpu", action="store_true", help="keep models off the device while they rest"
    )


KEEP_FIELDS: Final = {
    "repaint_mode",
    "repaint_strength",
    "repaint_latent_crossfade_frames",
    "repaint_wav_crossfade_sec",
}
EDIT_FIELDS: Final = {
    "flow_edit_source_caption",
    "flow_edit_source_lyrics",
    "flow_edit_n_min",
    "flow_edit_n_max",
    "flow_edit_n_avg",
}
SOURCE_FIELDS: Final = {
    "src_audio",
    "repainting_start",
    "repainting_end",
    "audio_cover_strength",
    "cover_noise_strength",
    *KEEP_FIELDS,
    "flow_edit_morph",
    *EDIT_FIELDS,
    "audio2audio_enable",
    "ref_audio_strength",
    "ref_audio_input",
    "src_audio_path",
}
COVER_FIELDS: Final = {
    "audio_cover_strength",
    "cover_noise_strength",
    "flow_edit_morph",
    *EDIT_FIELDS,
}
SOURCE_FIELDS_OF: Final = {  # the SOURCE_FIELDS of each command
    "generate": {"audio_cover_strength"},
    "cover": COVER_FIELDS,
    "remix": COVER_FIELDS,
    "audio2audio": {"ref_audio_strength"},
    "morph": EDIT_FIELDS,
    "repaint": {"repainting_start", "repainting_end", *KEEP_FIELDS},
    "lego": {"repainting_start", "repainting_end"},
    "extract": set[str](),
    "complete": set[str](),
}
TRACK_COMMANDS: Final = ("lego", "extract", "complete")
CONFIG_FIELDS: Final = (
    "seeds",
    "batch_size",
    "allow_lm_batch",
    "lm_batch_chunk_size",
    "constrained_decoding_debug",
    "audio_format",
    "lyric_timestamps",
    "score",
    "best_of",
    "prefer",
    "until",
    "tries",
)
OUT: Final = "output"


def add_music(parser: argparse.ArgumentParser, name: str) -> None:
    if name != "generate":
        parser.add_argument("src_audio", metavar="RECORDING", help="the recording to start from")
    if name in TRACK_COMMANDS:
        parser.add_argument(
            "--track",
            nargs="+",
            type=_tracks,
            metavar="TRACK",
            help=f"what to play, several with commas or spaces: {', '.join(TRACKS)}",
        )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path(OUT),
        help=f"a folder, or a file's name such as song.mp3 (default: the folder {OUT})",
    )
    parser.add_argument("--lyrics-file", type=Path, metavar="FILE", help="lyrics from a text file")
    names = {field.name for field in fields(GenerationParams)} - SOURCE_FIELDS | SOURCE_FIELDS_OF[
        name
    ]
    add_fields(parser, GenerationParams, names)
    add_fields(parser, GenerationConfig, CONFIG_FIELDS)
    add_models(parser)


def _tracks(text: str) -> list[str]:
    """The tracks of a list with commas."""
    tracks = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        track = parse_track(name)
        if track is None:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(TRACKS)}")
        tracks.append(track)
    return tracks


DEFAULT_RAY: Final = ""  # the value of --ray without an address


def add_batch(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("prompts", type=Path, help="JSON lines, one song each")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR", help="folder of the songs"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="make songs again that are recorded as failed"
    )
    parser.add_argument(
        "--ray",
        nargs="?",
        const=DEFAULT_RAY,
        metavar="ADDRESS",
        help="run on a Ray cluster: this one, or the one that Ray finds, or a 'local' one",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="workers of the cluster (default: one per GPU)"
    )
    add_models(parser)


METADATA: Final = ("bpm", "duration", "keyscale", "timesignature", "language")


def add_lm(parser: argparse.ArgumentParser, name: str) -> None:
    LM_ARGUMENTS[name](parser)
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--temperature", type=float, default=0.85, help="sampling temperature, 0 to 2"
    )
    sampling.add_argument("--top-k", type=int, help="sample among this many tokens")
    sampling.add_argument(
        "--top-p", type=float, help="sample among tokens of this total probability"
    )
    sampling.add_argument(
        "--repetition-penalty", type=float, default=1.0, help="above 1: fewer repetitions"
    )
    sampling.add_argument("--seed", type=int, help="seed of the reply (default: drawn)")
    sampling.add_argument(
        "--constrained-decoding-debug", action="store_true", help="log each token"
    )
    sampling.add_argument(
        "--use-constrained-decoding",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="constrain its replies to their grammar",
    )
    add_models(parser, dit=name == "understand", optional_lm=False)


def _add_understand(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "codes",
        metavar="RECORDING or CODES",
        help="a recording, or audio codes as text or a file of them; - for stdin",
    )


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", metavar="IDEA", help="the song in a few words")
    parser.add_argument("--instrumental", action="store_true", help="nobody sings")
    parser.add_argument("--vocal-language", metavar="CODE", help="language that is sung in")


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--caption", default="", help="what the song sounds like")
    parser.add_argument("--lyrics", default="", help="what is sung")
    parser.add_argument("--lyrics-file", type=Path, metavar="FILE", help="lyrics from a text file")
    for name, kind in (("bpm", int), ("duration", float)):
        parser.add_argument(f"--{name}", type=kind, help="is kept as given")
    for name in METADATA[2:]:
        parser.add_argument(f"--{name}", help="is kept as given")


LM_ARGUMENTS: Final = {"understand": _add_understand, "sample": _add_sample, "format": _add_format}


def add_recording(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("recording", type=Path, metavar="RECORDING", help="any rate and format")


def add_measure(parser: argparse.ArgumentParser, name: str) -> None:
    add_recording(parser, name)
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="draw what is measured, as a .png; a file of that name is replaced",
    )
    parser.add_argument(
        "--vocals",
        type=Path,
        metavar="RECORDING",
        help="the vocals of the same recording alone, to find when somebody sings",
    )


def add_correct(parser: argparse.ArgumentParser, name: str) -> None:
    add_recording(parser, name)
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the corrected recording, such as song.flac; a file of that name is replaced",
    )
    parser.add_argument("--bpm", type=float, help="tempo it shall have; its own is measured")
    parser.add_argument("--key", help='key it shall have, such as "F minor"; its own is measured')
    parser.add_argument(
        "--tempo", type=float, metavar="PERCENT", help="change it by this much, -6 to 6"
    )
    parser.add_argument("--semitones", type=float, help="shift it by this much, -2 to 2")


def add_codes(parser: argparse.ArgumentParser, name: str) -> None:
    add_recording(parser, name)
    add_models(parser)


def add_inspect(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a model's file or folder")


ARGUMENTS: Final[Mapping[str, Callable[[argparse.ArgumentParser, str], None]]] = {
    **dict.fromkeys(SOURCE_FIELDS_OF, add_music),
    **dict.fromkeys(LM_ARGUMENTS, add_lm),
    "codes": add_codes,
    "inspect": add_inspect,
    "measure": add_measure,
    "correct": add_correct,
    "batch": add_batch,
}


def add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the arguments of `command`."""
    ARGUMENTS[command](parser, command)
