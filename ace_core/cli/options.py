"""Command-line options for the fields of the published API's dataclasses, one per field.

Only options on the command line are passed on: the defaults are the API's.
"""

import argparse
import dataclasses
import os
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .. import parsing
from ..errors import InvalidRequestError
from ..texts import shown, text_fault

HELP: Final[Mapping[str, str]] = {  # in the order in which help shows them
    "caption": "what the song sounds like: style, mood, instruments; of {calm|loud} the seed draws "
    "one",
    "lyrics": "what is sung; '[Instrumental]' for nobody",
    "instrumental": "nobody sings, whatever the lyrics say",
    "vocal_language": "language that is sung in, a code such as en",
    "bpm": "beats per minute, 30 to 300",
    "keyscale": "key, such as 'C major' or Am",
    "timesignature": "beats per bar: 2, 3, 4 or 6",
    "duration": "seconds, 10 to 600; -1: as long as the lyrics need",
    "reference_audio": "a recording whose sound is taken over",
    "audio_codes": "audio codes to play, as the language model writes them",
    "instruction": "the instruction to the model, instead of the task's own",
    "inference_steps": "denoising steps; turbo 1 to 20, base 1 to 200",
    "guidance_scale": "how closely the text is followed, 1 to 15 (not turbo)",
    "use_adg": "angle-based dynamic guidance instead of APG (base and sft)",
    "cfg_interval_start": "lowest flow time that is guided, 0 to 1",
    "cfg_interval_end": "highest flow time that is guided, 0 to 1",
    "shift": "above 1: more steps near noise, 1 to 5",
    "infer_method": "ode, or sde for fresh noise at every step",
    "sampler_mode": "euler, or heun for two forwards per step (with ode)",
    "guidance_variant": "apg_classic, cfg, adg, adg_w_norm or adg_wo_clip (base and sft)",
    "velocity_norm_threshold": "largest norm of the velocity, in norms of the latent; 0: off",
    "velocity_ema_factor": "share of the last step's velocity that is kept, 0 to 0.99",
    "dcw_enabled": "correct each step in the wavelet domain (default: turbo yes, others no)",
    "dcw_mode": "bands that DCW corrects: low, high, double or pix",
    "dcw_scaler": "how far DCW moves the low band, or the only band of its mode",
    "dcw_high_scaler": "how far DCW moves the high band in mode double",
    "dcw_wavelet": "wavelet of DCW: haar",
    "flow_edit_morph": "exchange the words of the recording (flow edit)",
    "flow_edit_source_caption": "style of the recording as it is; empty: that of --caption",
    "flow_edit_source_lyrics": "its lyrics as they are; empty: those of --lyrics",
    "flow_edit_n_min": "share of the steps skipped before the edit; higher keeps more, 0 to 1",
    "flow_edit_n_max": "share of the steps at which the edit ends, 0 to 1",
    "flow_edit_n_avg": "draws of noise per step that are averaged",
    "timesteps": "flow times of the steps, such as 1,0.8,0.5,0.2,0",
    "seed": "seed of the first song; -1: random",
    "seeds": "one per song, such as 1,2,3",
    "retake_seed": "seed of a second noise, mixed into the first",
    "retake_variance": "share of the second noise, 0 to 1: 0.2 is a close variation",
    "batch_size": "songs to make of this request, 1 to 8 (default 1)",
    "repainting_start": "where the new part begins, in seconds",
    "repainting_end": "where the new part ends, in seconds; -1: at the end",
    "repaint_mode": "how the rest is kept: conservative, balanced or aggressive",
    "repaint_strength": "for balanced: 0 keeps most, 1 changes most",
    "repaint_latent_crossfade_frames": "frames of the ramp beside the new part; 10: the mode's own",
    "repaint_wav_crossfade_sec": "seconds of the waveform's ramp; 0: the mode's own",
    "chunk_mask_mode": "explicit, or auto: the model decides where new music goes",
    "audio_cover_strength": "how closely the recording is followed, 0 to 1",
    "cover_noise_strength": "share of a cover's recording in the starting noise, 0 to 1",
    "ref_audio_strength": "how much of the recording is left at the start, 0 to 1",
    "latent_shift": "added to the finished latents, -10 to 10",
    "latent_rescale": "the finished latents times this, 0.01 to 10",
    "enable_normalization": "bring every song's peak to normalization_db",
    "normalization_db": "peak in dB of full scale, -60 to 0",
    "fade_in_duration": "seconds of a linear fade at the beginning",
    "fade_out_duration": "seconds of a linear fade at the end",
    "thinking": "let the language model write codes first",
    "use_cot_metas": "let it choose what was left open: bpm, key, length",
    "use_cot_caption": "let it word the caption anew",
    "use_cot_lyrics": "let it write lyrics (reserved)",
    "use_cot_language": "let it tell the language of the lyrics",
    "use_constrained_decoding": "constrain its replies to their grammar",
    "lm_temperature": "its sampling temperature, 0 to 2",
    "lm_cfg_scale": "how closely it follows the text",
    "lm_top_k": "sample among this many tokens; 0: all",
    "lm_top_p": "sample among tokens of this total probability, 0 to 1",
    "lm_negative_prompt": "negative prompt of its guidance",
    "allow_lm_batch": "let it write the codes of several songs at once",
    "lm_batch_chunk_size": "how many songs' codes at once, at most",
    "constrained_decoding_debug": "log each token of the language model",
    "lyric_timestamps": "write when each word is sung beside the song: lrc, karaoke or srt",
    "score": "score the song: the singing and, with a language model, caption, lyrics and metadata",
    "best_of": "takes to make and rank by --prefer, 1 to 8; the best gets the name, all are kept",
    "prefer": "by what takes are ranked: tempo, tempo_or_octave, key, meter, length, lyrics, "
    "quality, clipping, ending, each with a weight or without, such as tempo:2,key",
    "until": "go on with further seeds until a take fits by these, such as tempo,key",
    "tries": "takes that --until makes at most, 1 to 32",
    "lora": "an adapter (LoRA, LoKr, LoHa, DoRA) by file, PEFT folder or name in loras, and its "
    "strength (default 1); several times for several",
    "audio_format": "flac, wav, mp3, wav32 (32-bit float), opus or aac (in .m4a)",
}
METAVARS: Final = {"lora": "FILE[:STRENGTH]"}  # of options that may be given several times
Parse = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its default, its plain types, and the item types of its lists."""

    name: str
    default: Any
    plain: tuple[type, ...]
    listed: tuple[type, ...] = ()


def fields_of(request: type) -> dict[str, Field]:
    """The fields of the dataclass `request`, in order."""
    hints = typing.get_type_hints(request)
    return {
        field.name: Field(field.name, field.default, *_types(hints[field.name]))
        for field in dataclasses.fields(request)
    }


def _types(hint: Any) -> tuple[tuple[type, ...], tuple[type, ...]]:
    """The plain types of an annotation, and the item types of its lists."""
    origin = typing.get_origin(hint)
    choices = typing.get_args(hint) if origin in (typing.Union, types.UnionType) else (hint,)
    plain = tuple(choice for choice in choices if typing.get_origin(choice) is not list)
    listed = tuple(
        typing.get_args(choice)[0] for choice in choices if typing.get_origin(choice) is list
    )
    return plain, listed


def add_fields(parser: argparse.ArgumentParser, request: type, names: Collection[str]) -> None:
    """Add an option for each field of `request` in `names`, with dashes for underscores."""
    fields = fields_of(request)
    for name in HELP:
        if name in fields and name in names:
            _add(parser, fields[name])


def given_fields(arguments: argparse.Namespace, request: type) -> dict[str, Any]:
    """The fields of `request` that are on the command line."""
    return {name: value for name, value in vars(arguments).items() if name in fields_of(request)}


def _add(parser: argparse.ArgumentParser, field: Field) -> None:
    flag = f"--{field.name.replace('_', '-')}"
    about: dict[str, Any] = {"help": _help(field), "default": argparse.SUPPRESS}
    if bool in field.plain:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, **about)
    elif str in field.listed:
        parser.add_argument(flag, action="append", metavar=METAVARS[field.name], **about)
    else:
        parser.add_argument(flag, type=_parse(field), metavar=_metavar(field), **about)


def _help(field: Field) -> str:
    if "(default" in HELP[field.name]:
        return HELP[field.name]
    unset = field.default in (None, "", "unknown") or isinstance(field.default, bool)
    default = "" if unset or len(str(field.default)) > 20 else f" (default {field.default})"
    if isinstance(field.default, bool):
        default = f" (default {'yes' if field.default else 'no'})"
    return f"{HELP[field.name]}{default}".replace("%", "%%")


def _parse(field: Field) -> Parse:
    if field.listed:
        return numbers(field.listed[0])
    return next(kind for kind in (int, float, str) if kind in field.plain)


def _metavar(field: Field) -> str:
    if field.listed:
        return "N,N"
    return "TEXT" if str in field.plain else "N"


def numbers(kind: Parse) -> Parse:
    """A parser of numbers separated by commas."""

    def parse(text: str) -> list[Any]:
        return [kind(part) for part in text.split(",")]

    parse.__name__ = "list of numbers"  # as argparse's error calls it
    return parse


def check_there(path: Path, folder: bool = False) -> None:
    """
    Raises:
        InvalidRequestError: there is no such file, nor a folder where that would do.
    """
    if not os.path.isfile(path) and not (folder and os.path.isdir(path)):
        raise InvalidRequestError(f"There is no file {shown(path)}. Check the path.")


LONGEST_TEXT: Final = 1_000_000  # bytes; ten minutes of codes are 72,000


def read_text(path: Path) -> str:
    """The content of a text file that the user named.

    Raises:
        InvalidRequestError: it cannot be read.
    """
    try:
        text = parsing.read_text(path, LONGEST_TEXT)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidRequestError(
            f"{shown(path)}: the text cannot be read ({reason}). Give a file of UTF-8 text."
        ) from error
    if fault := text_fault(text):
        raise InvalidRequestError(f"{shown(path)}: the text {fault}. Give a file of UTF-8 text.")
    return text
