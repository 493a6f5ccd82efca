"""The miniature's models and one song, loaded through the pack inside a real ComfyUI."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from tools.hosts.pack import Pack

DIT = "diffusion_models/acestep_v1.5_turbo_miniature.safetensors"
XL = "diffusion_models/acestep_v1.5_xl_turbo_miniature.safetensors"
TEXT = "text_encoders/qwen_0.6b_ace15_miniature.safetensors"
VAE = "vae/ace_1.5_vae_miniature.safetensors"
SEED = 7


@dataclass(frozen=True)
class Studio:
    """Everything that a sampler needs, as the nodes hand it on."""

    pack: Pack
    host: ModuleType  # nodes.host
    folder: Path
    model: Any
    text: Any
    vae: Any
    positive: list
    negative: list
    frames: int
    sigmas: Tensor

    def core(self, name: str) -> ModuleType:
        return self.pack.submodule(f"ace_core.{name}")

    def guidance(self, kind: str = "APG", **fields: Any) -> Any:
        module = self.core("sampling.guidance")
        return module.Guidance(kind=module.GuidanceKind[kind], **fields)

    @property
    def dcw_off(self) -> Any:
        """For comparisons with samplers of the host, which correct nothing."""
        return self.core("sampling.dcw").DCW_OFF

    def noise(self, *seeds: int) -> Tensor:
        """As our sampler draws it, in the host's layout."""
        return self.core("sampling.recipe").noise(seeds, self.frames).transpose(1, 2).contiguous()

    def canvas(self, batch: int = 1) -> dict[str, Any]:
        return self.host.empty_latent(self.frames, batch)

    @torch.inference_mode()
    def sampled(
        self,
        guidance: Any = None,
        seeds: tuple[int, ...] = (SEED,),
        model: Any = None,
        positive: list | None = None,
        dcw: Any = None,
    ) -> Tensor:
        """What our sampler node makes, [B, C, T]; without `dcw` that of the model's variant."""
        batch = self.host.Batch(
            model=model or self.model,
            positive=positive or self.positive,
            negative=self.negative,
            latent=self.canvas(len(seeds)),
            sigmas=self.sigmas,
            recipe=self.core("sampling.recipe").Recipe(seeds),
            guidance=guidance,
            sampler=self.host.ace_solver(dcw=dcw),
        )
        return self.host.sample(batch)["samples"].clone()

    def with_model(self, file: str) -> "Studio":
        return replace(self, model=self.host.load_model(self.folder / file, None, "fp32"))


@torch.inference_mode()
def open_studio(pack: Pack, folder: Path) -> Studio:
    host = pack.submodule("nodes.host")
    text = host.load_text_encoder(folder / TEXT, "fp32")
    vae = host.load_vae(folder / VAE, "fp32")
    song = pack.submodule("ace_core.types").Song("calm piano", "[Verse]\nla la", 10.04)
    item = pack.submodule("ace_core.conditioning.tasks").text_to_music(song, text)
    positive = host.conditioning(item, host.silence_of(vae))
    times = pack.submodule("ace_core.sampling.schedules").timesteps(8, 3.0)
    return Studio(
        pack,
        host,
        folder,
        host.load_model(folder / DIT, None, "fp32"),
        text,
        vae,
        positive,
        host.unconditional(positive),
        item.frames,
        torch.tensor(times, dtype=torch.float32),
    )
