"""Songs to files, and the dictionary of each song for the caller."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from .. import writing
from ..alignment.timed_lyrics import FORMATS as LYRIC_FORMATS
from ..audio.files import FileFormat, audio_content
from ..audio.tags import song_tags
from ..constants import SAMPLE_RATE, SECONDS_RANGE
from ..lm.codes import write_codes
from ..parallel import in_parallel
from ..types import AudioCodes, Song
from .limits import FORMATS
from .types import GenerationParams

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "ace_core.inference")


def make_folder(save_dir: str | None) -> Path | None:
    """The folder to save in, made where it is missing; None: nothing is saved.

    Raises:
        SaveError: it cannot be made.
    """
    if save_dir is None:
        return None
    return writing.make_folder(Path(save_dir), "`save_dir`")


def item_params(
    params: GenerationParams, seeds: Sequence[int], codes: Sequence[AudioCodes]
) -> list[dict[str, Any]]:
    """The parameters that bring each item back: those of the run with the item's seed and codes,
    and the plan in the `cot_` fields, which is reused."""
    texts = [write_codes(each) for each in codes] or [""]
    texts = texts * len(seeds) if len(texts) == 1 else texts
    base = params.to_dict()
    return [
        {**base, "seed": seed, "audio_codes": text, "reuse_cot": True}
        for seed, text in zip(seeds, texts, strict=True)
    ]


def key_of(params: Mapping[str, Any], models: Sequence[str]) -> str:
    """A UUID that depends on the parameters and the models only."""
    whole = json.dumps([params, list(models)], sort_keys=True, ensure_ascii=True)
    return str(uuid.uuid5(NAMESPACE, whole))


def audio_dict(sound: Tensor, params: dict[str, Any], key: str) -> dict[str, Any]:
    """One song [2, N] as the published API gives it, not yet saved."""
    return {
        "path": "",
        "tensor": sound,
        "key": key,
        "sample_rate": SAMPLE_RATE,
        "params": params,
    }


@dataclass(frozen=True, slots=True)
class UnsavedSongs:
    """The songs of one run, which have no files yet."""

    audios: Sequence[dict[str, Any]]
    song: Song
    folder: Path
    audio_format: str

    def save(self) -> None:
        """Write them at the same time, each as `save_song` does.

        Raises:
            SaveError: the first that cannot be written. The others are.
        """
        rest = (self.song, self.folder, self.audio_format)
        in_parallel([partial(save_song, audio, *rest) for audio in self.audios])


Save = Callable[[UnsavedSongs], object]  # saves songs, at once or later


def save_song(audio: dict[str, Any], song: Song, folder: Path, audio_format: str) -> None:
    """Write `audio` to `folder` under its key, complete or not at all, and set its "path"; timed
    lyrics lie beside it.

    Where the key's file is there already, the song gets the next free number behind the key.

    Raises:
        SaveError: it cannot be written.
    """
    form = FileFormat(FORMATS[audio_format])
    tags = {**song_tags(_as_long(song, audio)), "ace_step_params": json.dumps(audio["params"])}
    content = audio_content(audio["key"], audio["tensor"], form, tags, audio["sample_rate"])
    names = (f"{audio['key']}{again}{form.encoding.suffix}" for again in _again())
    timed = audio.get("lyric_timestamps")
    if timed is None:
        (path,) = writing.write_set([content], ([folder / name] for name in names))
    else:
        suffix, _ = LYRIC_FORMATS[timed["format"]]
        places = ([folder / name, (folder / name).with_suffix(f".{suffix}")] for name in names)
        lyrics = writing.bytes_content(f"{timed['text']}\n".encode())
        path, text = writing.write_set([content, lyrics], places)
        timed["path"] = str(text)
    audio["path"] = str(path)


def _as_long(song: Song, audio: Mapping[str, Any]) -> Song:
    """`song` with the length of the sound, which a source or codes may have decided; a length that
    a `Song` cannot have is left out."""
    seconds = audio["tensor"].shape[-1] / audio["sample_rate"]
    shortest, longest = SECONDS_RANGE
    return replace(song, seconds=seconds if shortest <= seconds <= longest else None)


def _again() -> Iterator[str]:
    """What follows the key in the names of songs that were made with the same parameters."""
    return itertools.chain([""], (f"_{number}" for number in itertools.count(2)))
