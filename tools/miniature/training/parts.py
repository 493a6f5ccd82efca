"""The parts of the family, each trained by one command and restartable alone.

A part begins where its last run was stopped (a file in `states`), else with the weights that lie in
the family, else from nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from ace_core.models.qwen3 import Qwen3
from ace_core.weights.load import load_lm
from tools.miniature.codec.build import write_vae
from tools.miniature.codes.train import CodeModel, train_codes
from tools.miniature.diffusion.network import new_model
from tools.miniature.diffusion.train import Trainee, train_base
from tools.miniature.diffusion.turbo import RANK, train_turbo
from tools.miniature.language.tokenizer import build as language_words
from tools.miniature.language.train import train_language_model
from tools.miniature.text.train import Reader, build_words, text_config, train_text_encoder
from tools.miniature.trained import TRAINED
from tools.miniature.training.files import write_adapter, write_diffusion, write_qwen3
from tools.miniature.training.loop import Run, Say

STATES: Final = Path("build/miniature")  # what a stopped run goes on from; not in the repository
LANGUAGE_MODEL: Final = TRAINED / "language_model"
CODES_MINUTES: Final = 8.0
CODE_PARTS: Final = ("tokenizer.", "detokenizer.")


@dataclass(frozen=True, slots=True)
class Training:
    """How long a part is trained, and where: `family` gets the weights of each part, `states` what
    a stopped run goes on from."""

    minutes: float
    threads: int = 1
    say: Say = print
    family: Path = TRAINED
    states: Path = STATES

    def run(self, name: str, rate: float) -> Run:
        """`rate`: the peak of the learning rate."""
        state = self.states / f"{name}.pt"
        return Run(self.minutes, state, rate=rate, threads=self.threads, say=self.say)


def make_vae(training: Training) -> Path:
    """Ten seconds; it is constructed, not trained."""
    folder = training.family / "vae"
    write_vae(folder)
    return folder


def make_text_encoder(training: Training) -> Path:
    """Seven minutes of one core tell every fact of a prompt."""
    words = build_words()
    reader: Reader = train_text_encoder(training.run("text_encoder", 3e-3), words)
    folder = training.family / "text_encoder"
    write_qwen3(folder, reader.encoder, words)
    return folder


def make_base(training: Training) -> Path:
    """The base model; its codes are taught first, where the family has none."""
    torch.manual_seed(0)
    folder = training.family / "base"
    words, encoder = load_text_encoder(training.family)
    begun = (folder / "model.safetensors").exists()
    if begun:
        trainee = load_base(encoder, words, training.family)
    else:
        least = replace(training, minutes=min(CODES_MINUTES, training.minutes))
        trainee = Trainee(new_model(train_codes(least.run("codes", 2e-3))), encoder, words)
    trained = train_base(training.run("base", 2e-3), trainee, begun)
    write_diffusion(folder, trained.model, "base")
    return folder


def make_turbo(training: Training) -> Path:
    """The adapter that makes the base model one of eight steps."""
    words, encoder = load_text_encoder(training.family)
    trainee = load_base(encoder, words, training.family)
    folder = training.family / "turbo"
    write_adapter(folder, train_turbo(trainee, training.run("turbo", 1e-3)), RANK)
    return folder


def make_language_model(training: Training) -> Path:
    words = language_words()
    folder = training.family / "language_model"
    begin = load_lm(folder) if (folder / "model.safetensors").exists() else None
    model = train_language_model(training.run("language_model", 3e-3), words, begin)
    write_qwen3(folder, model, words)
    return folder


MAKERS: Final[dict[str, Callable[[Training], Path]]] = {  # each needs what is made before it
    "vae": make_vae,
    "text-encoder": make_text_encoder,
    "base": make_base,
    "turbo": make_turbo,
    "language-model": make_language_model,
}
MINUTES: Final = {  # of one core, that the family in the repository took
    "vae": 0.0,
    "text-encoder": 7.0,
    "base": 453.0,
    "turbo": 22.0,
    "language-model": 119.0,
}


def make_all(training: Training) -> None:
    """The whole family, part after part; `training.minutes` are divided as `MINUTES` are."""
    share = training.minutes / sum(MINUTES.values())
    for name, make in MAKERS.items():
        training.say(name)
        make(replace(training, minutes=share * MINUTES[name]))


def load_base(encoder: Qwen3, words: Tokenizer, family: Path = TRAINED) -> Trainee:
    """
    Raises:
        FileNotFoundError: it was not trained yet.
    """
    file = family / "base" / "model.safetensors"
    codes = load_code_model(file.parent)
    if codes is None:
        raise FileNotFoundError(f"{file} is missing: train the base model first.")
    trainee = Trainee(new_model(codes), encoder, words)
    trainee.model.load_state_dict(_in_float32(file))
    return trainee


def load_text_encoder(family: Path = TRAINED) -> tuple[Tokenizer, Qwen3]:
    """
    Raises:
        FileNotFoundError: it was not trained yet.
    """
    folder = family / "text_encoder"
    words = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = Qwen3(text_config(words))
    model.load_state_dict(_in_float32(folder / "model.safetensors"))
    return words, model


def load_code_model(folder: Path) -> CodeModel | None:
    """Tokenizer and detokenizer of the diffusion model in `folder`, if there is one."""
    file = folder / "model.safetensors"
    if not file.exists():
        return None
    weights = _in_float32(file)
    model = CodeModel()
    model.load_state_dict({key: weights[key] for key in weights if key.startswith(CODE_PARTS)})
    return model.requires_grad_(False)


def _in_float32(file: Path) -> dict[str, torch.Tensor]:
    return {name: tensor.float() for name, tensor in load_file(file).items()}
