"""Complete miniature checkpoints in every layout; `miniature(folder)` writes them.

Real layouts and key names, small widths, random weights from fixed seeds. What they play is no
music, but all of the code runs on them, and every layout holds the same weights.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from ace_core.models.vae import Oobleck
from ace_core.weights.layouts import DIFFUSERS_DIT, SILENCE_KEY
from ace_core.weights.oobleck import from_stable_audio, stable_audio_name
from ace_core.weights.silence import encoded_silence

from . import configs
from .tokenizer import AUDIO_CODES, build_tokenizer
from .weights import (
    TEXT,
    VAE,
    dit_config,
    dit_weights,
    lora_weights,
    qwen3_weights,
    vae_weights,
)

Weights = dict[str, Tensor]
SHARDS: Final = 2  # of the XL folder, as its published original has several
XL: Final = "xl-turbo"


@dataclass(frozen=True, slots=True)
class Miniature:
    """Where each checkpoint lies. `root` is laid out as a host's folder of models."""

    root: Path
    release: Path  # the official main repository: the four folders below
    turbo: Path
    vae: Path
    text_encoder: Path
    lm: Path
    base: Path  # official folders of their own
    xl: Path
    diffusers: Path
    split_turbo: Path  # single files
    split_base: Path
    split_xl: Path
    split_vae: Path
    vae_folders: Path  # in the folder of VAEs: `diffusers`, and a file of each other layout
    split_text_encoder: Path
    split_lm: Path
    all_in_one: Path
    lora: Path


@dataclass(frozen=True, slots=True)
class Source:
    """The weights that all layouts share."""

    dits: dict[str, Weights]  # by variant
    text_encoder: Weights
    lm: Weights
    vae: Weights  # diffusers' names, weight norm not folded
    silence: Tensor  # [1, 15000, 64]


def miniature(out: Path) -> Miniature:
    """Write all of it below `out`."""
    source = _source()
    paths = _paths(out)
    _write_release(paths, source)
    for version, folder in (("base", paths.base), (XL, paths.xl)):
        _write_official_dit(folder, source, version, SHARDS if version == XL else 1)
    _write_diffusers(paths.diffusers, source, "turbo")
    _write_community_vaes(paths.vae_folders, source)
    _write_split(paths, source)
    _write_all_in_one(paths.all_in_one, source)
    _write(paths.lora, lora_weights("lora"))
    return paths


def write_xl_diffusers(folder: Path) -> None:
    """The XL model as a diffusers folder, with the weights of `miniature`."""
    _write_diffusers(folder, _source(), XL)


def _paths(out: Path) -> Miniature:
    release, split = out / "official" / "Ace-Step1.5", "diffusion_models/acestep_v1.5_{}_miniature"
    return Miniature(
        root=out,
        release=release,
        turbo=release / "acestep-v15-turbo",
        vae=release / "vae",
        text_encoder=release / "Qwen3-Embedding-0.6B",
        lm=release / "acestep-5Hz-lm-1.7B",
        base=out / "official" / "acestep-v15-base",
        xl=out / "official" / "acestep-v15-xl-turbo",
        diffusers=out / "diffusers" / "acestep-v15-turbo-diffusers",
        split_turbo=out / f"{split.format('turbo')}.safetensors",
        split_base=out / f"{split.format('base')}.safetensors",
        split_xl=out / f"{split.format('xl_turbo')}.safetensors",
        split_vae=out / "vae" / "ace_1.5_vae_miniature.safetensors",
        vae_folders=out / "vae" / "community_miniature",
        split_text_encoder=out / "text_encoders" / "qwen_0.6b_ace15_miniature.safetensors",
        split_lm=out / "text_encoders" / "qwen_1.7b_ace15_miniature.safetensors",
        all_in_one=out / "checkpoints" / "ace_step_1.5_turbo_aio_miniature.safetensors",
        lora=out / "loras" / "my_style_miniature.safetensors",
    )


def _source() -> Source:
    words = build_tokenizer().get_vocab_size()
    vae = vae_weights("vae")
    model = Oobleck(VAE)
    model.load_state_dict(from_stable_audio(vae))
    return Source(
        dits={
            "turbo": dit_weights("turbo"),
            "base": dit_weights("base"),
            XL: dit_weights(XL, xl=True),
        },
        text_encoder=qwen3_weights("text encoder", replace(TEXT, vocab_size=words)),
        lm=qwen3_weights("lm", replace(TEXT, vocab_size=words + AUDIO_CODES)),
        vae=vae,
        silence=encoded_silence(lambda audio: model.encode(audio).mean),
    )


def _write_release(paths: Miniature, source: Source) -> None:
    _write_official_dit(paths.turbo, source, "turbo", 1)
    _write_vae_folder(paths.vae, source)
    _write_qwen3_folder(paths.text_encoder, source.text_encoder)
    _write_tokenizer(paths.text_encoder / "tokenizer.json")
    _write_json(paths.text_encoder / "tokenizer_config.json", configs.tokenizer())
    _write_qwen3_folder(paths.lm, source.lm)
    _write_tokenizer(paths.lm / "tokenizer.json", AUDIO_CODES)
    _write_json(paths.lm / "tokenizer_config.json", configs.tokenizer())


def _write_official_dit(folder: Path, source: Source, version: str, shards: int) -> None:
    config = configs.official_dit(dit_config(version == XL), version.removeprefix("xl-"))
    _write_json(folder / "config.json", config)
    _write_shards(folder, source.dits[version], shards)
    # channels first, as published
    torch.save(source.silence.transpose(1, 2).contiguous(), folder / "silence_latent.pt")


def _write_shards(folder: Path, weights: Weights, shards: int) -> None:
    if shards == 1:
        _write(folder / "model.safetensors", weights)
        return
    names = sorted(weights)
    where: dict[str, str] = {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        mine = names[number::shards]
        _write(folder / file, {name: weights[name] for name in mine})
        where.update(dict.fromkeys(mine, file))
    total = sum(tensor.nbytes for tensor in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": where}
    _write_json(folder / "model.safetensors.index.json", index)


def _write_vae_folder(folder: Path, source: Source) -> None:
    _write_json(folder / "config.json", configs.vae(VAE))
    _write(folder / "diffusion_pytorch_model.safetensors", source.vae)


def _write_qwen3_folder(folder: Path, weights: Weights) -> None:
    config = replace(TEXT, vocab_size=len(weights["embed_tokens.weight"]))
    _write_json(folder / "config.json", configs.qwen3(config))
    _write(folder / "model.safetensors", weights)


def _write_community_vaes(folder: Path, source: Source) -> None:
    """One VAE as people publish it: diffusers' folder, stable-audio-tools' files."""
    _write_vae_folder(folder / "diffusers", source)
    numbered = _stable_audio(source.vae)
    halves = (("weight_g", "original0"), ("weight_v", "original1"))
    parametrized = dict(numbered)
    for old, new in halves:
        parametrized = {
            key.replace(f".{old}", f".parametrizations.weight.{new}"): tensor
            for key, tensor in parametrized.items()
        }
    _write(folder / "autoencoder.safetensors", _prefixed("autoencoder.", parametrized))
    _write(folder / "pretransform.safetensors", _prefixed("pretransform.model.", numbered))
    other = {key: tensor + 1 for key, tensor in numbered.items()}
    averaged = _prefixed("autoencoder_ema.ema_model.", numbered)
    _write(folder / "training.safetensors", averaged | _prefixed("autoencoder.", other))


def _write_diffusers(folder: Path, source: Source, version: str) -> None:
    dit = configs.diffusers_dit(dit_config(version == XL), version.removeprefix("xl-"))
    _write_json(folder / "model_index.json", configs.model_index())
    _write_json(folder / "scheduler" / "scheduler_config.json", configs.scheduler())
    for name, config in dit.items():
        key_map = DIFFUSERS_DIT[name]
        spelled = ((key_map.to_key(key), w) for key, w in source.dits[version].items())
        weights = {key: w for key, w in spelled if key is not None}
        if name == "condition_encoder":
            weights[SILENCE_KEY] = source.silence
        _write_json(folder / name / "config.json", config)
        _write(folder / name / "diffusion_pytorch_model.safetensors", weights)
    _write_vae_folder(folder / "vae", source)
    _write_qwen3_folder(folder / "text_encoder", source.text_encoder)
    _write_tokenizer(folder / "tokenizer" / "tokenizer.json")
    _write_json(folder / "tokenizer" / "tokenizer_config.json", configs.tokenizer())


def _write_split(paths: Miniature, source: Source) -> None:
    _write(paths.split_turbo, source.dits["turbo"])
    _write(paths.split_base, source.dits["base"])
    _write(paths.split_xl, source.dits[XL])
    _write(paths.split_vae, _stable_audio(source.vae))
    for path, weights in (
        (paths.split_text_encoder, source.text_encoder),
        (paths.split_lm, source.lm),
    ):
        _write(path, _prefixed("model.", weights))
        _write_tokenizer(path.with_name(f"{path.stem}.tokenizer.json"))


def _write_all_in_one(path: Path, source: Source) -> None:
    weights = {
        **_prefixed("model.diffusion_model.", source.dits["turbo"]),
        **_prefixed("vae.", _stable_audio(source.vae)),
        **_prefixed("text_encoders.qwen3_06b.transformer.model.", source.text_encoder),
        **_prefixed("text_encoders.qwen3_2b.transformer.model.", source.lm),
    }
    _write(path, weights)
    _write_tokenizer(path.with_name(f"{path.stem}.tokenizer.json"))


def _stable_audio(vae: Weights) -> Weights:
    """Numbered layers, and Snake's curves as plain vectors."""
    return {
        stable_audio_name(name, len(VAE.strides)): (
            tensor.flatten() if name.endswith(("alpha", "beta")) else tensor
        )
        for name, tensor in vae.items()
    }


def _prefixed(prefix: str, weights: Weights) -> Weights:
    return {prefix + name: tensor for name, tensor in weights.items()}


def _write(path: Path, weights: Weights) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {name: tensor.contiguous() for name, tensor in weights.items()}
    save_file(whole, path, metadata={"format": "pt"})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _write_tokenizer(path: Path, audio_codes: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    build_tokenizer(audio_codes).save(str(path), pretty=False)
