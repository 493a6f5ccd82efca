"""Stand-ins for the stock nodes around editing: a sampler taken apart, and a mask."""

from typing import Any

import comfy.samplers
import comfy.utils
import latent_preview
import torch
from comfy_api.latest import io


class SamplerCustomAdvanced(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SamplerCustomAdvanced",
            category="sampling/custom_sampling",
            inputs=[
                io.Noise.Input("noise"),
                io.Guider.Input("guider"),
                io.Sampler.Input("sampler"),
                io.Sigmas.Input("sigmas"),
                io.Latent.Input("latent_image"),
            ],
            outputs=[
                io.Latent.Output(display_name="output"),
                io.Latent.Output(display_name="denoised_output"),
            ],
        )

    @classmethod
    def execute(
        cls, noise: Any, guider: Any, sampler: Any, sigmas: Any, latent_image: dict[str, Any]
    ) -> io.NodeOutput:
        samples = guider.sample(
            noise.generate_noise(latent_image),
            latent_image["samples"],
            sampler,
            sigmas,
            denoise_mask=latent_image.get("noise_mask"),
            callback=latent_preview.prepare_callback(guider.model_patcher, len(sigmas) - 1),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            seed=noise.seed,
        )
        out = {**latent_image, "samples": samples}
        return io.NodeOutput(out, out)


class KSamplerSelect(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KSamplerSelect",
            category="sampling/custom_sampling/samplers",
            inputs=[io.Combo.Input("sampler_name", options=comfy.samplers.SAMPLER_NAMES)],
            outputs=[io.Sampler.Output()],
        )

    @classmethod
    def execute(cls, sampler_name: str) -> io.NodeOutput:
        return io.NodeOutput(comfy.samplers.sampler_object(sampler_name))


class SolidMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SolidMask",
            category="mask",
            inputs=[
                io.Float.Input("value", default=1.0, min=0.0, max=1.0, step=0.01),
                io.Int.Input("width", default=512, min=1, max=16384),
                io.Int.Input("height", default=512, min=1, max=16384),
            ],
            outputs=[io.Mask.Output()],
        )

    @classmethod
    def execute(cls, value: float, width: int, height: int) -> io.NodeOutput:
        return io.NodeOutput(torch.full((1, height, width), value))


class AudioMerge(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AudioMerge",
            category="audio",
            inputs=[
                io.Audio.Input("audio1"),
                io.Audio.Input("audio2"),
                io.Combo.Input("merge_method", options=["add", "mean", "subtract", "multiply"]),
            ],
            outputs=[io.Audio.Output()],
        )

    @classmethod
    def execute(
        cls, audio1: dict[str, Any], audio2: dict[str, Any], merge_method: str
    ) -> io.NodeOutput:
        """As long as the first; too loud a sum is divided by its peak. One rate only."""
        if audio1["sample_rate"] != audio2["sample_rate"]:
            raise NotImplementedError("the stand-in merges audio of one rate only")
        one, two = audio1["waveform"], audio2["waveform"]
        two = torch.nn.functional.pad(two, (0, max(0, one.shape[-1] - two.shape[-1])))
        two = two[..., : one.shape[-1]]
        merged = {
            "add": lambda: one + two,
            "mean": lambda: (one + two) / 2,
            "subtract": lambda: one - two,
            "multiply": lambda: one * two,
        }[merge_method]()
        merged = merged / merged.abs().max().clamp(min=1)
        return io.NodeOutput({"waveform": merged, "sample_rate": audio1["sample_rate"]})


NODES: dict[str, Any] = {
    each.GET_SCHEMA().node_id: each
    for each in (AudioMerge, SamplerCustomAdvanced, KSamplerSelect, SolidMask)
}
