"""Flow matching on the examples of the world, with conditions dropped now and then."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from ace_core.models.acestep import AceStepModel
from ace_core.models.qwen3 import Qwen3
from tools.miniature.diffusion.clock import silence
from tools.miniature.diffusion.examples import BASE, CLIP, Example, Hints, Maker
from tools.miniature.diffusion.network import set_bias
from tools.miniature.sizes import DIT
from tools.miniature.text.prompts import Prompt
from tools.miniature.text.train import ENDS, LYRICS, SIZES, facts, loss_of, padded
from tools.miniature.training.loop import Run, train
from tools.miniature.training.pieces import TRAINING, pieces
from tools.miniature.world.form import Accent, accents

FRAMES: Final = 4000  # of a batch
DROPPED: Final = 0.1  # how often an item has no conditions
FOCUSED: Final = 0.7  # how often an item sees only the ends of its text, which tell all, at first
OPENING: Final = (4500, 5200)  # steps between which it comes to see the whole text always
LATE: Final = 1.0  # mean of the flow times before the sigmoid: most are near noise
EASY: Final = 0.5  # how often what an example must not heed is softer
FACTS_AFTER: Final = 1  # the layer whose states are to tell what the text asks for
FACT_STATES: Final = 8  # of an item, evenly apart
FACT_WEIGHT: Final = 0.005
ACCENTS_AFTER: Final = 3  # the layer whose states are to tell the place in the bar
ACCENT_WEIGHT: Final = 0.1
OUTSIDE: Final = 0.25  # weight of a frame outside the mask, which the source gives already
ANYWHERE: Final = 0.2  # how often a flow time is any, evenly
HELD_OUT: Final = 900_000
PIECES: Final = 16_000
TIMES: Final = (0.3, 0.6, 0.8, 0.95)
MOST: Final = (0.55, 0.3, 0.1, 0.05)  # how often which length, from the shortest


@dataclass(frozen=True, slots=True)
class Batch:
    """Latents [B, T, 64], and what the model is given."""

    target: Tensor
    context: Tensor  # [B, T, 128]
    text: Tensor  # [B, L, 64]
    seen: Tensor  # [B, L]
    references: Tensor  # [R, CLIP, 64]
    referring: Tensor  # [R], items that have one
    prompts: Sequence[Prompt]


class Trainee(nn.Module):
    """The model, and the text encoder that it learns to read.

    Linear heads tell from states of the decoder what the text asks for, as those of the text
    encoder did from its own, and two layers later which frames are beats, and are thrown away. The
    music's loss alone had neighbouring tempi confused after four hours.
    """

    def __init__(self, model: AceStepModel, encoder: Qwen3, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.model = model
        self.encoder = encoder.requires_grad_(False)
        self.tokenizer = tokenizer
        width = DIT.decoder.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, n) for name, n in SIZES.items()})
        self.accents = nn.Linear(width, DIT.patch * len(Accent))
        self.states: dict[int, Tensor] = {}  # [B, N, width] of the last forward, by layer
        ids = torch.tensor([tokenizer.encode(LYRICS).ids])
        self.register_buffer("lyrics", encoder.embed(ids).detach(), persistent=False)

    def batch(self, examples: Sequence[Example]) -> Batch:
        ids, lengths = padded(self.tokenizer, [each.prompt.text for each in examples])
        with torch.no_grad():
            text = self.encoder(self.encoder.embed(ids))
        context = [torch.cat([each.source, each.mask.expand(-1, 64)], dim=1) for each in examples]
        having = [index for index, each in enumerate(examples) if each.reference is not None]
        references = [each.reference for each in examples if each.reference is not None]
        return Batch(
            torch.stack([each.target for each in examples]),
            torch.stack(context),
            text,
            torch.arange(ids.shape[1]) < lengths[:, None],
            torch.stack(references) if references else torch.zeros(0, CLIP, 64),
            torch.tensor(having, dtype=torch.long),
            [each.prompt for each in examples],
        )

    def conditions(self, batch: Batch, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encoded conditions [B, L', 64] of lyrics, timbre, text, and which are there [B, L']."""
        encoder, items = self.model.encoder, len(batch.target)
        lyrics = encoder.lyric_encoder(self.lyrics).expand(items, -1, -1)
        timbre = encoder.timbre_encoder(silence(CLIP)).expand(items, -1)  # [B, 64]
        if len(batch.referring):
            found = encoder.timbre_encoder(batch.references)
            timbre = timbre.index_copy(0, batch.referring, found)
        text = encoder.text_projector(batch.text)
        encoded = torch.cat([lyrics, timbre.unsqueeze(1), text], dim=1)
        always = torch.ones(items, lyrics.shape[1] + 1, dtype=torch.bool)
        if dropped is not None:
            null = self.model.null_condition_emb.expand_as(encoded)
            encoded = torch.where(dropped[:, None, None], null, encoded)
        return encoded, torch.cat([always, batch.seen], dim=1)

    def velocity(
        self, batch: Batch, noisy: Tensor, t: Tensor, dropped: Tensor | None = None
    ) -> Tensor:
        encoded, seen = self.conditions(batch, dropped)
        set_bias(self.model, seen)
        kv = self.model.decoder.cross_attention_kv(encoded)
        with ExitStack() as hooks:
            for index in (FACTS_AFTER, ACCENTS_AFTER):
                keep = partial(self._keep_states, index)
                hooks.enter_context(self.model.decoder.layers[index].register_forward_hook(keep))
            return self.model.decoder(noisy, t, batch.context, kv)

    def _keep_states(self, index: int, layer: nn.Module, given: object, states: Tensor) -> None:
        del layer, given
        self.states[index] = states

    def told_loss(self, batch: Batch, dropped: Tensor) -> Tensor:
        """Of what the last forward's states tell, but for `dropped` items [B]."""
        return FACT_WEIGHT * self._fact_loss(batch, dropped) + ACCENT_WEIGHT * self._accent_loss(
            batch, dropped
        )

    def _fact_loss(self, batch: Batch, dropped: Tensor) -> Tensor:
        states = self.states[FACTS_AFTER]
        states = states[:, :: max(1, states.shape[1] // FACT_STATES)]
        asked = facts(batch.prompts)
        told = {name: known & ~dropped for name, known in asked.known.items()}
        scores = {name: head(states) for name, head in self.heads.items()}
        return loss_of(scores, replace(asked, known=told))

    def _accent_loss(self, batch: Batch, dropped: Tensor) -> Tensor:
        scores = self.accents(self.states[ACCENTS_AFTER]).unflatten(2, (DIT.patch, len(Accent)))
        frames = DIT.patch * scores.shape[1]
        asked = torch.stack([accents(each.request, frames) for each in batch.prompts])
        loss = F.cross_entropy(scores.flatten(1, 2).transpose(1, 2), asked, reduction="none")
        told = (~dropped).float()
        return (loss.mean(dim=1) * told).sum() / told.sum().clamp(min=1)

    def loss(self, batch: Batch, t: Tensor, noise: Tensor, dropped: Tensor | None) -> Tensor:
        """[B]: squared error of the velocity, which leads from the music to the noise."""
        at = t[:, None, None]
        noisy = at * noise + (1 - at) * batch.target
        found = self.velocity(batch, noisy, t, dropped)
        return squared_error(found, noise - batch.target, batch.context[..., -1])


def squared_error(found: Tensor, asked: Tensor, mask: Tensor) -> Tensor:
    """[B]: of velocities [B, T, 64], with a smaller weight where the mask [B, T] is 0."""
    weights = OUTSIDE + (1 - OUTSIDE) * mask
    errors = (found - asked).square().mean(dim=2)
    return (errors * weights).sum(dim=1) / weights.sum(dim=1)


def flow_times(items: int, generator: torch.Generator) -> Tensor:
    """[B]: most near noise, some anywhere, as the last steps are where strokes get their force."""
    late = torch.sigmoid(torch.randn(items, generator=generator) + LATE)
    anywhere = torch.rand(items, generator=generator)
    return torch.where(torch.rand(items, generator=generator) < ANYWHERE, anywhere, late)


def draw_batch(maker: Maker, seed: int, frames: int = FRAMES) -> list[Example]:
    """Examples of one length."""
    choose = random.Random(f"batch {seed}")
    lengths = maker.pieces.by_length()
    length = choose.choices(sorted(lengths), MOST)[0]
    chosen = [choose.choice(lengths[length]) for _ in range(max(1, frames // length))]
    return [maker.example(index, choose) for index in chosen]


def focus(step: int) -> float:
    """How often an item sees only the ends of its text."""
    first, last = OPENING
    return FOCUSED * min(1.0, max(0.0, (last - step) / (last - first)))


def at_ends(batch: Batch, focused: Tensor) -> Batch:
    """The batch, where the `focused` [B] see no more than the last states of their text. What a
    song is asked to be is told there; found first among few, it is found later among all."""
    lengths = batch.seen.sum(dim=1, keepdim=True)
    ends = torch.arange(batch.seen.shape[1]) >= lengths - ENDS
    return replace(batch, seen=batch.seen & (ends | ~focused[:, None]))


def held_out_losses(trainee: Trainee, maker: Maker, rows: int = 4) -> str:
    """By flow time: with the right conditions, and with another item's."""
    lines = list[str]()
    for right in (True, False):
        losses = torch.zeros(len(TIMES))
        for seed in range(rows):
            generator = torch.Generator().manual_seed(seed)
            examples = draw_batch(maker, 77_000 + seed)
            batch = trainee.batch(examples)
            if not right:
                turned = trainee.batch([*examples[1:], examples[0]])
                batch = replace(batch, text=turned.text, seen=turned.seen)
            noise = torch.randn(batch.target.shape, generator=generator)
            for place, time in enumerate(TIMES):
                t = torch.full((len(noise),), time)
                with torch.no_grad():
                    losses[place] += trainee.loss(batch, t, noise, None).mean() / rows
        lines.append("/".join(f"{each:.3f}" for each in losses))
    return f"{lines[0]}, of others {lines[1]}"


def train_base(run: Run, trainee: Trainee, begun: bool = False) -> Trainee:
    """The base model on all six tasks; one that was `begun` before sees whole texts at once."""
    maker = replace(maker_of(trainee, BASE, run), easy=EASY)
    held_out = pieces(HELD_OUT, 60, run.state.parent)
    held = Maker(held_out, {"text2music": 1.0}, _hints(trainee.model))

    def loss(step: int) -> Tensor:
        generator = torch.Generator().manual_seed(step)
        batch = trainee.batch(draw_batch(maker, step))
        items = len(batch.target)
        t = flow_times(items, generator)
        noise = torch.randn(batch.target.shape, generator=generator)
        dropped = torch.rand(items, generator=generator) < DROPPED
        focused = torch.rand(items, generator=generator) < (0.0 if begun else focus(step))
        flow = trainee.loss(at_ends(batch, focused), t, noise, dropped).mean()
        return flow + trainee.told_loss(batch, dropped)

    def report(average: nn.Module) -> str:
        assert isinstance(average, Trainee)
        return held_out_losses(average, held)

    trained = train(trainee, loss, report, run)
    assert isinstance(trained, Trainee)
    return trained


def maker_of(trainee: Trainee, tasks: dict[str, float], run: Run) -> Maker:
    """Examples of the pieces to learn from, which are composed first."""
    return Maker(pieces(TRAINING, PIECES, run.state.parent), tasks, _hints(trainee.model))


def _hints(model: AceStepModel) -> Hints:
    @torch.no_grad()
    def hints(latents: Tensor) -> Tensor:
        whole = latents[:, : latents.shape[1] // 5 * 5]
        return model.hints(model.tokenizer(whole))

    return hints
