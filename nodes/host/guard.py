"""The core's guard against a full device, with ComfyUI's memory manager behind it."""

import logging

import comfy.model_management

from ...ace_core.memory import Guard, Notices, Say, out_of_memory

logger = logging.getLogger(__name__)


def host_guard(say: Say | None = None) -> Guard:
    """`say` is told of smaller pieces; without it, the log."""
    return Guard(_is_full, comfy.model_management.soft_empty_cache, say or Notices(logger.warning))


def _is_full(error: RuntimeError) -> bool:
    return comfy.model_management.is_oom(error) or out_of_memory(error)
