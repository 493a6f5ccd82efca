"""Audio previews: two seconds of the song every few steps while the sampler runs."""

import logging
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..ace_core.audio.files import Encoding, FileFormat, audio_content
from ..ace_core.audio.preview import preview_frames
from ..ace_core.errors import InvalidRequestError
from ..ace_core.latents import latent_samples
from ..ace_core.memory import Notices
from ..ace_core.timing import seconds_of
from . import folders, temporary_files

EVENT = "acestep15.audio_preview"  # web/audio_preview.js listens for it
FORM = FileFormat(Encoding.FLAC_16)  # exact in length; only a page that plays it fetches the file
MIDDLE = -1.0  # as a start time
OFF = 0  # as a number of steps

logger = logging.getLogger(__name__)


def preview_inputs() -> list[io.Input]:
    return [
        io.Vae.Input(
            "vae",
            optional=True,
            tooltip="Only for previews while sampling: connect it and set preview_every.",
        ),
        io.Int.Input(
            "preview_every",
            default=OFF,
            min=OFF,
            max=200,
            optional=True,
            advanced=True,
            tooltip="A preview after every so many steps: two seconds of the first song, to play "
            "on this node. 0: none. The finished song is the same. Needs the VAE.",
        ),
        io.Float.Input(
            "preview_at",
            default=MIDDLE,
            min=MIDDLE,
            max=600.0,
            step=0.1,
            optional=True,
            advanced=True,
            tooltip="Where in the song the preview starts, in seconds. Below 0: in its middle.",
        ),
    ]


def make_preview(
    latent: dict[str, Any], hidden: Any, vae: Any, preview_every: int, preview_at: float
) -> Any:
    """A `host.AudioPreview` of the song that is sampled from that LATENT; None when it is off.

    Raises:
        InvalidRequestError: there is no VAE, or `preview_at` is beyond the end of the song.
        CheckpointError: a VAE of another family.
    """
    if preview_every == OFF:
        return None
    if vae is None:
        raise InvalidRequestError(
            f"preview_every is {preview_every}, but no VAE is connected to decode with. Connect "
            "ACE-Step Load VAE to `vae`, or set preview_every to 0."
        )
    from . import host

    latent_samples(latent)
    frames = preview_frames(host.music_frames(latent), None if preview_at < 0 else preview_at)
    start, stop = (seconds_of(frame) for frame in frames)
    node = None if hidden is None else hidden.unique_id
    client = host.client_id()

    def send(audio: Tensor, step: int, steps: int) -> None:
        path = temporary_files.preview_file(client, node)
        folders.save_temporary(path, audio_content(path.name, audio, FORM))
        temporary_files.remove_old_previews(client, node)
        file = {"filename": path.name, "subfolder": "", "type": io.FolderType.temp.value}
        when = {"step": step, "steps": steps, "start": start, "end": stop}
        host.send_event(EVENT, {"node": node, **when, **file})

    return host.AudioPreview(vae, preview_every, frames, send, Notices(logger.warning))
