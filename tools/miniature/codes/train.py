"""Tokenizer and detokenizer are taught the table of codes: frames to digits, digits to frames."""

import random
from typing import Final

import torch
from torch import Tensor, nn

from ace_core.constants import FRAMES_PER_CODE, LATENT_CHANNELS
from ace_core.models.codes import CodeDetokenizer, CodeTokenizer
from ace_core.models.config import DiTConfig
from ace_core.models.ops import TORCH
from tools.miniature.codes import design
from tools.miniature.sizes import DIT, STROKE
from tools.miniature.training.loop import Run, train
from tools.miniature.training.pieces import TRAINING, Pieces, pieces
from tools.miniature.world.channels import STEMS

BATCH: Final = 512  # codes
NOISE: Final = 0.15  # what the VAE's estimate is off by, in the latent
GAINS: Final = (0.7, 1.2)  # of a source beside the world's own pieces
PLAYS: Final = 0.7  # how often a stem is there
HELD_OUT: Final = 900_000


class CodeModel(nn.Module):
    """Both modules under their official names."""

    def __init__(self, config: DiTConfig = DIT) -> None:
        super().__init__()
        self.tokenizer = CodeTokenizer(config, TORCH)
        self.detokenizer = CodeDetokenizer(config, TORCH)
        for name, weights in self.named_parameters():
            if weights.dim() == 2:
                nn.init.normal_(weights, std=weights.shape[1] ** -0.5)
            elif name.endswith("special_token"):  # small beside what the frames add to it
                nn.init.normal_(weights, std=0.02)
            elif name.endswith("special_tokens"):
                nn.init.normal_(weights)
        nn.init.zeros_(self.detokenizer.get_parameter("proj_out.weight"))
        with torch.no_grad():
            self.get_parameter("tokenizer.quantizer.project_in.weight").mul_(0.1)

    def places(self, latents: Tensor) -> Tensor:
        """Frames [M, 5, 64] to where they lie among the levels, [M, 5], before rounding."""
        quantizer = self.tokenizer.quantizer
        pooled = self.tokenizer.attention_pooler(self.tokenizer.audio_acoustic_proj(latents))
        top = torch.tensor(quantizer.levels) - 1.0
        soft = 1 + 1 / top
        return top * ((quantizer.project_in(pooled) / soft).tanh() * soft + 1) / 2

    def forward(self, latents: Tensor, meant: Tensor, some: Tensor) -> Tensor:
        """The error of the digits `meant` [M, 5] of `latents`, in levels, and of the frames that
        `some` digits [M, 5] stand for."""
        wrong = (self.places(latents) - meant).square().mean()
        hints = self.detokenizer(self.tokenizer.embed(design.join(some)).unsqueeze(1))
        return wrong + HINTS * (hints - design.played(some) * STROKE).square().mean()


HINTS: Final = 10.0  # weight of their error: most of what they should be is zero


def with_stems(roll: Tensor, stems: tuple[str, ...]) -> Tensor:
    """A roll [T, 64] with the other stems silent."""
    kept = torch.zeros_like(roll)
    for stem in stems:
        channels = list(STEMS[stem])
        kept[:, channels] = roll[:, channels]
    return kept


def draw_frames(source: Pieces, count: int, choose: random.Random) -> Tensor:
    """Frames of codes [M, 5, 64] in full strokes, M at least `count`, of pieces with some stems."""
    found, total = list[Tensor](), 0
    while total < count:
        roll = source.roll(choose.randrange(len(source)))
        stems = tuple(name for name in STEMS if choose.random() < PLAYS)
        frames = with_stems(roll, stems)[: len(roll) // FRAMES_PER_CODE * FRAMES_PER_CODE]
        found.append(frames.view(-1, FRAMES_PER_CODE, LATENT_CHANNELS))
        total += len(found[-1])
    return torch.cat(found)


@torch.no_grad()
def kept(model: CodeModel, frames: Tensor) -> str:
    """How many codes of `frames` [M, 5, 64] are the meant ones, digit by digit, and how many of the
    strokes that codes stand for come back (and are no others)."""
    meant = design.digits(frames)
    codes = model.tokenizer((frames * STROKE).flatten(0, 1)[None])[0]
    right = (design.split(codes) == meant).float().mean(dim=0)
    hints = model.detokenizer(model.tokenizer.embed(design.join(meant)).unsqueeze(1))
    there, back = design.played(meant) > 0.5, hints > 0.5 * STROKE
    both = float((there & back).sum())
    recall, precision = both / float(there.sum()), both / max(1.0, float(back.sum()))
    whole = float((codes == design.join(meant)).float().mean())
    digits = "/".join(f"{each:.3f}" for each in right)
    return f"codes {whole:.3f} ({digits}), hints {recall:.3f} of the strokes, {precision:.3f} right"


def train_codes(run: Run, config: DiTConfig = DIT, count: int = 1500) -> CodeModel:
    torch.manual_seed(0)
    model = CodeModel(config)
    pool = draw_frames(pieces(TRAINING, count, run.state.parent), 150 * count, random.Random(0))
    often = rarity(pool)
    held = draw_frames(pieces(HELD_OUT, 60, run.state.parent), 4000, random.Random(1))

    def loss(step: int) -> Tensor:
        generator = torch.Generator().manual_seed(step)
        chosen = torch.multinomial(often, BATCH, True, generator=generator)
        frames = pool[chosen]
        low, high = GAINS
        gains = low + (high - low) * torch.rand(BATCH, 1, 1, generator=generator)
        noise = NOISE * torch.randn(frames.shape, generator=generator)
        meant = design.digits(frames)
        other = design.split(torch.randint(design.CODES, (BATCH,), generator=generator))
        some = torch.where(torch.arange(BATCH).unsqueeze(1) % 2 == 0, meant, other)
        return model(frames * gains * STROKE + noise, meant, some)

    def report(average: nn.Module) -> str:
        assert isinstance(average, CodeModel)
        return kept(average, held)

    trained = train(model, loss, report, run)
    assert isinstance(trained, CodeModel)
    return trained


def rarity(frames: Tensor) -> Tensor:
    """[M]: how often to draw each of the frames, so that a code comes up with the root of its
    frequency."""
    _, code, counts = torch.unique(design.codes(frames), return_inverse=True, return_counts=True)
    return counts[code].double() ** -0.5
