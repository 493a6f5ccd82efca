"""To hear two seconds of the song every few steps while the sampler works."""

import logging
from typing import Any
from uuid import uuid4

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.excerpt import excerpt_frames
from ..ace_core.audio.files import Encoding, FileFormat, save
from ..ace_core.errors import InvalidRequestError
from ..ace_core.memory import Notices
from ..ace_core.timing import seconds_of
from . import folders

EVENT = "acestep15.heard"  # that the page's script waits for
FORM = FileFormat(Encoding.FLAC_16)  # exact in length; a file is fetched by who plays it only
MIDDLE = -1.0  # in the place of a moment
OFF = 0  # in the place of steps

logger = logging.getLogger(__name__)


def preview_inputs() -> list[io.Input]:
    return [
        io.Vae.Input(
            "vae",
            optional=True,
            tooltip="Only to listen while the song is made: connect it and set listen_every.",
        ),
        io.Int.Input(
            "listen_every",
            default=OFF,
            min=OFF,
            max=200,
            optional=True,
            advanced=True,
            tooltip="Two seconds of the first song to play on this node, new after every so many "
            "steps. 0: none. The finished song is the same. Needs the VAE.",
        ),
        io.Float.Input(
            "listen_at",
            default=MIDDLE,
            min=MIDDLE,
            max=600.0,
            step=0.1,
            optional=True,
            advanced=True,
            tooltip="Where in the song the two seconds begin. Below 0: in its middle.",
        ),
    ]


def make_preview(
    latent: dict[str, Any], hidden: Any, vae: Any, listen_every: int, listen_at: float
) -> Any:
    """A `host.Hearing` of the song that is made on that LATENT; None when none is wanted.

    Raises:
        InvalidRequestError: there is no VAE, or the song is over before that moment.
        CheckpointError: a VAE of another family.
    """
    if listen_every == OFF:
        return None
    if vae is None:
        raise InvalidRequestError(
            f"listen_every is {listen_every}, but no VAE is connected to listen with. Connect "
            "ACE-Step Load VAE to `vae`, or set listen_every to 0."
        )
    from . import host

    frames = excerpt_frames(latent["samples"].shape[-1], None if listen_at < 0 else listen_at)
    first, behind = (seconds_of(frame) for frame in frames)
    node = None if hidden is None else hidden.unique_id

    def hand(audio: Tensor, step: int, steps: int) -> None:
        place = folders.temporary_file(f"ace_step_heard_{uuid4().hex}.flac")
        save(place, audio, FORM)
        file = {"filename": place.name, "subfolder": "", "type": io.FolderType.temp.value}
        when = {"step": step, "steps": steps, "start": first, "end": behind}
        host.tell(EVENT, {"node": node, **when, **file})

    return host.Hearing(vae, listen_every, frames, hand, Notices(logger.warning))
