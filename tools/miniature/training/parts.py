"""The parts of the family, each trained by one command and restartable alone.

A part begins where its last run was stopped (a file in `states`), else with the weights that lie in
the family, else from nothing.
"""

from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from ace_core.models.qwen3 import Qwen3
from ace_core.weights.load import load_lm
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
CODE_PARTS: Final = ("tokenizer.", "detokenizer.")


def run_of(name: str, minutes: float, threads: int, say: Say, rate: float = 2e-3) -> Run:
    return Run(minutes, STATES / f"{name}.pt", rate=rate, threads=threads, say=say)


def make_text_encoder(minutes: float, threads: int, say: Say) -> Path:
    """Seven minutes of one core tell every fact of a prompt."""
    words = build_words()
    run = run_of("text_encoder", minutes, threads, say, rate=3e-3)
    reader: Reader = train_text_encoder(run, words)
    folder = TRAINED / "text_encoder"
    write_qwen3(folder, reader.encoder, words)
    return folder


def make_base(minutes: float, threads: int, say: Say) -> Path:
    """The base model; its codes are taught first, where the family has none."""
    words, encoder = load_text_encoder()
    folder = TRAINED / "base"
    run = run_of("base", minutes, threads, say)
    codes = load_code_model(folder) or train_codes(run_of("codes", 8, threads, say))
    trainee = Trainee(new_model(codes), encoder, words)
    file = folder / "model.safetensors"
    begun = file.exists()
    if begun:
        trainee.model.load_state_dict(_in_float32(file))
    write_diffusion(folder, train_base(run, trainee, begun).model, "base")
    return folder


def make_language_model(minutes: float, threads: int, say: Say) -> Path:
    words = language_words()
    run = run_of("language_model", minutes, threads, say, rate=3e-3)
    begin = load_lm(LANGUAGE_MODEL) if (LANGUAGE_MODEL / "model.safetensors").exists() else None
    write_qwen3(LANGUAGE_MODEL, train_language_model(run, words, begin), words)
    return LANGUAGE_MODEL


def make_turbo(minutes: float, threads: int, say: Say) -> Path:
    """The adapter that makes the base model one of eight steps."""
    words, encoder = load_text_encoder()
    trainee = load_base(encoder, words)
    folder = TRAINED / "turbo"
    run = run_of("turbo", minutes, threads, say, rate=1e-3)
    write_adapter(folder, train_turbo(trainee, run), RANK)
    return folder


def load_base(encoder: Qwen3, words: Tokenizer) -> Trainee:
    """
    Raises:
        FileNotFoundError: it was not trained yet.
    """
    file = TRAINED / "base" / "model.safetensors"
    codes = load_code_model(file.parent)
    if codes is None:
        raise FileNotFoundError(f"{file} is missing: train the base model first.")
    trainee = Trainee(new_model(codes), encoder, words)
    trainee.model.load_state_dict(_in_float32(file))
    return trainee


def load_text_encoder() -> tuple[Tokenizer, Qwen3]:
    """
    Raises:
        FileNotFoundError: it was not trained yet.
    """
    folder = TRAINED / "text_encoder"
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
