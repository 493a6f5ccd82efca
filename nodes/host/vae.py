"""ACE-Step's autoencoder as a stock VAE, decoding and encoding in exact tiles.

The host's own tiler blends overlapping tiles, which changes the sound near their edges, and
decodes whole songs in one piece when it can; ours is bounded in memory and equal to one pass.
"""

from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ace_core.audio import tiling
from ...ace_core.audio.decoded import ENTRY, decoded
from ...ace_core.audio.splice import splice
from ...ace_core.audio.waveform import limit_peak, without_padding
from ...ace_core.constants import CHANNELS, LATENT_CHANNELS, LATENT_HOP, SAMPLE_RATE, SEED_RANGE
from ...ace_core.errors import CheckpointError, InvalidRequestError
from ...ace_core.latents import latent_samples
from ...ace_core.memory import memory_for
from ...ace_core.models.ops import Ops
from ...ace_core.models.vae import MIN_STD, Oobleck, OobleckConfig
from ...ace_core.types import Posterior
from ...ace_core.weights import Kind, inspect, load
from ...ace_core.weights.fingerprint import fingerprint
from ...ace_core.weights.oobleck import from_stable_audio, to_stable_audio
from ...ace_core.weights.silence import encoded_silence
from .conditioning import KEY
from .frontend import progress_bar
from .memory import host_oom_handler
from .precision import CHOICES

_VAE_ADVICE = "Free memory: other models, other programs; or make fewer songs at once."
_BLOCKS = 5  # of the published decoder, each with its own factor of upsampling
_ACTIVATIONS = 4 * 128 * LATENT_HOP  # numbers a latent frame needs at its widest layer


class HostOobleck(nn.Module):
    """The network of the host's own ACE-Step VAE, with a posterior for the draw that it makes."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.encoder, self.decoder = net.encoder, net.decoder

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Posterior:
        mean, scale = self.encoder(audio).chunk(2, dim=1)
        return Posterior(mean, F.softplus(scale) + MIN_STD)

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        return self.decoder(latent)

    def on_cpu(self) -> Oobleck:
        """A float32 copy on the CPU, in our own module with its weight norm folded."""
        state = {name: w.detach().to("cpu", torch.float32) for name, w in self.state_dict().items()}
        weights = from_stable_audio(state)
        config = OobleckConfig.from_shapes({name: tuple(w.shape) for name, w in weights.items()})
        copy = Oobleck(config, Ops(device="meta"))
        copy.load_state_dict(weights, assign=True)
        return copy.requires_grad_(False).eval()


class AceVAE(comfy.sd.VAE):
    """Every stock audio node takes it."""

    def __init__(self, model: Oobleck | HostOobleck, dtype: torch.dtype, patcher: Any) -> None:
        # The host sets its defaults only while it builds a VAE that it knows: its smallest one,
        # which is replaced at once.
        super().__init__(sd={"pixel_space_vae": torch.tensor(1.0)}, dtype=dtype)
        self.first_stage_model = model
        self.latent_dim, self.latent_channels, self.output_channels = 1, LATENT_CHANNELS, CHANNELS
        self.upscale_ratio = self.downscale_ratio = LATENT_HOP
        self.audio_sample_rate = self.audio_sample_rate_output = SAMPLE_RATE
        self.pad_channel_value = "replicate"  # mono to both sides
        self.crop_input = False  # the host would crop in the middle and shift the music
        self.process_input = self.process_output = lambda audio: audio
        self.memory_used_decode = lambda shape, dtype: bytes_for(shape[-1], dtype)
        self.memory_used_encode = lambda shape, dtype: bytes_for(shape[-1] // LATENT_HOP, dtype)
        # the host's own network has layers that cannot be loaded in part
        self.disable_offload = isinstance(model, HostOobleck)
        self.patcher = patcher
        self.size = None
        self.model_size()
        self._silence: Tensor | None = None
        self._fingerprint: str | None = None
        self.spelling: str | None = None  # whose names the keys of its file have

    @property
    def silence(self) -> Tensor:
        """What this VAE makes of digital silence, [1, S, C]."""
        if self._silence is None:
            self._silence = encoded_silence(lambda zeros: self.encode(zeros.movedim(1, -1)))
        return self._silence

    @property
    def fingerprint(self) -> str:
        """Of its weights, as `weights.fingerprint` makes it."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.first_stage_model.state_dict())
        return self._fingerprint

    def decode(self, samples_in: Tensor, vae_options: Any = None) -> Tensor:
        """Latents [B, C, T] to audio [B, N, 2], as the host's VAE gives it."""
        return self.decode_tiled_1d(samples_in).movedim(1, -1)

    def decode_tiled(self, samples: Tensor, tile_x: int = tiling.DECODE_TILE, **_: Any) -> Tensor:
        return self.decode_tiled_1d(samples, tile_x).movedim(1, -1)

    def encode(
        self, pixel_samples: Tensor, not_video: Any = None, *, seed: int | None = None
    ) -> Tensor:
        """Audio [B, N, channels] to latents [B, C, T]: the posterior's mean, or a seeded draw.
        `not_video` is what newer hosts say of pictures."""
        audio = self.vae_encode_crop_pixels(pixel_samples).movedim(-1, 1)  # [B, 2, N]
        posterior = self._encoded(audio)
        if seed is None:
            return posterior.mean
        seeds = [(seed + item) % (SEED_RANGE[1] + 1) for item in range(len(audio))]
        return posterior.sample([torch.Generator().manual_seed(each) for each in seeds])

    def encode_tiled(self, pixel_samples: Tensor, *_: Any, **__: Any) -> Tensor:
        return self.encode(pixel_samples)

    def decode_tiled_1d(
        self, samples: Tensor, tile_x: int = tiling.DECODE_TILE, overlap: int = 0
    ) -> Tensor:
        """Latents [B, C, T] to audio [B, 2, N]; an exact tile needs no overlap of the user's."""
        with memory_for("The VAE", _VAE_ADVICE):
            self._load(self.memory_used_decode(samples.shape, self.vae_dtype))
            latents, vae = samples.to(self.device, self.vae_dtype), self.first_stage_model
        audio = tiling.decode_adaptive(
            vae, latents, size=tile_x, on_tile=progress_bar("tile"), oom=host_oom_handler()
        )
        return audio.to(self.output_device, self.vae_output_dtype())

    def _encoded(self, audio: Tensor) -> Posterior:
        with memory_for("The VAE", _VAE_ADVICE):
            self._load(self.memory_used_encode(audio.shape, self.vae_dtype))
            audio, vae = audio.to(self.device, self.vae_dtype), self.first_stage_model
        posterior = tiling.encode_adaptive(
            vae, audio, on_tile=progress_bar("tile"), oom=host_oom_handler()
        )
        device, kind = self.output_device, self.vae_output_dtype()
        return Posterior(posterior.mean.to(device, kind), posterior.std.to(device, kind))

    def _load(self, activations: float) -> None:
        comfy.model_management.load_models_gpu(
            [self.patcher], memory_required=activations, force_full_load=self.disable_offload
        )

    def get_sd(self) -> dict[str, Tensor]:
        """Weights as the host's own loader reads them."""
        if isinstance(self.first_stage_model, HostOobleck):
            return self.patcher.model.state_dict()
        return to_stable_audio(self.first_stage_model.state_dict())


def _patcher(model: nn.Module, device: torch.device, disable_dynamic: bool) -> Any:
    comfy.model_management.archive_model_dtypes(model)
    offload_device = comfy.model_management.vae_offload_device()
    manager = comfy.model_patcher
    patcher_class = manager.ModelPatcher if disable_dynamic else manager.CoreModelPatcher
    return patcher_class(model, load_device=device, offload_device=offload_device)


def bytes_for(frames: int, dtype: torch.dtype) -> float:
    """Activations of a pass over at most one tile of latent frames; an estimate."""
    size = comfy.model_management.dtype_size(dtype)
    return min(frames, tiling.DECODE_TILE) * _ACTIVATIONS * size


def load_vae(path: Path, dtype: str = "auto", disable_dynamic: bool = False) -> AceVAE:
    """
    Raises:
        CheckpointError: there is no VAE of ACE-Step 1.5 at `path`, or it is damaged.
    """
    device = comfy.model_management.vae_device()
    supported = [torch.bfloat16, torch.float32]
    weight_dtype = CHOICES.get(dtype) or comfy.model_management.vae_dtype(device, supported)
    layers = comfy.ops.pick_operations(weight_dtype, None, load_device=device)
    model = load.load_vae(path, Ops(layers, dtype=weight_dtype))
    patcher = _patcher(model, device, disable_dynamic)
    patcher.cached_patcher_init = (_loaded_again, (path, dtype))
    made = AceVAE(model, weight_dtype, patcher)
    made.spelling = inspect(path).part(Kind.VAE).spelling
    return made


def _loaded_again(path: Path, dtype: str, disable_dynamic: bool = False) -> Any:
    """What the host calls for a patcher of the same VAE with weights of its own."""
    return load_vae(path, dtype, disable_dynamic).patcher


def vae_from_native(vae: Any) -> AceVAE:
    """Our VAE as it is, or one around the network that the host's own loader made.

    Raises:
        CheckpointError: a VAE of another family.
    """
    if isinstance(vae, AceVAE):
        return vae
    _check_family(vae)
    made = AceVAE(HostOobleck(vae.first_stage_model), vae.vae_dtype, vae.patcher)
    made.device, made.output_device = vae.device, vae.output_device
    return made


def silence_of(vae: Any) -> Tensor:
    """The silence latent [1, S, C]; the host's own ACE-Step VAE serves too."""
    return vae_from_native(vae).silence


def fingerprint_of(vae: Any) -> str:
    """What tells the weights of a VAE from those of another; the host's own serves too."""
    return vae_from_native(vae).fingerprint


def decode(vae: Any, latent: dict[str, Any]) -> dict[str, Any]:
    """A LATENT as AUDIO, 48 kHz stereo, an item that is too loud brought to full scale.

    Where the latent says so, the source's own sound is put back around what was repainted, and
    the padding of a canvas that is longer than its source is left out. The AUDIO says from which
    latents it was decoded.
    """
    samples, own = latent_samples(latent), vae_from_native(vae)
    audio = own.decode(samples).movedim(-1, 1)  # [B, 2, N]
    frames = music_frames(latent)
    audio = limit_peak(without_padding(audio, samples.shape[-1] - frames))
    kept = latent.get(KEY, {}).get("splice")
    if kept is not None:
        _check_kept(len(kept.audio), len(audio))
        audio = splice(audio, kept)
    origin = decoded(samples[..., :frames].transpose(1, 2), audio, own.fingerprint)
    return {"waveform": audio, "sample_rate": SAMPLE_RATE, ENTRY: origin}


def music_frames(latent: dict[str, Any]) -> int:
    """Frames of a LATENT that are music: those before the padding of its task's canvas. All of them
    where it no longer has the length of that canvas: another node has cut or joined it."""
    frames = latent["samples"].shape[-1]
    canvas, padding = latent.get(KEY, {}).get("canvas", (frames, 0))
    return frames - padding if canvas == frames else frames


def _check_kept(sources: int, songs: int) -> None:
    if sources not in (1, songs):
        raise InvalidRequestError(
            f"The latent holds {sources} sources to put back, but has {songs} items. Decode "
            "the latent as the sampler made it, before items are picked or repeated."
        )


def encode(vae: Any, waveform: Tensor, seed: int | None = None) -> dict[str, Any]:
    """48 kHz stereo [B, 2, N] as a LATENT; `seed` None is the posterior's mean."""
    return {
        "samples": vae_from_native(vae).encode(waveform.movedim(1, -1), seed=seed),
        "type": "audio",
    }


def _check_family(vae: Any) -> None:
    rate, channels = getattr(vae, "audio_sample_rate", None), getattr(vae, "latent_channels", None)
    if (rate, channels) != (SAMPLE_RATE, LATENT_CHANNELS):
        raise CheckpointError(
            f"The VAE works at {rate} Hz with {channels} latent channels, ACE-Step 1.5's at "
            f"{SAMPLE_RATE} Hz with {LATENT_CHANNELS}. Connect ACE-Step Load VAE."
        )
    decoder = vae.first_stage_model.decoder
    blocks = sum(isinstance(each, nn.ConvTranspose1d) for each in decoder.modules())
    if blocks != _BLOCKS:  # YuE2's has the same rate and as many channels
        raise CheckpointError(
            f"The VAE's decoder has {blocks} blocks, ACE-Step 1.5's {_BLOCKS}: it is another "
            "model's. Connect ACE-Step Load VAE."
        )
