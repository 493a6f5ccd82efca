"""What a request lacks, found before a file is read or a model is loaded."""

from .analysis import check_analysis
from .planning import check_length, codes_given, not_asked
from .request import INSTRUCTION_EXAMPLES, song_of, tracks_of
from .takes import takes_of
from .task_inputs import check_source
from .types import GenerationConfig, GenerationParams


def check_complete(
    params: GenerationParams, config: GenerationConfig, no_lm: str | None = None
) -> None:
    """Refuse a request that no run can carry out; `no_lm` says that there is no language model.

    Raises:
        InvalidRequestError: a task without its recording or track, codes that are none, a length
            that nobody chooses, nothing that could be timed or scored, or nothing that takes could
            be compared with.
        InvalidSongError: an invalid key, time signature or language.
    """
    song = song_of(params)
    starts_from_recording = check_source(params)
    if params.task_type in INSTRUCTION_EXAMPLES:
        tracks_of(params.task_type, params.instruction)
    codes = codes_given(params)
    reason = not_asked(params) or no_lm
    if reason is not None and not starts_from_recording:
        check_length(song, codes, reason)
    check_analysis(config, song, no_lm is None)
    takes = takes_of(config)
    if takes is not None and (reason is not None or not params.use_cot_metas):
        takes.check_song(song)  # else the language model may fill in what is open
