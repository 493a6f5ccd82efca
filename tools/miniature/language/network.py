"""The language model while it learns: the published Qwen3, and what is left off when it is written.

A code's row in the table is a linear function of the strokes it stands for, plus what is its own,
so that codes seldom seen are known by their like. More heads say at each code where in beat and
bar it begins, which chord and section it is in, and tempo, key, meter and instruments of the piece:
what a writer of codes must know.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ace_core.models.qwen3 import Qwen3, Qwen3Config

from .batches import LABELS, NOTHING, Batch

SIZES: Final = Qwen3Config(
    vocab_size=0,
    hidden_size=72,
    intermediate_size=192,
    layers=5,
    heads=4,
    kv_heads=2,
    head_dim=32,
)
SPREAD: Final = 0.06  # of a table's numbers at first
TEXT_WEIGHT: Final = 2.0  # of a token of text beside a code
LABEL_WEIGHT: Final = 0.1
SAMPLED_CODES: Final = 768  # of the codes that are not frequent
SAMPLED: Final = 256  # codes that text is scored against


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in the table what stands: `text` tokens, then codes."""

    text: int
    end: int  # of a turn


class LanguageNetwork(nn.Module):
    """`features` [N, D] of the codes have mean square 1; `often` are the codes that pieces have
    most. While `sampling`, codes are scored against those and a sample of the others."""

    def __init__(
        self, layout: Layout, features: Tensor, often: Tensor, sizes: Qwen3Config = SIZES
    ) -> None:
        super().__init__()
        self.layout = layout
        width = sizes.hidden_size
        self.qwen = Qwen3(replace(sizes, vocab_size=1))
        del self.qwen.embed_tokens
        self.text = nn.Parameter(SPREAD * torch.randn(layout.text, width))
        spread = SPREAD / features.shape[1] ** 0.5
        self.known = nn.Parameter(spread * torch.randn(features.shape[1], width))
        self.own = nn.Parameter(0.2 * SPREAD * torch.randn(len(features), width))
        self.label_heads = nn.Linear(width, sum(LABELS))
        self.register_buffer("features", features, persistent=False)
        self.register_buffer("often", often, persistent=False)
        self.features: Tensor
        self.often: Tensor
        self.sampling = True

    def codes(self) -> Tensor:
        """Rows of the codes, [N, E]."""
        return self.features @ self.known + self.own

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Mean losses of text, codes and labels."""
        codes = self.codes()
        table = torch.cat((self.text, codes))
        hidden = self._hidden(batch, table)
        return {
            "text": self._text_loss(hidden[batch.text_places], codes, batch),
            "codes": self._code_loss(hidden[batch.code_places], codes, batch.code_targets),
            "labels": self._label_loss(hidden[batch.label_places], batch.labels),
        }

    def guessed(self, batch: Batch) -> Tensor:
        """The likeliest labels, [K, 9]."""
        hidden = self._hidden(batch, torch.cat((self.text, self.codes())))
        heads = self.label_heads(hidden[batch.label_places]).split(LABELS, dim=1)
        return torch.stack([scores.argmax(dim=1) for scores in heads], dim=1)

    def _hidden(self, batch: Batch, table: Tensor) -> Tensor:
        """[B * L, E]"""
        return self.qwen(F.embedding(batch.ids, table)).flatten(0, 1)

    def loss(self, batch: Batch) -> Tensor:
        losses = self(batch)
        text, codes = len(batch.text_targets) * TEXT_WEIGHT, len(batch.code_targets)
        written = (text * losses["text"] + codes * losses["codes"]) / (text + codes)
        return written + LABEL_WEIGHT * losses["labels"]

    def written(self) -> Qwen3:
        """The published model, with the whole table."""
        table = torch.cat((self.text, self.codes())).detach()
        model = Qwen3(replace(self.qwen.config, vocab_size=len(table)))
        model.load_state_dict({**self.qwen.state_dict(), "embed_tokens.weight": table})
        return model.requires_grad_(False).eval()

    def resume(self, model: Qwen3) -> None:
        """Take the weights of a published model; what strokes explain of a code is theirs."""
        table = model.head_rows(range(model.config.vocab_size), "cpu", torch.float32).detach()
        rest = {k: v for k, v in model.state_dict().items() if k != "embed_tokens.weight"}
        self.qwen.load_state_dict(rest)
        codes = table[self.layout.text :]
        with torch.no_grad():
            self.text.copy_(table[: self.layout.text])
            self.known.copy_(torch.linalg.lstsq(self.features, codes).solution)
            self.own.copy_(codes - self.features @ self.known)

    def _text_loss(self, hidden: Tensor, codes: Tensor, batch: Batch) -> Tensor:
        """Against all text, and a sample of codes that stands for all of them; weighted mean."""
        if not len(batch.text_targets):
            return hidden.sum() * 0
        sample = torch.randint(len(codes), (SAMPLED,))
        among = hidden @ codes[sample].T + torch.tensor(len(codes) / SAMPLED).log()
        scores = torch.cat((hidden @ self.text.T, among), dim=1)
        losses = F.cross_entropy(scores, batch.text_targets, reduction="none")
        return (losses * batch.text_weights).sum() / batch.text_weights.sum()

    def _code_loss(self, hidden: Tensor, codes: Tensor, targets: Tensor) -> Tensor:
        if not len(targets):
            return hidden.sum() * 0
        end = self.layout.end
        table = torch.cat((codes, self.text[end : end + 1]))
        if not (self.sampling and self.training):
            return F.cross_entropy(hidden @ table.T, targets)
        others = torch.randint(len(table), (SAMPLED_CODES,))
        others = others[~torch.isin(others, self.often)]
        rare_weight = math.log((len(table) - len(self.often)) / max(1, len(others)))
        chosen = torch.cat((self.often, others))
        scores = hidden @ table[chosen].T
        scores[:, len(self.often) :] += rare_weight
        scores = scores.masked_fill(chosen == targets[:, None], -torch.inf)  # it is put before them
        own = (hidden * table[targets]).sum(dim=1, keepdim=True)
        none = targets.new_zeros(len(targets))
        return F.cross_entropy(torch.cat((own, scores), dim=1), none)

    def _label_loss(self, hidden: Tensor, labels: Tensor) -> Tensor:
        if not len(labels):
            return hidden.sum() * 0
        heads = self.label_heads(hidden).split(LABELS, dim=1)
        pairs = [(scores, labels[:, place]) for place, scores in enumerate(heads)]
        return sum(
            (
                F.cross_entropy(scores, wanted, ignore_index=NOTHING)
                for scores, wanted in pairs
                if (wanted != NOTHING).any()
            ),
            start=hidden.new_zeros(()),
        )
