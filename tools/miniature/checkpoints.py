"""Complete miniature checkpoints in every layout; `miniature(folder)` writes them.

Real layouts and key names, small widths, random weights from fixed seeds. What they play is no
music, but all of the code runs on them, and every layout holds the same weights. `write` puts
other weights into the layouts: `trained.py` those that play.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from ace_core.models.config import DiTConfig
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
class Model:
    """Weights under official names, and the config.json beside them."""

    weights: Weights
    config: configs.Config


@dataclass(frozen=True, slots=True)
class Reader(Model):
    """A Qwen3 with its tokenizer, as tokenizer.json has it: in its folder, and beside a file."""

    tokenizer: str
    file_tokenizer: str


@dataclass(frozen=True, slots=True)
class Source:
    """What all layouts share. A part that is None is not written."""

    dits: dict[str, Model]  # by variant
    text_encoder: Reader | None
    lm: Reader | None
    vae: Model  # diffusers' names, weight norm not folded
    silence: Tensor  # [1, S, 64]
    own_silence: bool = False  # no VAE makes it: single files hold it, too


def miniature(out: Path) -> Miniature:
    """Write all of it below `out`."""
    source = _source()
    paths = write(out, source)
    _write_community_vaes(paths.vae_folders, source)
    _write(paths.lora, lora_weights("lora"))
    return paths


def write(out: Path, source: Source) -> Miniature:
    """Write what `source` has below `out`, in each layout; the paths of all, written or not."""
    paths = miniature_paths(out)
    _write_release(paths, source)
    for version, folder in (("base", paths.base), (XL, paths.xl)):
        if version in source.dits:
            _write_official_dit(folder, source, version, SHARDS if version == XL else 1)
    if "turbo" in source.dits and source.text_encoder is not None:
        _write_diffusers(paths.diffusers, source, "turbo", source.text_encoder)
        _write_all_in_one(paths.all_in_one, source, source.text_encoder)
    _write_split(paths, source)
    return paths


def write_xl_diffusers(folder: Path) -> None:
    """The XL model as a diffusers folder, with the weights of `miniature`."""
    source = _source()
    assert source.text_encoder is not None
    _write_diffusers(folder, source, XL, source.text_encoder)


def miniature_paths(out: Path) -> Miniature:
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
    vae = vae_weights("vae")
    model = Oobleck(VAE)
    model.load_state_dict(from_stable_audio(vae))
    return Source(
        dits={version: _random_dit(version) for version in ("turbo", "base", XL)},
        text_encoder=_random_reader("text encoder"),
        lm=_random_reader("lm", AUDIO_CODES),
        vae=Model(vae, configs.vae(VAE)),
        silence=encoded_silence(lambda audio: model.encode(audio).mean),
    )


def _random_dit(version: str) -> Model:
    xl = version == XL
    config = configs.official_dit(dit_config(xl), version.removeprefix("xl-"))
    return Model(dit_weights(version, xl), config)


def _random_reader(name: str, audio_codes: int = 0) -> Reader:
    tokenizer = build_tokenizer(audio_codes)
    config = replace(TEXT, vocab_size=tokenizer.get_vocab_size())
    weights, without_codes = qwen3_weights(name, config), build_tokenizer().to_str()
    return Reader(weights, configs.qwen3(config), tokenizer.to_str(), without_codes)


def _write_release(paths: Miniature, source: Source) -> None:
    if "turbo" in source.dits:
        _write_official_dit(paths.turbo, source, "turbo", 1)
    _write_vae_folder(paths.vae, source.vae)
    for folder, reader in ((paths.text_encoder, source.text_encoder), (paths.lm, source.lm)):
        if reader is not None:
            _write_qwen3_folder(folder, reader)
            _write_tokenizer_folder(folder, reader)


def _write_official_dit(folder: Path, source: Source, version: str, shards: int) -> None:
    model = source.dits[version]
    _write_json(folder / "config.json", model.config)
    _write_shards(folder, model.weights, shards)
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


def _write_vae_folder(folder: Path, vae: Model) -> None:
    _write_json(folder / "config.json", vae.config)
    _write(folder / "diffusion_pytorch_model.safetensors", vae.weights)


def _write_qwen3_folder(folder: Path, reader: Reader) -> None:
    _write_json(folder / "config.json", reader.config)
    _write(folder / "model.safetensors", reader.weights)


def _write_tokenizer_folder(folder: Path, reader: Reader) -> None:
    _write_text(folder / "tokenizer.json", reader.tokenizer)
    _write_json(folder / "tokenizer_config.json", configs.tokenizer())


def _write_community_vaes(folder: Path, source: Source) -> None:
    """One VAE as people publish it: diffusers' folder, stable-audio-tools' files."""
    _write_vae_folder(folder / "diffusers", source.vae)
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


def _write_diffusers(folder: Path, source: Source, version: str, reader: Reader) -> None:
    model = source.dits[version]
    shapes = {name: tuple(tensor.shape) for name, tensor in model.weights.items()}
    sizes = DiTConfig.from_shapes(shapes, model.config)
    dit = configs.diffusers_dit(sizes, version.removeprefix("xl-"))
    _write_json(folder / "model_index.json", configs.model_index())
    _write_json(folder / "scheduler" / "scheduler_config.json", configs.scheduler())
    for name, config in dit.items():
        key_map = DIFFUSERS_DIT[name]
        spelled = ((key_map.to_key(key), w) for key, w in model.weights.items())
        weights = {key: w for key, w in spelled if key is not None}
        if name == "condition_encoder":
            weights[SILENCE_KEY] = source.silence
        _write_json(folder / name / "config.json", config)
        _write(folder / name / "diffusion_pytorch_model.safetensors", weights)
    _write_vae_folder(folder / "vae", source.vae)
    _write_qwen3_folder(folder / "text_encoder", reader)
    _write_tokenizer_folder(folder / "tokenizer", reader)


def _write_split(paths: Miniature, source: Source) -> None:
    files = {"turbo": paths.split_turbo, "base": paths.split_base, XL: paths.split_xl}
    for version, model in source.dits.items():
        _write_dit_file(files[version], source, model)
    _write(paths.split_vae, _stable_audio(source.vae))
    for path, reader in (
        (paths.split_text_encoder, source.text_encoder),
        (paths.split_lm, source.lm),
    ):
        if reader is not None:
            _write(path, _prefixed("model.", reader.weights))
            _write_text(path.with_name(f"{path.stem}.tokenizer.json"), reader.file_tokenizer)


def _write_all_in_one(path: Path, source: Source, text: Reader) -> None:
    """A language model is in it where it has the tokenizer of the text encoder: there is one."""
    weights = {
        **_prefixed("vae.", _stable_audio(source.vae)),
        **_prefixed("text_encoders.qwen3_06b.transformer.model.", text.weights),
    }
    if source.lm is not None and source.lm.file_tokenizer == text.file_tokenizer:
        weights |= _prefixed("text_encoders.qwen3_2b.transformer.model.", source.lm.weights)
    _write_dit_file(path, source, source.dits["turbo"], "model.diffusion_model.", weights)
    _write_text(path.with_name(f"{path.stem}.tokenizer.json"), text.file_tokenizer)


def _write_dit_file(
    path: Path, source: Source, model: Model, prefix: str = "", more: Weights | None = None
) -> None:
    """With its own silence a model has its own config, too, which a single file lacks."""
    weights = {**_prefixed(prefix, model.weights), **(more or {})}
    if source.own_silence:
        weights[SILENCE_KEY] = source.silence
        _write_json(path.with_name(f"{path.stem}.config.json"), model.config)
    _write(path, weights)


def _stable_audio(vae: Model) -> Weights:
    """Numbered layers, and Snake's curves as plain vectors."""
    strides = len(vae.config["downsampling_ratios"])
    return {
        stable_audio_name(name, strides): (
            tensor.flatten() if name.endswith(("alpha", "beta")) else tensor
        )
        for name, tensor in vae.weights.items()
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


def _write_text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
