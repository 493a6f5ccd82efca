"""Examples as tokens, in batches of like length; and what can be known at each code of a piece."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ace_core.constants import BPM_RANGE, FRAMES_PER_CODE
from ace_core.lm.metadata import NAMES
from ace_core.lm.vocabulary import Vocabulary
from ace_core.measure.key import KEYS
from tools.miniature.codes.design import LEVELS
from tools.miniature.world.channels import FIRST_FRAME, STEMS
from tools.miniature.world.form import sections
from tools.miniature.world.piece import chords_of
from tools.miniature.world.request import METERS, Request

from .examples import Example, Known, Part, example
from .songs import Song

GROUP: Final = 8  # batches that are cut from one draw, sorted by length
NOTHING: Final = -100  # a label that is not scored
MOST_SLIPS: Final = 0.25  # share of wrong codes
SECTIONS: Final = ("intro", "verse", "chorus", "bridge", "outro")
FACTS: Final = re.compile(  # in a reply: the numbers and names that it must get right
    rf"(?<=^{NAMES['bpm']}: ).+$|(?<=^{NAMES['key']}: ).+$", re.MULTILINE
)
FACT_WEIGHT: Final = 5.0  # of a token of them beside another of text
LABELS: Final = (  # of a code: how many values each thing that can be known of it has
    *(25, 4, 7, 5),  # frames into the beat, beat of the bar, chord, kind of section
    *(25, 24, 3, 16),  # frames of a beat less one, key, meter, which stems play
    BPM_RANGE[1] - BPM_RANGE[0] + 1,  # tempo that a reply is to name
)


@dataclass(frozen=True, slots=True)
class Batch:
    """`places` index the flattened [B * L] positions from which the next token is written."""

    ids: Tensor  # [B, L], as they are read
    text_places: Tensor
    text_targets: Tensor
    text_weights: Tensor  # float, of each target
    code_places: Tensor
    code_targets: Tensor  # the codebook's size stands for the end of the turn
    label_places: Tensor
    labels: Tensor  # [K, 9] of the token that follows

    @property
    def tokens(self) -> int:
        return self.ids.numel()


@dataclass(frozen=True, slots=True)
class Row:
    """One example as tokens: what is written, and what the model reads in its place."""

    ids: list[int]
    read: list[int]
    learnt: list[float]  # weight of each token, 0: it is only read
    first_code: int  # index of the first one, or -1
    song: Song
    reply: range  # tokens of the part of which something is known
    known: Known | None


def row(vocabulary: Vocabulary, parts: Example, song: Song, slips: Sequence[int] = ()) -> Row:
    """`slips` are the codes as they are read."""
    ids: list[int] = []
    learnt: list[float] = []
    first, reply, known = -1, range(0), None
    for part in parts:
        tokens = vocabulary.encode(part.text)
        if vocabulary.codes.start in tokens:
            place = tokens.index(vocabulary.codes.start)
            first = len(ids) + place
            codes = [vocabulary.codes.start + code for code in song.codes.tolist()]
            tokens = [*tokens[:place], *codes, *tokens[place + 1 :]]
        if part.known is not None:
            reply, known = range(len(ids), len(ids) + len(tokens)), part.known
        ids += tokens
        learnt += weights(vocabulary, part, tokens)
    read = list(ids)
    for place, code in enumerate(slips if first >= 0 else ()):
        read[first + place] = vocabulary.codes.start + code
    return Row(ids, read, learnt, first, song, reply, known)


def weights(vocabulary: Vocabulary, part: Part, tokens: Sequence[int]) -> list[float]:
    """How much each token of a part counts."""
    found = [float(part.learnt)] * len(tokens)
    if part.known is None or not part.learnt:
        return found
    facts = [range(*match.span()) for match in FACTS.finditer(part.text)]
    ends = [len(vocabulary.decode(tokens[: place + 1])) for place in range(len(tokens))]
    return [
        FACT_WEIGHT if any(end - 1 in fact for fact in facts) else weight
        for end, weight in zip(ends, found, strict=True)
    ]


def slipped(codes: Sequence[int], choose: random.Random) -> list[int]:
    """`codes` with some wrong ones: a model that never reads what it should not have written does
    not find back into the beat after a slip. Half of the pieces have none."""
    share = choose.uniform(0, MOST_SLIPS) if choose.random() < 0.5 else 0.0
    found = list(codes)
    for place in range(len(found)):
        if choose.random() < share:
            if choose.random() < 0.5:  # at another frame
                found[place] += choose.randrange(LEVELS[0]) - found[place] % LEVELS[0]
            else:
                found[place] = choose.choice(codes)
    return found


def batch(vocabulary: Vocabulary, rows: Sequence[Row]) -> Batch:
    """Rows of unlike length, filled up behind their ends, where nothing is learnt."""
    ids = pad_sequence([torch.tensor(each.ids) for each in rows], batch_first=True)
    read = pad_sequence([torch.tensor(each.read) for each in rows], batch_first=True)
    learnt = pad_sequence([torch.tensor(each.learnt) for each in rows], batch_first=True)
    width, start = ids.shape[1], vocabulary.codes.start
    followed = torch.zeros_like(learnt)
    followed[:, :-1] = learnt[:, 1:]
    counted = followed > 0
    follower = torch.zeros_like(ids)
    follower[:, :-1] = ids[:, 1:]
    # the end of the turn after a code is the codes' own end
    of_codes = (follower >= start) | ((ids >= start) & (follower == vocabulary.end))
    code_places = (counted & of_codes).flatten().nonzero().flatten()
    text_places = (counted & ~of_codes).flatten().nonzero().flatten()
    targets = follower.flatten()
    code_targets = targets[code_places] - start
    code_targets[code_targets < 0] = len(vocabulary.codes)
    places, found = _labels_of(rows, width)
    return Batch(
        read,
        text_places,
        targets[text_places],
        followed.flatten()[text_places],
        code_places,
        code_targets,
        places,
        found,
    )


def _labels_of(rows: Sequence[Row], width: int) -> tuple[Tensor, Tensor]:
    """Places in the flattened batch, and the labels [K, 9] of what follows each."""
    places = [torch.zeros(0, dtype=torch.long)]
    found = [torch.zeros(0, len(LABELS), dtype=torch.long)]
    for number, each in enumerate(rows):
        if each.first_code > 0:
            first = number * width + each.first_code - 1
            places.append(torch.arange(first, first + len(each.song.codes)))
            found.append(labels(each.song.request, len(each.song.codes)))
        if each.known is not None:
            first = number * width + each.reply.start - 1
            places.append(torch.arange(first, first + len(each.reply)))
            found.append(known_labels(each.known).repeat(len(each.reply), 1))
    return torch.cat(places), torch.cat(found)


def known_labels(known: Known) -> Tensor:
    """[9]: of a token of a reply."""
    request, found = known.request, torch.full((len(LABELS),), NOTHING)
    values = {
        "key": (5, KEYS.index(request.key)),
        "meter": (6, METERS.index(request.meter)),
        "stems": (7, _stems(request)),
        "bpm": (8, known.bpm - BPM_RANGE[0]),
    }
    for fact in known.facts & set(values):
        place, value = values[fact]
        found[place] = value
    return found


def _stems(request: Request) -> int:
    return sum(2**place for place, name in enumerate(STEMS) if name in request.stems)


def labels(request: Request, count: int) -> Tensor:
    """[S, 9]: where each code begins in the beat and in the bar, the chord and the kind of section
    in its middle, and what the whole piece has. After the last bar there are none."""
    form = sections(request)
    chords = torch.tensor(chords_of(request, form, random.Random(f"harmony {request.seed}")))
    kinds = torch.cat([torch.full((each.bars,), SECTIONS.index(each.name)) for each in form])
    frames = FRAMES_PER_CODE * torch.arange(count) - FIRST_FRAME
    beat = torch.div(frames, request.beat_frames, rounding_mode="floor")
    bar = torch.div(frames + 2, request.bar_frames, rounding_mode="floor")
    inside = bar.clamp(0, len(chords) - 1)
    placed = [
        frames % request.beat_frames,
        beat % request.beats_per_bar,
        chords[inside],
        kinds[inside],
    ]
    whole = (
        request.beat_frames - 1,
        KEYS.index(request.key),
        METERS.index(request.meter),
        _stems(request),
        NOTHING,
    )
    found = torch.stack([*placed, *(torch.full((count,), value) for value in whole)], dim=1)
    found[bar >= len(chords)] = NOTHING
    return found


def group(vocabulary: Vocabulary, songs: Sequence[Song], number: int, tokens: int) -> list[Batch]:
    """`GROUP` batches of about `tokens` tokens each, in random order; `number` seeds them."""
    choose = random.Random(f"group {number}")
    rows: list[Row] = []
    total = 0
    while total < GROUP * tokens:
        song = choose.choice(songs)
        slips = slipped(song.codes.tolist(), choose)
        rows.append(row(vocabulary, example(song.request, choose), song, slips))
        total += len(rows[-1].ids)
    rows.sort(key=lambda each: len(each.ids))
    cuts, passed = [0], 0
    for index, each in enumerate(rows, start=1):
        passed += len(each.ids)
        if passed >= total * len(cuts) / GROUP and len(cuts) < GROUP:
            cuts.append(index)
    batches = [
        batch(vocabulary, rows[start:stop])
        for start, stop in zip(cuts, [*cuts[1:], len(rows)], strict=True)
        if stop > start
    ]
    choose.shuffle(batches)
    return batches
