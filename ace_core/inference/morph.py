"""A morph (flow edit) by the published parameters: a recording whose words are exchanged."""

from dataclasses import replace
from typing import Final

from ..errors import InvalidRequestError
from ..task import EditWindow, SourceUse
from ..types import Song
from .limits import COVER, REMIX
from .types import GenerationParams

MORPHED_TASKS: Final = {  # as the official code: what the model sees of the recording in each
    "text2music": SourceUse.INIT_ONLY,
    COVER: SourceUse.QUANTIZED,
    REMIX: SourceUse.WHOLE,
}


def edit_window(params: GenerationParams) -> EditWindow | None:
    """Where in the schedule the words are exchanged; None: this is no morph.

    Raises:
        InvalidRequestError: another task, no recording, or a window that cannot be used.
    """
    if not params.flow_edit_morph:
        return None
    if params.task_type not in MORPHED_TASKS:
        raise InvalidRequestError(
            f"`flow_edit_morph` exchanges the words of a whole recording, in the task "
            f"{' or '.join(MORPHED_TASKS)}, but the task is {params.task_type}. Turn it off."
        )
    if params.src_audio is None or params.audio_codes.strip():
        raise InvalidRequestError(
            "`flow_edit_morph` starts from a recording. Set `src_audio` to its path, and leave "
            "`audio_codes` empty."
        )
    return EditWindow(params.flow_edit_n_min, params.flow_edit_n_max, params.flow_edit_n_avg)


def source_song(params: GenerationParams, song: Song) -> Song:
    """The recording as it is: `song` with the words of the source where they are given."""
    return replace(
        song,
        caption=params.flow_edit_source_caption or song.caption,
        lyrics=params.flow_edit_source_lyrics or song.lyrics,
    )
