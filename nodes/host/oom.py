"""The core's handler of out-of-memory errors, with ComfyUI's memory manager behind it."""

import logging

import comfy.model_management

from ...ace_core.memory import Notices, Notify, OomHandler, out_of_memory

logger = logging.getLogger(__name__)


def host_oom_handler(notify: Notify | None = None) -> OomHandler:
    """`notify` is called about smaller pieces; without it, the log is."""
    return OomHandler(
        _is_full, comfy.model_management.soft_empty_cache, notify or Notices(logger.warning)
    )


def _is_full(error: RuntimeError) -> bool:
    return comfy.model_management.is_oom(error) or out_of_memory(error)
