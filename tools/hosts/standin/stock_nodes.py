"""Stand-ins for the few stock nodes that workflows of this pack use."""

from pathlib import Path
from typing import Any

import comfy.sample
import comfy.samplers
import folder_paths
import latent_preview
import soundfile
import torch
from comfy_api.latest import io, ui

from tools.hosts.standin.stock_loaders import CLASSES as LOADERS


class LoadAudio(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        folder = Path(folder_paths.get_input_directory())
        files = sorted(path.name for path in folder.iterdir() if path.is_file())
        return io.Schema(
            node_id="LoadAudio",
            category="audio",
            inputs=[io.Combo.Input("audio", options=files, upload=io.UploadType.audio)],
            outputs=[io.Audio.Output()],
        )

    @classmethod
    def execute(cls, audio: str) -> io.NodeOutput:
        path = Path(folder_paths.get_input_directory()) / audio
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return io.NodeOutput(
            {"waveform": torch.from_numpy(samples.T.copy())[None], "sample_rate": rate}
        )


class PreviewAny(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PreviewAny",
            category="utils",
            inputs=[io.AnyType.Input("source")],
            outputs=[io.String.Output()],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, source: Any) -> io.NodeOutput:
        return io.NodeOutput(str(source), ui={"text": (str(source),)})


class PreviewImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PreviewImage",
            category="image",
            inputs=[io.Image.Input("images")],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, images: torch.Tensor) -> io.NodeOutput:
        return io.NodeOutput(ui=ui.PreviewImage(images))


class KSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KSampler",
            category="sampling",
            inputs=[
                io.Model.Input("model"),
                io.Int.Input("seed", default=0, min=0, max=2**64 - 1, control_after_generate=True),
                io.Int.Input("steps", default=20, min=1, max=10000),
                io.Float.Input("cfg", default=8.0, min=0.0, max=100.0),
                io.Combo.Input("sampler_name", options=comfy.samplers.SAMPLER_NAMES),
                io.Combo.Input("scheduler", options=comfy.samplers.SCHEDULER_NAMES),
                io.Conditioning.Input("positive"),
                io.Conditioning.Input("negative"),
                io.Latent.Input("latent_image"),
                io.Float.Input("denoise", default=1.0, min=0.0, max=1.0),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Any,
        negative: Any,
        latent_image: dict[str, Any],
        denoise: float,
    ) -> io.NodeOutput:
        flow = model.get_model_object("model_sampling")
        total = steps if denoise > 0.9999 else int(steps / denoise) if denoise > 0 else 0
        sigmas = torch.zeros(0)
        if total:
            sigmas = comfy.samplers.calculate_sigmas(flow, scheduler, total)[-(steps + 1) :]
        source = comfy.sample.fix_empty_latent_channels(model, latent_image["samples"])
        samples = comfy.sample.sample_custom(
            model,
            comfy.sample.prepare_noise(source, seed, latent_image.get("batch_index")),
            cfg,
            comfy.samplers.sampler_object(sampler_name),
            sigmas,
            positive,
            negative,
            source,
            noise_mask=latent_image.get("noise_mask"),
            callback=latent_preview.prepare_callback(model, steps),
            seed=seed,
        )
        return io.NodeOutput({**latent_image, "samples": samples})


_CLASSES = (LoadAudio, PreviewAny, PreviewImage, KSampler, *LOADERS)
NODES: dict[str, Any] = {each.GET_SCHEMA().node_id: each for each in _CLASSES}
