"""Each written token in the log, with the field it belongs to, for whoever looks into a reply."""

import logging

from .decoding import OnStep, Step
from .language_model import LanguageModel

logger = logging.getLogger(__name__)


def traced(lm: LanguageModel, on_step: OnStep, trace: bool) -> OnStep:
    """`on_step`, and with `trace` a line in the log for each token."""
    if not trace:
        return on_step

    def report(step: Step) -> None:
        on_step(step)
        log_step(lm, step)

    return report


def log_step(lm: LanguageModel, step: Step) -> None:
    for item, (token, name) in enumerate(zip(step.tokens, step.names, strict=True)):
        if token is not None:
            text = lm.vocabulary.decode([token])
            logger.info("token %d, item %d, %s: %d %r", step.done, item, name, token, text)
