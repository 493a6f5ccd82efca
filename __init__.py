"""ACE-Step 1.5 for ComfyUI. The host calls `comfy_entrypoint`; nothing is imported before."""

import logging
from typing import Any

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> Any:
    """The extension with all nodes of the pack."""
    try:
        from .nodes.extension import AceStepExtension
    except Exception:  # the host logs only str(error); keep the traceback for the bug report
        logging.getLogger(__name__).exception("The ACE-Step 1.5 nodes could not be imported")
        raise
    return AceStepExtension()
