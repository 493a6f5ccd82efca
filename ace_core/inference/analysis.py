"""What is found out about finished songs: when each word is sung, and how well it turned out."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from torch import Tensor

from ..alignment.attention_maps import default_heads, lyric_attention_maps
from ..alignment.lyric_tokens import LyricTokens, lyric_tokens
from ..alignment.score import AlignmentScore, alignment_score
from ..alignment.timed_lyrics import FORMATS, TimedLine, timed_lines
from ..alignment.timestamps import token_spans
from ..errors import InvalidRequestError
from ..lm.score_codes import CodesScore, score_codes
from ..pipeline import encode_codes, finished_songs
from ..task import Task
from ..timing import seconds_of
from ..types import Song
from .handlers import LLMHandler, Service
from .types import GenerationConfig

NOTHING_SUNG: Final = (
    "The lyrics are section tags only, so there is nothing to time or score. Write the words that "
    "are sung below the tags, or turn `lyric_timestamps` and `score` off."
)
_TAGS: Final = re.compile(r"\[[^\]]*(\]|$)")
SCORE_PARTS: Final = ("coverage", "order", "confidence")  # of the singing


def check_analysis(config: GenerationConfig, song: Song, has_lm: bool) -> None:
    """Refuse what cannot be found out about `song`, before it is made; `has_lm` is whether there is
    a language model that could judge it.

    Raises:
        InvalidRequestError: nobody sings, or the lyrics are section tags only.
    """
    if not song.instrumental:
        if (config.lyric_timestamps or config.score) and not _TAGS.sub("", song.lyrics).strip():
            raise InvalidRequestError(NOTHING_SUNG)
        return
    if config.lyric_timestamps:
        raise InvalidRequestError(
            "Nobody sings in this song, so `lyric_timestamps` has nothing to time. Give it "
            "`lyrics`, or leave `lyric_timestamps` empty."
        )
    if config.score and not has_lm:
        raise InvalidRequestError(
            "Nobody sings in this song, so only a language model can score it. Give one, or turn "
            "`score` off."
        )


def analyse(
    service: Service,
    llm: LLMHandler | None,
    config: GenerationConfig,
    song: Song,
    made: tuple[Sequence[Task], Tensor],
) -> list[dict[str, Any]]:
    """For each song of `made`, its tasks and latents [B, T, C], what `config` asks for by its
    name in the result.

    Raises:
        InvalidRequestError: the lyrics hold nothing that is sung.
        NotEnoughMemoryError: it does not fit.
    """
    tasks, latents = made
    found: list[dict[str, Any]] = [{} for _ in latents]
    singing: Sequence[AlignmentScore | None] = [None] * len(latents)
    if not song.instrumental:
        tokens = lyric_tokens(service.models.text.tokenizer, song)
        maps = _maps(service, tasks, latents, tokens)
        seconds = seconds_of(tasks[0].music_frames)
        if config.lyric_timestamps:
            lines = [timed_lines(tokens, token_spans(each, seconds)) for each in maps]
            for entry, own in zip(found, lines, strict=True):
                entry["lyric_timestamps"] = _timed(own, config.lyric_timestamps)
        if config.score:
            singing = [alignment_score(each, tokens.sung) for each in maps]
    if config.score:
        judged = _judged(service, llm, song, latents[:, : tasks[0].music_frames])
        for entry, sung, codes in zip(found, singing, judged, strict=True):
            entry["score"] = _score(sung, codes)
    return found


def _maps(
    service: Service, tasks: Sequence[Task], latents: Tensor, tokens: LyricTokens
) -> list[Tensor]:
    """[K, L', S] of each song: its attention to the lyrics."""
    models = service.models
    heads = default_heads(models.dit.config)
    played = -(-tasks[0].music_frames // models.dit.config.patch)  # S, without padding
    with service.dit:
        songs = finished_songs(models, tasks, latents.to(models.silence.device))
        maps = (lyric_attention_maps(models.dit.decoder, each, tokens, heads) for each in songs)
        return [each[..., :played].cpu() for each in maps]


def _judged(
    service: Service, llm: LLMHandler | None, song: Song, latents: Tensor
) -> Sequence[CodesScore | None]:
    """What the language model says of the songs' codes; None for each where there is none."""
    if llm is None or not _ready(llm):
        return [None] * len(latents)
    with service.dit:
        codes = encode_codes(service.models, latents)
    with llm.ready() as lm:
        return score_codes(lm, codes, song)


def _timed(lines: tuple[TimedLine, ...], form: str) -> dict[str, Any]:
    """The lines by name, and the text of a file without section tags."""
    _, write = FORMATS[form]
    return {
        "format": form,
        "text": write([line for line in lines if line.sung]),
        "lines": [asdict(line) for line in lines],
    }


def _score(singing: AlignmentScore | None, codes: CodesScore | None) -> dict[str, Any]:
    """Every part by its name, and "total", the mean of the singing and the codes."""
    parts: dict[str, Any] = {}
    totals = []
    if singing is not None:
        parts["lyrics"] = {name: getattr(singing, name) for name in SCORE_PARTS}
        totals.append(singing.total)
    if codes is not None:
        parts["codes"] = dict(codes.parts)
        totals.append(codes.total)
    return {"total": sum(totals) / len(totals), **parts}


def _ready(llm: LLMHandler | None) -> bool:
    return llm is not None and llm.llm_initialized
