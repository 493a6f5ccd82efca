"""Stand-ins for the stock nodes that turn pictures and sound into a video."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import folder_paths
import torch
from comfy_api.latest import io, ui
from torch import Tensor

RESOLUTION = 16384  # pixels


@dataclass(frozen=True)
class Video:
    """What is on a VIDEO socket."""

    images: Tensor  # [F, H, W, 3]
    audio: dict[str, Any] | None
    rate: Fraction


class EmptyImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmptyImage",
            category="image",
            inputs=[
                _whole("width", 512, 1, RESOLUTION),
                _whole("height", 512, 1, RESOLUTION),
                _whole("batch_size", 1, 1, 4096),
                _whole("color", 0, 0, 0xFFFFFF),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, width: int, height: int, batch_size: int, color: int) -> io.NodeOutput:
        channels = torch.tensor(list(color.to_bytes(3, "big"))) / 255
        return io.NodeOutput(channels.repeat(batch_size, height, width, 1))


class ImageCompositeMasked(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ImageCompositeMasked",
            category="image",
            inputs=[
                io.Image.Input("source"),
                _whole("x", 0, 0, RESOLUTION),
                _whole("y", 0, 0, RESOLUTION),
                io.Boolean.Input("resize_source", default=False),
                io.Image.Input("destination", optional=True),
                io.Mask.Input("mask", optional=True),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(
        cls,
        source: Tensor,
        x: int,
        y: int,
        resize_source: bool,
        destination: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """RGB on RGB, as large as it; the destination says how many frames there are."""
        if destination is None or mask is None or x or y or not resize_source:
            raise NotImplementedError("the stand-in lays a whole picture on another, by a mask")
        frames, *size = destination.shape[:3]
        above = _repeated(_stretched(source.movedim(-1, 1), size), frames)
        share = _repeated(_stretched(mask[:, None], size), frames)
        below = destination.movedim(-1, 1)
        return io.NodeOutput((share * above + (1 - share) * below).movedim(1, -1))


class CreateVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CreateVideo",
            category="video",
            inputs=[
                io.Image.Input("images"),
                io.Float.Input("fps", default=30.0, min=1.0, max=120.0, step=1.0),
                io.Audio.Input("audio", optional=True),
            ],
            outputs=[io.Video.Output()],
        )

    @classmethod
    def execute(
        cls, images: Tensor, fps: float, audio: dict[str, Any] | None = None
    ) -> io.NodeOutput:
        return io.NodeOutput(Video(images, audio, Fraction(round(fps * 1000), 1000)))


class SaveVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SaveVideo",
            category="video",
            inputs=[
                io.Video.Input("video"),
                io.String.Input("filename_prefix", default="video/ComfyUI"),
                io.Combo.Input("format", options=["auto", "mp4"], default="auto"),
                io.Combo.Input("codec", options=["auto", "h264"], default="auto"),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: Video, filename_prefix: str, format: str, codec: str) -> io.NodeOutput:
        height, width = video.images.shape[1:3]
        folder, name, count, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory(), width, height
        )
        file = f"{name}_{count:05}_.mp4"
        facts = {**(cls.hidden.extra_pnginfo or {}), "prompt": cls.hidden.prompt}
        _write(video, Path(folder) / file, facts)
        saved = ui.SavedResult(file, subfolder, io.FolderType.output)
        return io.NodeOutput(ui=ui.SavedImages([saved], is_animated=True))


def _write(video: Video, path: Path, facts: dict[str, Any]) -> None:
    """H.264 in MP4, with the sound as AAC."""
    import av  # by those who save videos only

    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as film:
        for key, value in facts.items():
            film.metadata[key] = json.dumps(value)
        pictures: Any = film.add_stream("h264", rate=video.rate)
        pictures.height, pictures.width = video.images.shape[1:3]
        pictures.pix_fmt = "yuv420p"
        sound = _sound(video)
        if sound is None:
            streams = [(pictures, _frames(video.images))]
        else:
            heard: Any = film.add_stream("aac", rate=sound.sample_rate, layout=sound.layout.name)
            streams = [(pictures, _frames(video.images)), (heard, [sound])]
        for stream, frames in streams:
            for frame in chain(frames, [None]):  # nothing: the end
                film.mux(stream.encode(frame))


def _frames(images: Tensor) -> Iterator[Any]:
    import av

    for image in images:
        pixels = (image * 255).clamp(0, 255).byte().numpy()
        yield av.VideoFrame.from_ndarray(pixels, format="rgb24")


def _sound(video: Video) -> Any:
    """The first take, no longer than the pictures."""
    import av

    if video.audio is None:
        return None
    rate = int(video.audio["sample_rate"])
    heard = video.audio["waveform"][0, :, : math.ceil(rate / video.rate * len(video.images))]
    layout = "mono" if len(heard) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(heard.contiguous().numpy(), "fltp", layout)
    frame.sample_rate, frame.pts = rate, 0
    return frame


def _whole(name: str, default: int, smallest: int, largest: int) -> io.Int.Input:
    return io.Int.Input(name, default=default, min=smallest, max=largest)


def _stretched(pixels: Tensor, size: list[int]) -> Tensor:
    return torch.nn.functional.interpolate(pixels, size=size, mode="bilinear")


def _repeated(batch: Tensor, frames: int) -> Tensor:
    return batch.repeat(math.ceil(frames / len(batch)), 1, 1, 1)[:frames]


NODES: dict[str, Any] = {
    each.GET_SCHEMA().node_id: each
    for each in (EmptyImage, ImageCompositeMasked, CreateVideo, SaveVideo)
}
