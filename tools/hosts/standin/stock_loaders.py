"""Stand-ins for stock loaders: their inputs and outputs, for workflows that name them.

The stand-in has none of ComfyUI's own networks, so they load nothing.
"""

from typing import Any

import folder_paths
from comfy_api.latest import io

_TYPES = "sdxl sd3 flux hunyuan_video hidream hunyuan_image hunyuan_video_15 kandinsky5"
_MORE_TYPES = "kandinsky5_image ltxv newbie ace"
_WEIGHTS = ["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]


def _file(name: str, folder: str) -> io.Combo.Input:
    return io.Combo.Input(name, options=folder_paths.get_filename_list(folder))


class _Loader(io.ComfyNode):
    @classmethod
    def execute(cls, **_: Any) -> io.NodeOutput:
        raise NotImplementedError("the stand-in has no models of ComfyUI's own")


class UNETLoader(_Loader):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="UNETLoader",
            category="advanced/loaders",
            inputs=[
                _file("unet_name", "diffusion_models"),
                io.Combo.Input("weight_dtype", options=_WEIGHTS, advanced=True),
            ],
            outputs=[io.Model.Output()],
        )


class DualCLIPLoader(_Loader):
    @classmethod
    def define_schema(cls) -> io.Schema:
        types = f"{_TYPES} {_MORE_TYPES}".split()
        return io.Schema(
            node_id="DualCLIPLoader",
            category="advanced/loaders",
            inputs=[
                _file("clip_name1", "text_encoders"),
                _file("clip_name2", "text_encoders"),
                io.Combo.Input("type", options=types),
                io.Combo.Input("device", options=["default", "cpu"], optional=True, advanced=True),
            ],
            outputs=[io.Clip.Output()],
        )


class VAELoader(_Loader):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VAELoader",
            category="loaders",
            inputs=[_file("vae_name", "vae")],
            outputs=[io.Vae.Output()],
        )


CLASSES = (UNETLoader, DualCLIPLoader, VAELoader)
