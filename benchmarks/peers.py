"""The same weights in other people's modules: diffusers, and ComfyUI where a checkout is present.

Tensors are shared, not copied. Both peers keep the patch convolution's output transposed, which in
bfloat16 on a CPU makes every linear layer two to six times slower; they get it contiguous here,
so that we are compared with what they are and not with that accident.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ace_core.models.acestep import AceStepModel
from ace_core.weights.layouts import DIFFUSERS_DIT
from tools.hosts.checkout import find_checkout, has_requirements, standins_for


def comfyui() -> Path | None:
    """The checkout to measure against, if there is one whose requirements this Python has."""
    checkout = find_checkout()  # first, for a wrong COMFYUI_PATH
    return checkout if has_requirements() else None


def import_comfy(checkout: Path) -> None:
    """Make `comfy` of the checkout importable, computing on the CPU."""
    sys.path[:0] = [*standins_for(sys.executable), str(checkout)]
    import comfy.cli_args

    comfy.cli_args.args.cpu = True


def diffusers_decoder(model: AceStepModel) -> nn.Module:
    from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel

    with torch.device("meta"):
        peer = AceStepTransformer1DModel(num_hidden_layers=model.config.layers)
    peer.load_state_dict(_spelled(model, "transformer"), assign=True)
    _contiguous(peer.proj_in_conv)
    return peer.eval()


def diffusers_encoder(model: AceStepModel) -> nn.Module:
    from diffusers.pipelines.ace_step.modeling_ace_step import AceStepConditionEncoder

    with torch.device("meta"):
        peer = AceStepConditionEncoder()
    silence = torch.zeros(1, 1, model.config.latent_channels)
    peer.silence_latent = silence
    weights = {**_spelled(model, "condition_encoder"), "silence_latent": silence}
    peer.load_state_dict(weights, assign=True)
    return peer.eval()


def host_model(model: AceStepModel, checkout: Path) -> Any:
    """ComfyUI's built-in ACE-Step 1.5 with its own layers; what its sampler calls at each step."""
    import_comfy(checkout)
    import comfy.ops
    from comfy.ldm.ace.ace_step15 import AceStepConditionGenerationModel

    dtype = model.null_condition_emb.dtype
    peer = AceStepConditionGenerationModel(
        num_dit_layers=model.config.layers,
        dtype=dtype,
        device="cpu",  # its constructor reads values of its buffers
        operations=comfy.ops.disable_weight_init,
    )
    weights: dict[str, Any] = dict(model.state_dict())
    missing, unexpected = peer.load_state_dict(weights, strict=False, assign=True)
    if unexpected or any("inv_freq" not in key and "quantizer" not in key for key in missing):
        raise RuntimeError(f"the host's model differs: {missing} missing, {unexpected} unexpected")
    _contiguous(peer.decoder.proj_in[1])
    return peer.eval()


def host_vae(weights: dict[str, Tensor]) -> Any:
    """ComfyUI's own VAE, as its loader makes it of weights with the names of stable-audio-tools."""
    import comfy.sd

    return comfy.sd.VAE(sd=weights)


def _spelled(model: AceStepModel, folder: str) -> dict[str, Tensor]:
    """The model's tensors under the names that diffusers gives them in `folder`."""
    naming = DIFFUSERS_DIT[folder]
    keys = {naming.to_key(name): tensor for name, tensor in model.state_dict().items()}
    return {key: tensor for key, tensor in keys.items() if key is not None}


def _contiguous(conv: nn.Module) -> None:
    conv.register_forward_hook(lambda _m, _i, out: out.transpose(1, 2).contiguous().transpose(1, 2))
