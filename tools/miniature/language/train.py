"""The language model is taught: `train_language_model`."""

from typing import Final

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from ace_core.lm.vocabulary import Vocabulary
from ace_core.models.qwen3 import Qwen3
from tools.miniature.codes import design
from tools.miniature.training.loop import Run, train

from . import tokenizer
from .batches import LABELS, NOTHING, Batch, group
from .network import LanguageNetwork, Layout
from .songs import Song, request_of, shard, song_of

SHARDS: Final = 12  # files of songs to learn from
TOKENS: Final = 4_000  # of a batch
OFTEN: Final = 1_024  # codes that every position of codes is scored against
HELD_OUT: Final = range(100_000, 100_120)  # seeds
DATA: Final = "language"  # folder of the songs, beside the run's state


class Lessons:
    """Batches of `songs`; those of a draw are kept until the next is asked for."""

    def __init__(self, vocabulary: Vocabulary, songs: list[Song]) -> None:
        self.vocabulary, self.songs = vocabulary, songs
        self._drawn: list[Batch] = []
        self._first, self._number = 0, -1

    def batch(self, step: int) -> Batch:
        """The batch of a step: the same after a kill, but for the first of a draw."""
        place = step - self._first
        if self._number < 0 or not 0 <= place < len(self._drawn):
            self._first, self._number = step, step
            self._drawn = group(self.vocabulary, self.songs, step, TOKENS)
            place = 0
        return self._drawn[place]


def train_language_model(run: Run, words: Tokenizer, begin: Qwen3 | None = None) -> Qwen3:
    """The model taught for `run.minutes`, from the weights of `begin` if there are any."""
    torch.manual_seed(0)
    vocabulary = tokenizer.vocabulary(words)
    songs = [each for number in range(SHARDS) for each in shard(number, run.state.parent / DATA)]
    model = network(vocabulary, songs)
    if begin is not None:
        model.resume(begin)
    lessons = Lessons(vocabulary, songs)
    held_out = Lessons(vocabulary, [song_of(request_of(seed)) for seed in HELD_OUT])
    fixed = [held_out.batch(step) for step in range(3)]

    def loss(step: int) -> Tensor:
        torch.manual_seed(step)
        return model.loss(lessons.batch(step))

    def report(average: nn.Module) -> str:
        assert isinstance(average, LanguageNetwork)
        return known(average, fixed)

    trained = train(model, loss, report, run)
    assert isinstance(trained, LanguageNetwork)
    return trained.written()


def network(vocabulary: Vocabulary, songs: list[Song]) -> LanguageNetwork:
    """An untaught one."""
    counts = torch.zeros(design.CODES, dtype=torch.long)
    for song in songs:
        counts += song.codes.long().bincount(minlength=design.CODES)
    often = counts.topk(OFTEN - 1).indices
    ends = torch.tensor([design.CODES])  # the end of the turn is often right
    return LanguageNetwork(
        Layout(vocabulary.codes.start, vocabulary.end), features(), torch.cat((often, ends))
    )


def features() -> Tensor:
    """[N, D]: what each code says, one number for each value of each digit and for the pitch class
    of its note; of mean square 1."""
    digits = design.split(torch.arange(design.CODES))
    note = digits[:, 3] * design.LEVELS[4] + digits[:, 4]
    pitch_class = torch.where(note > 0, (note - 1) % 12 + 1, 0)
    onset_and_drum = digits[:, 0] * design.LEVELS[1] + digits[:, 1]
    said = [
        F.one_hot(digits[:, 0], design.LEVELS[0]),
        F.one_hot(digits[:, 1], design.LEVELS[1]),
        F.one_hot(digits[:, 2], design.LEVELS[2]),
        F.one_hot(note, design.LEVELS[3] * design.LEVELS[4]),
        F.one_hot(pitch_class, 13),
        F.one_hot(onset_and_drum, design.LEVELS[0] * design.LEVELS[1]),
    ]
    table = torch.cat(said, dim=1).float()
    return table / table.square().mean().sqrt()


def known(model: LanguageNetwork, batches: list[Batch]) -> str:
    """Mean losses on held-out examples, and how often each label is right."""
    model.eval()
    sums: dict[str, float] = {}
    right, counted = torch.zeros(len(LABELS)), torch.zeros(len(LABELS))
    with torch.no_grad():
        for each in batches:
            for name, value in model(each).items():
                sums[name] = sums.get(name, 0.0) + value.item() / len(batches)
            guesses = model.guessed(each)
            there = each.labels != NOTHING
            right += ((guesses == each.labels) & there).sum(dim=0)
            counted += there.sum(dim=0)
    losses = ", ".join(f"{name} {value:.3f}" for name, value in sums.items())
    shares = "/".join(f"{share:.2f}" for share in (right / counted.clamp(min=1)).tolist())
    return f"held out: {losses}; labels {shares}"
