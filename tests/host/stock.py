"""Models as ComfyUI's own loaders make them, at miniature width, beside the same files in ours.

The host's loaders find every size in the weights but a few that its classes fix (128 wide heads,
16 of them in the code tokenizer, 28 layers of Qwen3), so its own network classes are built here
with smaller numbers and then filled by the host's own code.
"""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.host.studio import Studio, open_studio
from tools.hosts.pack import Pack

Weights = dict[str, Tensor]
DIT_SIZES = {
    "audio_model": "ace1.5",
    "hidden_size": 64,
    "text_hidden_dim": 32,
    "num_dit_layers": 2,
    "num_lyric_layers": 2,
    "num_timbre_layers": 1,
    "num_heads": 16,
    "num_kv_heads": 8,
    "head_dim": 16,
    "intermediate_size": 192,  # three widths, as the code tokenizer has it
    "fsq_dim": 64,
    "encoder_hidden_size": 64,
    "encoder_intermediate_size": 192,
    "encoder_num_heads": 16,
}
QWEN_SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 217_204,
}


def comfy(name: str) -> Any:
    return importlib.import_module(f"comfy.{name}")


def drawn(shapes: dict[str, Any], seed: int) -> Weights:
    """Weights that keep numbers in range: norms near one, all others small."""
    draw = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=draw) * (0.1 if _is_norm(name) else 0.05)
        + _is_norm(name)
        for name, shape in shapes.items()
    }


def _is_norm(name: str) -> bool:
    return "norm" in name and name.endswith("weight")


def dit_weights() -> Weights:
    empty = _network(None)
    return drawn({name: each.shape for name, each in empty.state_dict().items()}, seed=3)


def stock_studio(pack: Pack, models: Path, weights: Weights, folder: Path) -> Studio:
    """Ours, its model loaded from a file of `weights`, which a stock model may have too."""
    base = open_studio(pack, models)
    file = write(weights, folder / "acestep_v1.5_turbo_stock.safetensors")
    model = base.host.load_model(file, None, "fp32")
    return replace(base, model=model, folder=folder, sigmas=torch.tensor([1.0, 0.6, 0.0]))


def cover(studio: Studio) -> list:
    """A task that the host's own model cannot hear: codes, a source and a mask."""
    text, extras = studio.positive[0]
    draw = torch.Generator().manual_seed(11)
    source = torch.randn(1, studio.frames, 64, generator=draw)
    mask = torch.zeros(1, studio.frames, 1)
    mask[:, 100:200] = 1
    core = studio.core("task")
    task = core.Task(
        text,
        extras["conditioning_lyrics"],
        studio.frames,
        name="cover",
        source=source,
        source_use=core.SourceUse.QUANTIZED,
        mask=mask,
    )
    return studio.host.conditioning(task, extras["ace_step"].silence)


def stock_model(weights: Weights, **settings: Any) -> Any:
    """A MODEL as `load_diffusion_model_state_dict` makes one; `settings` go on its configuration.

    The host takes tensors out of the dictionary that it is given, so it is given a copy.
    """
    model = _built(settings)
    model.load_model_weights(dict(weights), "", assign=False)
    manager = comfy("model_management")
    place, rest = manager.get_torch_device(), manager.unet_offload_device()
    return comfy("model_patcher").CoreModelPatcher(model, load_device=place, offload_device=rest)


def _built(settings: dict[str, Any]) -> Any:
    config = comfy("supported_models").ACEStep15(dict(DIT_SIZES))
    config.set_inference_dtype(settings.pop("dtype", torch.float32), settings.pop("cast", None))
    for name, value in settings.items():
        setattr(config, name, value)
    return config.get_model({}, "", device="cpu")


def _network(device: Any) -> Any:
    net = importlib.import_module("comfy.ldm.ace.ace_step15").AceStepConditionGenerationModel
    return net(**DIT_SIZES, dtype=torch.float32, device=device, operations=torch.nn)


def write(weights: Weights, path: Path) -> Path:
    save_file({name: each.contiguous() for name, each in weights.items()}, path)
    return path


def stock_clip(lm: str = "qwen3_2b", weights: Weights | None = None) -> Any:
    """A CLIP as DualCLIPLoader makes one, both of its models of random weights or of `weights`."""
    ace, sd = comfy("text_encoders.ace15"), comfy("sd")
    target = comfy("supported_models_base").ClipTarget(ace.ACE15Tokenizer, ace.te(lm_model=lm))
    clip = sd.CLIP(target, model_options={"_model_config": QWEN_SIZES, "dtype": torch.float32})
    stage = clip.cond_stage_model
    if weights is None:
        weights = drawn({name: each.shape for name, each in stage.named_parameters()}, seed=5)
    stage.load_state_dict(weights, strict=False)
    return clip


def stock_vae() -> Any:
    """A VAE as VAELoader makes one, its network narrowed."""
    autoencoder = comfy("ldm.audio.autoencoder")
    net = autoencoder.AudioOobleckVAE(channels=4, strides=[2, 4, 4, 6, 10])
    shapes = {name: each.shape for name, each in net.state_dict().items()}
    net.load_state_dict(drawn(shapes, seed=7))
    sd = comfy("sd")
    vae = sd.VAE(sd={"pixel_space_vae": torch.tensor(1.0)}, dtype=torch.float32)
    vae.first_stage_model = net.eval()
    vae.latent_dim, vae.latent_channels, vae.output_channels = 1, 64, 2
    vae.upscale_ratio = vae.downscale_ratio = 1920
    vae.audio_sample_rate = vae.audio_sample_rate_output = 48_000
    vae.process_input = vae.process_output = lambda audio: audio
    vae.pad_channel_value, vae.disable_offload = "replicate", True
    vae.memory_used_decode = vae.memory_used_encode = lambda shape, dtype: 1e6
    vae.patcher = comfy("model_patcher").ModelPatcher(
        net, load_device=vae.device, offload_device=torch.device("cpu")
    )
    return vae
