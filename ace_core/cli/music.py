"""`generate` and the commands that start from a recording: one request, saved whole."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..batch.models import Models
from ..batch.prompts import Request, check_request, request_of
from ..constants import TRACKS
from ..errors import AceStepError, InvalidRequestError
from ..inference import generate_music
from ..inference.limits import REMIX
from ..inference.request import RANDOM_SEED
from ..inference.types import GenerationConfig, GenerationParams, GenerationResult
from ..prompts import complete_instruction, extract_instruction, lego_instruction
from ..types import Variant
from ..writing import draft_folder, name_all, save_errors
from .arguments import TRACK_COMMANDS
from .models import model_choice
from .options import given_fields, read_text
from .output import Output, usage_errors

INSTRUCTIONS: Final = {
    "lego": lambda tracks: lego_instruction(tracks[0]),
    "extract": lambda tracks: extract_instruction(tracks[0]),
    "complete": complete_instruction,
}
FIELDS_OF: Final[Mapping[str, Mapping[str, Any]]] = {  # of commands that are not named as a task
    "generate": {},
    "morph": {"flow_edit_morph": True},
    "audio2audio": {"audio2audio_enable": True},
    "remix": {"task_type": REMIX},
}
FOUND: Final = ("lyric_timestamps", "score", "fit")  # about a song, where it is asked for
SUFFIX_OF_FORMAT: Final = {"wav32": "wav", "aac": "m4a"}  # where they differ
FORMAT_OF_SUFFIX: Final = {"m4a": "aac"}


def run(arguments: argparse.Namespace, output: Output) -> int:
    with usage_errors():
        request = _request(arguments)
        check_request(request, Variant.BASE)  # what no model can do; base takes most settings
        choice = model_choice(arguments, output, request.params.thinking)
        check_request(request, choice.known_variant(), choice.lm is not None)
        choice.check_adapters(request.params.lora)
    output.bar(0.0, "Loading the models")
    models = choice.load()
    out: Path = arguments.out
    with draft_folder(out.parent if out.suffix else out) as folder:
        result = _generate(models, request, folder, output)
        files = _named(result, out)
    _report(output, result, files)
    return 0


def _request(arguments: argparse.Namespace) -> Request:
    """
    Raises:
        InvalidRequestError: options contradict each other or have invalid values.
    """
    fields = given_fields(arguments, GenerationParams)
    fields |= given_fields(arguments, GenerationConfig)
    fields |= FIELDS_OF.get(arguments.command, {"task_type": arguments.command})
    if arguments.lyrics_file is not None:
        if "lyrics" in fields:
            raise InvalidRequestError("--lyrics and --lyrics-file are both given. Give one.")
        fields["lyrics"] = read_text(arguments.lyrics_file)
    tracks = list(itertools.chain.from_iterable(getattr(arguments, "track", None) or ()))
    _check_tracks(arguments, tracks, fields)
    if tracks:
        fields["instruction"] = INSTRUCTIONS[arguments.command](tuple(tracks))
    suffix = arguments.out.suffix.removeprefix(".").lower()
    if suffix:
        form = fields.setdefault("audio_format", FORMAT_OF_SUFFIX.get(suffix, suffix))
        ending = SUFFIX_OF_FORMAT.get(form, form)
        if ending != suffix:
            raise InvalidRequestError(
                f"--out ends with .{suffix}, but the format {form} makes a .{ending} file. Give "
                "one of them, or two that agree."
            )
    request = request_of(fields, Path())
    request.config.use_random_seed = "seeds" not in fields and request.params.seed == RANDOM_SEED
    return request


def _check_tracks(
    arguments: argparse.Namespace, tracks: Sequence[str], fields: Mapping[str, Any]
) -> None:
    """
    Raises:
        InvalidRequestError: a command on tracks without one, or one track where several are given.
    """
    command = arguments.command
    if command in TRACK_COMMANDS and not tracks and "instruction" not in fields:
        raise InvalidRequestError(
            f"{command} needs --track, {'one or more' if command == 'complete' else 'one'} of "
            f"{', '.join(TRACKS)}."
        )
    if command in ("lego", "extract") and len(tracks) > 1:
        raise InvalidRequestError(
            f"{command} makes one track, but --track names {len(tracks)}. Run it once per track."
        )


def _generate(models: Models, request: Request, folder: Path, output: Output) -> GenerationResult:
    params, config = request
    result = generate_music(models.dit, models.lm, params, config, str(folder), output.bar)
    if not result.success:
        raise AceStepError(result.error or result.status_message)
    return result


def _named(result: GenerationResult, out: Path) -> list[Path]:
    """The songs under their names: those in a folder under a free one, a file that the user named
    in place of an earlier one. Of several ones each has a number, but the best of ranked takes has
    none.

    Raises:
        SaveError: a name cannot be given.
    """
    if not out.suffix:
        return [_in_folder(audio, out) for audio in result.audios]
    several = len(result.audios) > 1
    files = []
    for number, audio in enumerate(result.audios, start=1):
        best = number == 1 and "fit" in audio
        item = f".{number}" if several and not best else ""
        file = out.with_name(f"{out.stem}{item}{out.suffix}")
        for draft in _drafts(audio):
            name = file if draft.suffix == file.suffix else file.with_suffix(draft.suffix)
            with save_errors(name):
                draft.replace(name)
            if "lyric_timestamps" in audio and name != file:
                audio["lyric_timestamps"]["path"] = str(name)
        files.append(file)
    return files


def _drafts(audio: Mapping[str, Any]) -> list[Path]:
    """The song's file, and that of its timed lyrics."""
    timed = audio.get("lyric_timestamps")
    return [Path(each["path"]) for each in (audio, timed) if each is not None]


def _free(drafts: Sequence[Path], folder: Path) -> Path:
    song = drafts[0]
    for number in itertools.count(1):
        again = f"_{number}" if number > 1 else ""
        files = [folder / f"{song.stem}{again}{draft.suffix}" for draft in drafts]
        with save_errors(files[0]), suppress(FileExistsError):
            name_all(drafts, files)
            return files[0]
    raise AssertionError("counting has no end")


def _in_folder(audio: dict[str, Any], folder: Path) -> Path:
    """The song's file under a free name, and its timed lyrics beside it."""
    drafts = _drafts(audio)
    file = _free(drafts, folder)
    if len(drafts) > 1:
        audio["lyric_timestamps"]["path"] = str(file.with_suffix(drafts[1].suffix))
    return file


def _report(output: Output, result: GenerationResult, files: list[Path]) -> None:
    songs = [
        {
            "path": str(file),
            "seed": audio["params"]["seed"],
            "key": audio["key"],
            "params": audio["params"],
            **{name: audio[name] for name in FOUND if name in audio},
        }
        for file, audio in zip(files, result.audios, strict=True)
    ]
    content: dict[str, Any] = {
        "success": True,
        "songs": songs,
        "lm_metadata": result.extra_outputs.get("lm_metadata"),
        "time_costs": result.extra_outputs.get("time_costs", {}),
        "status_message": result.status_message,
    }
    if result.status_message:
        output.note(result.status_message)
    output.result(content, "\n".join(map(_line, songs)))


def _line(song: Mapping[str, Any]) -> str:
    score = f"  score {song['score']['total']:.4f}" if "score" in song else ""
    fit = f"  {song['fit']['score']:.4f}: {song['fit']['reason']}" if "fit" in song else ""
    return f"{song['path']}  seed {song['seed']}{score}{fit}"
