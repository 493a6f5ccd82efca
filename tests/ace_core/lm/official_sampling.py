"""What the official sampling of the language model was asked, and ours of the same logits."""

import zlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

from ace_core.lm.sampling import SamplingParams, apply_cfg, filter_probs, penalise

ROWS: Final = 3
VOCABULARY: Final = 200
PROMPT: Final = 12  # tokens of a sequence before its output
OUTPUT: Final = 20


@dataclass(frozen=True, slots=True)
class Case:
    scale: float = 1.0
    penalty: float = 1.0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    @property
    def params(self) -> SamplingParams:
        return SamplingParams(
            self.temperature, self.top_k, self.top_p, repetition_penalty=self.penalty
        )


CASES: Final = MappingProxyType(
    {
        "plain": Case(),
        "cfg": Case(scale=2.5),
        "penalty": Case(penalty=1.3),
        "reward": Case(penalty=0.8),
        "cfg_penalty": Case(scale=2.0, penalty=1.2),
        "temperature": Case(temperature=0.7),
        "top_k": Case(top_k=9),
        "top_p": Case(top_p=0.8),
        "top_k_top_p": Case(penalty=1.1, top_k=40, top_p=0.9),
        "top_k_temperature": Case(scale=3.0, penalty=1.2, temperature=0.85, top_k=15),
        "all_at_one": Case(scale=2.0, penalty=1.2, top_k=30, top_p=0.9),
        "greedy": Case(scale=2.0, penalty=1.5, temperature=0.0),
        "hot_top_p": Case(scale=2.0, temperature=1.6, top_p=0.8),
    }
)


def logits(name: str) -> Tensor:
    """With and without the prompt, [2, ROWS, VOCABULARY], of both signs."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return 3 * torch.randn(2, ROWS, VOCABULARY, generator=generator)


def ids(name: str) -> Tensor:
    """Prompt and output of each sequence, [ROWS, PROMPT + OUTPUT], some tokens twice."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) + 1)
    return torch.randint(VOCABULARY, (ROWS, PROMPT + OUTPUT), generator=generator)


def repeated(tokens: Tensor) -> Tensor:
    """[ROWS, VOCABULARY], true for the tokens [ROWS, N] of each row."""
    held = torch.zeros(len(tokens), VOCABULARY, dtype=torch.bool)
    return held.scatter(1, tokens, torch.ones_like(tokens, dtype=torch.bool))


def probabilities(name: str, held: Tensor) -> Tensor:
    """Ours, [ROWS, VOCABULARY], of which a token is drawn."""
    case = CASES[name]
    cond, uncond = logits(name)
    mixed = apply_cfg(cond, uncond, case.scale) if case.scale > 1 else cond
    mixed = penalise(mixed, held, case.penalty)
    if case.temperature == 0:
        return torch.nn.functional.one_hot(mixed.argmax(dim=-1), VOCABULARY).float()
    probs = filter_probs(mixed / case.temperature, case.params)
    return probs / probs.sum(dim=-1, keepdim=True)
