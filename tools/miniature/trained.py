"""The trained family: where its weights lie, and all layouts of it.

Each part is a folder in the official layout; turbo may be an adapter of base. Parts that were not
trained yet are left out, and `missing` names them.
"""

import json
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from .checkpoints import Miniature, Model, Reader, Source, write

TRAINED: Final = Path(__file__).with_name("family")
DITS: Final = ("turbo", "base")
ADAPTER: Final = "adapter_model.safetensors"
PEFT, DOWN, UP = "base_model.model.", ".lora_A", ".lora_B"
PARTS: Final = {  # folder -> what it is for
    "vae": "sound",
    "text_encoder": "captions",
    "turbo": "songs, covers and repainting in 8 steps",
    "base": "adding, extracting and completing tracks, guidance",
    "language_model": "planning a song, and describing one",
}


def missing(folder: Path | None = None) -> list[str]:
    """The parts that were not trained yet."""
    folder = folder or TRAINED
    there = {part for part in PARTS if _weights(folder / part).is_file()}
    if "base" in there and (folder / "turbo" / ADAPTER).is_file():
        there.add("turbo")
    return [part for part in PARTS if part not in there]


def family(out: Path, folder: Path | None = None) -> Miniature:
    """Write what is trained below `out`, in each layout.

    Raises:
        FileNotFoundError: there is no diffusion model with a text encoder.
    """
    folder = folder or TRAINED
    absent = missing(folder)
    needed = {"vae", "text_encoder"} & set(absent) or {"turbo", "base"} <= set(absent)
    if needed:
        raise FileNotFoundError(
            f"{folder} lacks {', '.join(absent)}, so it plays nothing yet. Train these parts "
            "(docs/miniature.md), or write the miniature of random weights."
        )
    return write(out, _source(folder, absent))


def _source(folder: Path, absent: list[str]) -> Source:
    dits = [name for name in DITS if name not in absent]
    return Source(
        dits={name: _dit(folder / name) for name in dits},
        text_encoder=_reader(folder / "text_encoder"),
        lm=None if "language_model" in absent else _reader(folder / "language_model"),
        vae=_model(folder / "vae"),
        silence=_silence(folder / dits[-1]),
        own_silence=True,
    )


def _weights(folder: Path) -> Path:
    name = "diffusion_pytorch_model" if folder.name == "vae" else "model"
    return folder / f"{name}.safetensors"


def _model(folder: Path) -> Model:
    return Model(load_file(_weights(folder)), _config(folder))


def _dit(folder: Path) -> Model:
    """A diffusion model; an adapter is added to the weights of base, which lies beside it."""
    if _weights(folder).is_file():
        return _model(folder)
    base, settings = _model(folder.with_name("base")), _config(folder, "adapter_config.json")
    factors = load_file(folder / ADAPTER)
    weights = dict(base.weights)
    for name in (each for each in factors if DOWN in each):
        down, up = factors[name].float(), factors[name.replace(DOWN, UP)].float()
        key = f"decoder.{name.removeprefix(PEFT).replace(DOWN, '')}"
        scale = settings["lora_alpha"] / settings["r"]
        weights[key] = (weights[key].float() + scale * up @ down).to(weights[key].dtype)
    return Model(weights, {**base.config, "model_version": folder.name, "is_turbo": True})


def _reader(folder: Path) -> Reader:
    tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    return Reader(load_file(_weights(folder)), _config(folder), tokenizer, tokenizer)


def _config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _silence(folder: Path) -> Tensor:
    """[1, S, 64]; the file has the channels first, as published."""
    stored = torch.load(folder / "silence_latent.pt", weights_only=True, map_location="cpu")
    return stored.transpose(1, 2).contiguous()
