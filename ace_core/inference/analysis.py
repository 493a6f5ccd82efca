"""What is found out about finished songs: when each word is sung, and how well it turned out."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
from .takes import takes_of
from .types import GenerationConfig

NOTHING_SUNG: Final = (
    "The lyrics are section tags only, so there is nothing to time or score. Write the words that "
    "are sung below the tags, or turn `lyric_timestamps` and `score` off."
)
NO_JUDGE: Final = (
    "`prefer` names quality, which a language model judges, but there is none. Give one, or leave "
    "quality out of `prefer`."
)
_TAGS: Final = re.compile(r"\[[^\]]*(\]|$)")
SCORE_PARTS: Final = ("coverage", "order", "confidence")  # of the singing


@dataclass(frozen=True, slots=True)
class Found:
    """What is found out about one song; None where nobody asks for it, or it has none."""

    timed: dict[str, Any] | None = None
    singing: AlignmentScore | None = None
    codes: CodesScore | None = None

    @property
    def scores(self) -> dict[str, float]:
        """By the names of their criteria, 0 to 1."""
        parts = {"lyrics": self.singing, "quality": self.codes}
        return {name: part.total for name, part in parts.items() if part is not None}

    def entries(self, config: GenerationConfig) -> dict[str, Any]:
        """What the song's entry in the result gains."""
        timed = {} if self.timed is None else {"lyric_timestamps": self.timed}
        return {**timed, "score": _score(self)} if config.score else timed


def check_analysis(config: GenerationConfig, song: Song, has_lm: bool) -> None:
    """Refuse what cannot be found out about `song`, before it is made; `has_lm` is whether there is
    a language model that could judge it.

    Raises:
        InvalidRequestError: nobody sings, the lyrics are section tags only, or there is no language
            model that takes could be ranked by.
    """
    takes = takes_of(config)
    if takes is not None and "quality" in takes.weights and not has_lm:
        raise InvalidRequestError(NO_JUDGE)
    if not song.instrumental:
        if (config.lyric_timestamps or _scores_asked(config)[0]) and not _TAGS.sub(
            "", song.lyrics
        ).strip():
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
) -> list[Found]:
    """For each song of `made`, its tasks and latents [B, T, C], what `config` asks for.

    Raises:
        InvalidRequestError: the lyrics hold nothing that is sung.
        NotEnoughMemoryError: it does not fit.
    """
    tasks, latents = made
    found = [Found() for _ in latents]
    scores_singing, scores_codes = _scores_asked(config)
    if not song.instrumental and (scores_singing or config.lyric_timestamps):
        tokens = lyric_tokens(service.models.text.tokenizer, song)
        maps = _maps(service, tasks, latents, tokens)
        seconds = seconds_of(tasks[0].music_frames)
        if config.lyric_timestamps:
            lines = [timed_lines(tokens, token_spans(each, seconds)) for each in maps]
            times = [_timed(own, config.lyric_timestamps) for own in lines]
            found = [replace(f, timed=own) for f, own in zip(found, times, strict=True)]
        if scores_singing:
            sung = [alignment_score(each, tokens.sung) for each in maps]
            found = [replace(f, singing=own) for f, own in zip(found, sung, strict=True)]
    if scores_codes:
        judged = _judged(service, llm, song, latents[:, : tasks[0].music_frames])
        found = [replace(f, codes=own) for f, own in zip(found, judged, strict=True)]
    return found


def analysed(config: GenerationConfig) -> bool:
    """Whether the models are asked about the finished songs at all."""
    return bool(config.lyric_timestamps) or any(_scores_asked(config))


def _scores_asked(config: GenerationConfig) -> tuple[bool, bool]:
    """Whether the singing and the codes are scored."""
    takes = takes_of(config)
    names = () if takes is None else takes.weights
    return config.score or "lyrics" in names, config.score or "quality" in names


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


def _score(found: Found) -> dict[str, Any]:
    """Every part by its name, and "total", the mean of the singing and the codes."""
    parts: dict[str, Any] = {}
    if found.singing is not None:
        parts["lyrics"] = {name: getattr(found.singing, name) for name in SCORE_PARTS}
    if found.codes is not None:
        parts["codes"] = dict(found.codes.parts)
    totals = found.scores.values()
    return {"total": sum(totals) / len(totals), **parts}


def _ready(llm: LLMHandler | None) -> bool:
    return llm is not None and llm.llm_initialized
