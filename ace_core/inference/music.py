"""From parameters to saved songs: the one call that runs every stage."""

from collections.abc import Callable
from typing import Any

from .handlers import AceStepHandler, LLMHandler
from .params import GenerationConfig, GenerationParams
from .results import GenerationResult

Progress = Callable[..., Any]  # (share of the run from 0 to 1, desc=what is being done)


def generate_music(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler | None,
    params: GenerationParams,
    config: GenerationConfig,
    save_dir: str | None = None,
    progress: Progress | None = None,
) -> GenerationResult:
    """Songs for `params`, `config.batch_size` of them.

    What a user can fix comes back as `success` False with the reason in `error`.
    """
    raise NotImplementedError
