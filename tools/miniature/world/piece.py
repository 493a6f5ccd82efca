"""A request becomes a piece: `compose`."""

import random
from dataclasses import dataclass

from torch import Tensor

from ace_core.constants import LATENT_RATE

from .accompaniment import Bass, Keyboard
from .channels import FIRST_FRAME
from .drums import Drums
from .form import Section, bars_of, sections
from .harmony import CHORUSES, FIFTH, VERSES, Harmony
from .melody import Melody
from .request import Request
from .strokes import Strokes


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A composed piece. `chords` has the degree of each bar's chord, from 0."""

    request: Request
    sections: tuple[Section, ...]
    chords: tuple[int, ...]
    roll: Tensor  # [T, 64]

    def beats(self) -> list[float]:
        """Seconds of all beats of whole bars; the first one is a downbeat."""
        request = self.request
        count = len(self.chords) * request.beats_per_bar
        frames = range(FIRST_FRAME, FIRST_FRAME + count * request.beat_frames, request.beat_frames)
        return [frame / LATENT_RATE for frame in frames]

    def downbeats(self) -> list[float]:
        return self.beats()[:: self.request.beats_per_bar]


def compose(request: Request) -> Piece:
    """The piece of a request, the same each time."""

    def chooser(part: str) -> random.Random:
        """Each part's own, so that leaving one out changes no other."""
        return random.Random(f"{part} {request.seed}")

    form = sections(request)
    harmony = Harmony(request.tonic, request.mode)
    chords = chords_of(request, form, chooser("harmony"))
    drums = Drums(request, chooser("drums"))
    bass = Bass(request, harmony, chooser("bass"))
    keyboard = Keyboard(request, harmony, chooser("keyboard"))
    melody = Melody(request, harmony, chooser("melody"))
    hands = {name: Strokes(request.frames, chooser(f"strokes of {name}")) for name in request.stems}
    for bar, chord, following in zip(bars_of(request, form), chords, (*chords[1:], 0), strict=True):
        if "drums" in hands:
            drums.bar(bar, hands["drums"])
        if "bass" in hands:
            bass.bar(bar, chord, following, hands["bass"])
        if "keyboard" in hands:
            keyboard.bar(bar, chord, hands["keyboard"])
        if "synth" in hands:
            melody.bar(bar, chord, hands["synth"])
    roll = sum(strokes.roll for strokes in hands.values())
    assert isinstance(roll, Tensor)
    return Piece(request, form, chords, roll)


def chords_of(
    request: Request, form: tuple[Section, ...], choose: random.Random
) -> tuple[int, ...]:
    """A degree for each bar; the piece ends with dominant and tonic."""
    verse = choose.choice(VERSES[request.mode])
    chorus = choose.choice(CHORUSES[request.mode])
    chords: list[int] = []
    for section in form:
        progression = chorus if section.name == "chorus" else verse
        chords += [progression[bar % len(progression)] for bar in range(section.bars)]
    ending = [FIFTH, 0][-len(chords) :]
    return (*chords[: len(chords) - len(ending)], *ending)
