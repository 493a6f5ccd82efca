"""Audio to audio by the published parameters, and the other names of a recording."""

from dataclasses import replace
from typing import Final

from ..errors import InvalidRequestError
from .types import GenerationParams

OTHER_NAMES: Final = ("src_audio_path", "ref_audio_input")  # of `src_audio`, in other tools


def with_one_source(params: GenerationParams) -> GenerationParams:
    """`params` in which `src_audio` holds what `src_audio_path`, or with `audio2audio_enable`
    `ref_audio_input`, names.

    Raises:
        InvalidRequestError: two names hold different recordings.
    """
    names = OTHER_NAMES if params.audio2audio_enable else OTHER_NAMES[:1]
    for name in names:
        given = getattr(params, name)
        if given is None:
            continue
        if params.src_audio not in (None, given):
            raise InvalidRequestError(
                f"`src_audio` is {params.src_audio!r} and `{name}` {given!r}, but both name the "
                "recording that the song starts from. Give one of them."
            )
        params = replace(params, src_audio=given, **{name: None})
    return params


def check_audio_start(params: GenerationParams) -> None:
    """
    Raises:
        InvalidRequestError: `audio2audio_enable` with another task, codes or a morph, or without a
            recording.
    """
    if not params.audio2audio_enable:
        return
    if params.task_type != "text2music" or params.flow_edit_morph:
        other = "a morph" if params.flow_edit_morph else f"the task {params.task_type}"
        raise InvalidRequestError(
            "`audio2audio_enable` starts a new song, the task text2music, from a recording; "
            f"{other} uses the recording in its own way. Turn one of them off."
        )
    if params.src_audio is None or params.audio_codes.strip():
        raise InvalidRequestError(
            "`audio2audio_enable` starts from a recording. Set `src_audio` (or `ref_audio_input`) "
            "to its path, and leave `audio_codes` empty."
        )
