"""The published calls of the language model alone: understand codes, create and format a sample."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from ..cleaning import clean
from ..constants import CAPTION_CHARACTERS, LYRIC_CHARACTERS
from ..errors import AceStepError, InvalidRequestError
from ..lm import functions
from ..lm.codes import read_codes
from ..lm.decoding import log_tokens
from ..lm.functions import TextOptions
from ..lm.language_model import LanguageModel
from ..lm.plan import Sample
from ..memory import out_of_memory
from ..parsing import quoted
from ..sampling.recipe import seeds_for
from ..section_tags import tag_notes
from ..texts import not_used
from ..types import AudioCodes, Song
from .handlers import LLMHandler
from .limits import check_texts, check_types
from .music import OUT_OF_MEMORY, check_arguments
from .normalize import normalized
from .planning import metadata_dict
from .request import language_of, sampling_params_of, song_of
from .types import CreateSampleResult, FormatSampleResult, GenerationParams, UnderstandResult

Result = TypeVar("Result", UnderstandResult, CreateSampleResult, FormatSampleResult)
Call = Callable[[LanguageModel, TextOptions], Sample]
METADATA: Final = {  # names in `user_metadata`, and their parameters
    "bpm": "bpm",
    "duration": "duration",
    "keyscale": "keyscale",
    "timesignature": "timesignature",
    "language": "vocal_language",
}
ELLIPSIS: Final = (".", "…")  # after codes that were shortened for a document


@dataclass(frozen=True, slots=True)
class TextParams:
    """How a text is generated, in the published names; a seed of None or -1 is drawn."""

    temperature: float
    top_k: int | None
    top_p: float | None
    repetition_penalty: float
    constrained: bool
    trace: bool
    seed: int | None

    def options(self, lm: LanguageModel) -> TextOptions:
        (seed,) = seeds_for(1, [None if self.seed == -1 else self.seed])
        sampling = sampling_params_of(
            self.temperature, self.top_k, self.top_p, self.repetition_penalty
        )
        trace = (lambda step: log_tokens(lm, step)) if self.trace else None
        return TextOptions(sampling, seed, self.constrained, on_step=trace)

    @property
    def unused(self) -> list[str]:
        """What was given and is not read, and why."""
        if self.temperature != 0:
            return []
        off = {"top_k": (None, 0), "top_p": (None, 1), "seed": (None, -1)}
        names = [name for name, values in off.items() if getattr(self, name) not in values]
        return [not_used(names, "`temperature` 0 takes the most likely token")] if names else []


def codes_of(text: str) -> AudioCodes:
    """The audio codes in `text`, which may end with dots.

    Raises:
        InvalidCodesError: there are none.
    """
    return read_codes(text.rstrip().rstrip("".join(ELLIPSIS)))


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
    """Describe the song of `audio_codes`. Dots after the codes are ignored."""
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

    def call(lm: LanguageModel, options: TextOptions) -> Sample:
        return functions.understand(lm, codes_of(audio_codes), options)

    return _call(UnderstandResult(), llm_handler, params, call)


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
    """A song from an idea in a few words; an empty one leaves it to the model."""
    check_arguments((llm_handler, LLMHandler), (query, str), (instrumental, bool))
    idea = clean(query)
    params = TextParams(
        temperature,
        top_k,
        top_p,
        repetition_penalty,
        use_constrained_decoding,
        constrained_decoding_debug,
        seed,
    )

    def call(lm: LanguageModel, options: TextOptions) -> Sample:
        language = language_of(vocal_language)
        return functions.create_sample(lm, idea.text, instrumental, language, options)

    result = _call(CreateSampleResult(), llm_handler, params, call)
    result = _noted(result, idea.notes("query"))
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
    """A rewritten caption and formatted lyrics. What `user_metadata` gives is kept."""
    check_arguments((llm_handler, LLMHandler), (caption, str), (lyrics, str))
    style, words = clean(caption), clean(lyrics)
    notes = (*style.notes("caption"), *words.notes("lyrics"), *tag_notes(words.text))
    params = TextParams(
        temperature,
        top_k,
        top_p,
        repetition_penalty,
        use_constrained_decoding,
        constrained_decoding_debug,
        seed,
    )

    def call(lm: LanguageModel, options: TextOptions) -> Sample:
        check_texts(style.text, words.text)
        song = song_with_metadata(style.text, words.text, user_metadata or {})
        return functions.format_sample(lm, song, options)

    return _noted(_call(FormatSampleResult(), llm_handler, params, call), notes)


def song_with_metadata(caption: str, lyrics: str, metadata: Mapping[str, Any]) -> Song:
    """A draft with its metadata, by the published names.

    Raises:
        InvalidRequestError: an unknown name, or an invalid value.
    """
    unknown = sorted(set(metadata) - set(METADATA))
    if unknown:
        raise InvalidRequestError(
            f"`user_metadata` holds {', '.join(map(repr, unknown))}. It may hold "
            f"{', '.join(METADATA)}."
        )
    given = {METADATA[name]: value for name, value in metadata.items()}
    for name, value in metadata.items():
        _check_fact(name, value)
    return song_of(normalized(GenerationParams(caption=caption, lyrics=lyrics, **given)))


def _check_fact(name: str, value: object) -> None:
    """
    Raises:
        InvalidRequestError: a value of `user_metadata` that is none of its kind.
    """
    alone: dict[str, Any] = {METADATA[name]: value}
    try:
        check_types(normalized(GenerationParams(**alone)))
    except TypeError as error:
        numbers = name in ("bpm", "duration")
        kind = "a number, as in 95" if numbers else "text"
        raise InvalidRequestError(
            f"`user_metadata` gives {quoted(value)} for {name}. Give {kind}, or leave it out."
        ) from error


def _call(blank: Result, handler: LLMHandler, params: TextParams, call: Call) -> Result:
    """`blank` with the model's reply, or with the error."""
    try:
        with handler.ready() as lm:
            options = params.options(lm)
            sample = call(lm, options)
    except (AceStepError, RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            reason = OUT_OF_MEMORY
        elif isinstance(error, AceStepError):
            reason = str(error)
        else:
            raise
    else:
        return _noted(_with_sample(blank, sample, options.seed), params.unused)
    return replace(blank, status_message=f"Error: {reason}", success=False, error=reason)


def _noted(result: Result, notes: Sequence[str]) -> Result:
    """`result` with the notes behind its status, if there is one to add to."""
    if not result.success or not notes:
        return result
    return replace(result, status_message="\n".join([result.status_message, *notes]))


def _with_sample(blank: Result, sample: Sample, seed: int) -> Result:
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


def truncate(name: str, text: str, most: int) -> tuple[str, list[str]]:
    """`text` cut after its last complete line, sentence or word within `most` characters, so that
    it can be given back to the model, and a note if it was cut."""
    if len(text) <= most:
        return text, []
    start = text[:most]
    ends = [match.end() for match in re.finditer(r"\n|[.!?。！？](?=\s|$)", start)]
    words = [match.start() for match in re.finditer(r"\s", start)]
    end = next((places[-1] for places in (ends, words) if places and places[-1] > most // 2), most)
    note = f"The model's {name} had {len(text)} characters and was cut to {most}."
    return start[:end].rstrip(), [note]
