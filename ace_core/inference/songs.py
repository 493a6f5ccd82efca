"""The language model by itself: describe what codes play, make a song up, lay a draft out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from ..constants import CAPTION_CHARACTERS, LYRIC_CHARACTERS
from ..errors import AceStepError, InvalidRequestError
from ..lm import functions
from ..lm.codes import read_codes
from ..lm.decoding import log_tokens
from ..lm.functions import TextOptions
from ..lm.language_model import LanguageModel
from ..lm.plan import Sample
from ..memory import out_of_memory
from ..sampling.recipe import seeds_for
from ..types import Song
from .handlers import LLMHandler
from .limits import check_texts, check_types
from .music import OUT_OF_MEMORY, check_arguments
from .params import GenerationParams
from .planning import metadata_dict
from .request import language_of, sampling_params_of, song_of
from .results import CreateSampleResult, FormatSampleResult, UnderstandResult
from .truncate import truncate

Result = TypeVar("Result", UnderstandResult, CreateSampleResult, FormatSampleResult)
Asking = Callable[[LanguageModel, TextOptions], Sample]
FACTS: Final = {  # names that `user_metadata` may hold, and the parameters they stand for
    "bpm": "bpm",
    "duration": "duration",
    "keyscale": "keyscale",
    "timesignature": "timesignature",
    "language": "vocal_language",
}
AND_SO_ON: Final = (".", "…")  # behind codes that were shortened for a document


@dataclass(frozen=True, slots=True)
class TextParams:
    """How a text is generated, in the published names; a seed of None is drawn."""

    temperature: float
    top_k: int | None
    top_p: float | None
    repetition_penalty: float
    constrained: bool
    trace: bool
    seed: int | None

    def options(self, lm: LanguageModel) -> TextOptions:
        (seed,) = seeds_for(1, [self.seed])
        sampling = sampling_params_of(
            self.temperature, self.top_k, self.top_p, self.repetition_penalty
        )
        trace = (lambda step: log_tokens(lm, step)) if self.trace else None
        return TextOptions(sampling, seed, self.constrained, on_step=trace)


def understand_music(
    llm_handler: LLMHandler,
    audio_codes: str,
    temperature: float = 0.85,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    use_constrained_decoding: bool = True,
    constrained_decoding_debug: bool = False,
    seed: int | None = None,
) -> UnderstandResult:
    """What the song that `audio_codes` play is like. Dots behind the codes are no codes."""
    check_arguments((llm_handler, LLMHandler), (audio_codes, str))
    params = TextParams(
        temperature,
        top_k,
        top_p,
        repetition_penalty,
        use_constrained_decoding,
        constrained_decoding_debug,
        seed,
    )

    def ask(lm: LanguageModel, options: TextOptions) -> Sample:
        codes = read_codes(audio_codes.rstrip().rstrip("".join(AND_SO_ON)))
        return functions.understand(lm, codes, options)

    return _answered(UnderstandResult(), llm_handler, params, ask)


def create_sample(
    llm_handler: LLMHandler,
    query: str,
    instrumental: bool = False,
    vocal_language: str | None = None,
    temperature: float = 0.85,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    use_constrained_decoding: bool = True,
    constrained_decoding_debug: bool = False,
    seed: int | None = None,
) -> CreateSampleResult:
    """A whole song from an idea in a few words; an empty one leaves it to the model."""
    check_arguments((llm_handler, LLMHandler), (query, str), (instrumental, bool))
    params = TextParams(
        temperature,
        top_k,
        top_p,
        repetition_penalty,
        use_constrained_decoding,
        constrained_decoding_debug,
        seed,
    )

    def ask(lm: LanguageModel, options: TextOptions) -> Sample:
        return functions.create_sample(
            lm, query, instrumental, language_of(vocal_language), options
        )

    result = _answered(CreateSampleResult(), llm_handler, params, ask)
    sung = Song(lyrics=result.lyrics)
    return replace(result, instrumental=result.success and (instrumental or sung.instrumental))


def format_sample(
    llm_handler: LLMHandler,
    caption: str,
    lyrics: str,
    user_metadata: dict[str, Any] | None = None,
    temperature: float = 0.85,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    use_constrained_decoding: bool = True,
    constrained_decoding_debug: bool = False,
    seed: int | None = None,
) -> FormatSampleResult:
    """A better caption and better laid out lyrics. What `user_metadata` states is kept."""
    check_arguments((llm_handler, LLMHandler), (caption, str), (lyrics, str))
    params = TextParams(
        temperature,
        top_k,
        top_p,
        repetition_penalty,
        use_constrained_decoding,
        constrained_decoding_debug,
        seed,
    )

    def ask(lm: LanguageModel, options: TextOptions) -> Sample:
        check_texts(caption, lyrics)
        song = stated(caption, lyrics, user_metadata or {})
        return functions.format_sample(lm, song, options)

    return _answered(FormatSampleResult(), llm_handler, params, ask)


def stated(caption: str, lyrics: str, facts: Mapping[str, Any]) -> Song:
    """A draft with its facts, by the published names.

    Raises:
        InvalidRequestError: a name or a value that is none.
    """
    unknown = sorted(set(facts) - set(FACTS))
    if unknown:
        raise InvalidRequestError(
            f"`user_metadata` holds {', '.join(map(repr, unknown))}. It may hold "
            f"{', '.join(FACTS)}."
        )
    given = {FACTS[name]: value for name, value in facts.items() if value not in (None, "")}
    for name in ("keyscale", "timesignature", "vocal_language"):
        if name in given:
            given[name] = str(given[name])
    params = GenerationParams(caption=caption, lyrics=lyrics, **given)
    check_types(params)
    return song_of(params)


def _answered(blank: Result, handler: LLMHandler, params: TextParams, ask: Asking) -> Result:
    """`blank` filled with what the model says, or with why it says nothing."""
    try:
        with handler.ready() as lm:
            options = params.options(lm)
            sample = ask(lm, options)
    except (AceStepError, RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or out_of_memory(error):
            reason = OUT_OF_MEMORY
        elif isinstance(error, AceStepError):
            reason = str(error)
        else:
            raise
    else:
        return _filled(blank, sample, options.seed)
    return replace(blank, status_message=f"Error: {reason}", success=False, error=reason)


def _filled(blank: Result, sample: Sample, seed: int) -> Result:
    caption, cut_caption = truncate("caption", sample.song.caption, CAPTION_CHARACTERS)
    lyrics, cut_lyrics = truncate("lyrics", sample.song.lyrics, LYRIC_CHARACTERS)
    found = metadata_dict(sample.reply.metadata)
    song = sample.song
    warnings = [f"Not understood: {warning}." for warning in sample.reply.warnings]
    meter = song.time_signature
    return replace(
        blank,
        caption=caption,
        lyrics=lyrics,
        bpm=song.bpm,
        duration=song.seconds,
        keyscale=song.key or "",
        language=song.language or "",
        timesignature="" if meter is None else str(meter),
        status_message="\n".join(
            [f"{len(found)} facts found, seed {seed}.", *cut_caption, *cut_lyrics, *warnings]
        ),
    )
