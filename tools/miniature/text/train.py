"""The text encoder: a small Qwen3 taught to tell from a prompt what it asks for.

Linear heads read each fact off the last states; they are thrown away, and the diffusion model reads
the states as it would read any text encoder's.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from ace_core.models.qwen3 import Qwen3, Qwen3Config
from tools.miniature.text.bpe import train_bpe
from tools.miniature.text.prompts import TASKS, Prompt, draw_tracks, prompt
from tools.miniature.training.loop import Run, train
from tools.miniature.world.channels import BEAT_FRAMES, STEMS
from tools.miniature.world.request import KEYBOARDS, METERS, MODES, draw

WORDS: Final = 700
BATCH: Final = 32
ENDS: Final = 8  # last states that each tell all: the diffusion model finds several more easily
TRAINING, HELD_OUT = 10_000_000, 1_000  # first seeds
LYRICS: Final = "# Languages\nunknown\n\n# Lyric\n[Instrumental]<|endoftext|>"
CONFIG: Final = Qwen3Config(
    vocab_size=0, hidden_size=64, intermediate_size=192, layers=3, heads=4, kv_heads=2, head_dim=16
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a batch of prompts asks for: classes [B], and where they are known [B], by name."""

    classes: dict[str, Tensor]
    known: dict[str, Tensor]


SIZES: Final = {
    "bpm": len(BEAT_FRAMES),
    "key": 12,
    "mode": len(MODES),
    "meter": len(METERS),
    "lively": 2,
    "keyboard type": len(KEYBOARDS),
    "task": len(TASKS),
    **{f"{stem} plays": 2 for stem in STEMS},
    **{f"{stem} is asked": 2 for stem in STEMS},
}
OPEN: Final = {"mode": "key", "lively": "mood", "keyboard type": "stems"}


class Reader(nn.Module):
    """The text encoder with a head for each fact."""

    def __init__(self, config: Qwen3Config) -> None:
        super().__init__()
        self.encoder = Qwen3(config)
        width = CONFIG.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in SIZES.items()})
        nn.init.normal_(self.encoder.get_parameter("embed_tokens.weight"), std=1.0)

    def forward(self, ids: Tensor, last: Tensor) -> dict[str, Tensor]:
        """Token ids [B, L] and the place of each last one [B] to scores [B, ENDS, classes]
        by fact, from the last state back."""
        states = self.encoder(self.encoder.embed(ids))
        places = last[:, None] - torch.arange(ENDS)
        ends = states[torch.arange(len(ids))[:, None], places]  # [B, ENDS, 64]
        return {name: head(ends) for name, head in self.heads.items()}


def text_config(tokenizer: Tokenizer) -> Qwen3Config:
    return replace(CONFIG, vocab_size=tokenizer.get_vocab_size())


def draw_prompt(seed: int) -> Prompt:
    choose = random.Random(f"prompt {seed}")
    request = replace(draw(seed), seconds=float(choose.randrange(8, 120)))
    task = choose.choice(TASKS)
    return prompt(request, task, draw_tracks(task, choose), choose)


def build_words() -> Tokenizer:
    texts = [draw_prompt(5_000_000 + number).text for number in range(4000)]
    sections = [f"[{name}]" for name in ("Intro", "Verse", "Chorus", "Bridge", "Outro")]
    return train_bpe([*texts, *[LYRICS, *sections] * 20], WORDS)


def padded(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Token ids [B, L], zeros behind the shorter texts, and their lengths [B]."""
    ids = [torch.tensor(tokenizer.encode(text).ids) for text in texts]
    lengths = torch.tensor([len(each) for each in ids])
    return nn.utils.rnn.pad_sequence(ids, batch_first=True), lengths


def facts(prompts: Sequence[Prompt]) -> Facts:
    """The classes of each prompt; what it does not say is not known."""
    rows = [_classes(each) for each in prompts]
    known = [{name: _is_known(each, name) for name in SIZES} for each in prompts]
    return Facts(
        {name: torch.tensor([row[name] for row in rows]) for name in SIZES},
        {name: torch.tensor([row[name] for row in known]) for name in SIZES},
    )


def _classes(prompt: Prompt) -> dict[str, int]:
    request = prompt.request
    return {
        "bpm": request.beat_frames - BEAT_FRAMES[0],
        "key": request.tonic,
        "mode": MODES.index(request.mode),
        "meter": METERS.index(request.meter),
        "lively": int(request.lively),
        "keyboard type": KEYBOARDS.index(request.keyboard),
        "task": TASKS.index(prompt.task),
        **{f"{stem} plays": int(stem in request.stems) for stem in STEMS},
        **{f"{stem} is asked": int(stem in prompt.tracks) for stem in STEMS},
    }


def _is_known(prompt: Prompt, name: str) -> bool:
    if name == "task" or name.endswith("is asked"):
        return True
    if name == "keyboard type" and "keyboard" not in prompt.request.stems:
        return False
    if name == "bpm" and "meter" not in prompt.facts:
        # the meter decides which tempo is nearest; near enough where it does not say
        return "bpm" in prompt.facts and prompt.request.meter != 6
    fact = "stems" if name.endswith("plays") else OPEN.get(name, name)
    return fact in prompt.facts


def loss_of(scores: dict[str, Tensor], asked: Facts) -> Tensor:
    """Of scores [B, states, classes], each of which should tell all."""
    total = torch.zeros(())
    for name, score in scores.items():
        known = asked.known[name]
        classes = asked.classes[name][:, None].expand(-1, score.shape[1])
        each = F.cross_entropy(score.transpose(1, 2), classes, reduction="none").mean(dim=1)
        total = total + (each * known).sum() / known.sum().clamp(min=1)
    return total


@torch.no_grad()
def accuracy(reader: Reader, tokenizer: Tokenizer, prompts: Sequence[Prompt]) -> dict[str, float]:
    """The part of the known facts that is told right."""
    ids, lengths = padded(tokenizer, [each.text for each in prompts])
    scores, asked = reader(ids, lengths - 1), facts(prompts)
    found: dict[str, float] = {}
    for name, score in scores.items():
        right = (score[:, 0].argmax(dim=1) == asked.classes[name]) & asked.known[name]
        found[name] = round(float(right.sum() / asked.known[name].sum().clamp(min=1)), 3)
    return found


@cache
def held_out(count: int = 400) -> tuple[Prompt, ...]:
    return tuple(draw_prompt(HELD_OUT + number) for number in range(count))


def train_text_encoder(run: Run, tokenizer: Tokenizer) -> Reader:
    torch.manual_seed(0)
    reader = Reader(text_config(tokenizer))

    def loss(step: int) -> Tensor:
        prompts = [draw_prompt(TRAINING + step * BATCH + number) for number in range(BATCH)]
        ids, lengths = padded(tokenizer, [each.text for each in prompts])
        return loss_of(reader(ids, lengths - 1), facts(prompts))

    def report(average: nn.Module) -> str:
        assert isinstance(average, Reader)
        return str(accuracy(average, tokenizer, held_out()))

    trained = train(reader, loss, report, run)
    assert isinstance(trained, Reader)
    return trained
