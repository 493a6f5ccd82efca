"""How often tempo, beats, meter and key of the synthesised pieces are measured right.

`python -m tools.measure.accuracy` prints the table of docs/measure.md: of the pieces on which the
settings were chosen and, with `--other`, of others. With librosa in the same environment its own
tempo estimate of the same pieces stands beside ours, and the key by its chroma and Krumhansl's
profiles.
"""

import importlib.util
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ace_core.measure.key import KEYS, MAJOR, MINOR, RELATIONS, relation
from ace_core.measure.measurement import Measurement, measure
from tools.measure.pieces import RATE, Piece, pieces, render

OCTAVES = (0.5, 2.0, 1 / 3, 3.0)
TOLERANCE = 0.04  # of a tempo
REACH = 0.05  # seconds of a beat


def main() -> None:
    chosen = pieces(seed=2, other=True) if "--other" in sys.argv[1:] else pieces()
    made = [(piece, render(piece)) for piece in chosen]
    ours = [(piece, measure(audio, RATE)) for piece, audio in made]
    right = [pair for pair in ours if tempo_is(*pair, (1.0,))]
    for name, found in (
        ("tempo within 4 %", share(ours, lambda p, m: tempo_is(p, m, (1.0,)))),
        ("tempo, or twice, half, three times, a third of it", share(ours, either)),
        ("where the tempo is right: beats within 50 ms, all of them", share(right, beats_are)),
        ("where the tempo is right: meter", share(right, meter_is)),
        ("where the tempo is right: downbeats", share(right, downbeats_are)),
        ("key", share(ours, lambda p, m: score(p, m) == 1.0)),
    ):
        print(f"| {name} | {found} |")
    print(f"| key, score of MIREX | {sum(score(*pair) for pair in ours) / len(ours):.2f} |")
    if importlib.util.find_spec("librosa") is None:
        print("librosa is not installed: its rows are left out.")
    else:
        compare_librosa(made)


def compare_librosa(made: Sequence[tuple[Piece, torch.Tensor]]) -> None:
    theirs = [(piece, librosa_tempo(audio)) for piece, audio in made]
    for name, octaves in (("tempo", (1.0,)), ("or an octave of it", (1.0, *OCTAVES))):
        print(f"| librosa: {name} | {share(theirs, lambda p, b, o=octaves: near(p, b, o))} |")

    keys = [(piece, librosa_key(audio)) for piece, audio in made]
    print(f"| librosa: key | {share(keys, lambda p, name: p.key == name)} |")
    mean = sum(RELATIONS[relation(piece.key, name)] for piece, name in keys) / len(keys)
    print(f"| librosa: key, score of MIREX | {mean:.2f} |")


def tempo_is(piece: Piece, found: Measurement, octaves: Sequence[float]) -> bool:
    return found.tempo is not None and near(piece, found.tempo.bpm, octaves)


def near(piece: Piece, bpm: float, octaves: Sequence[float]) -> bool:
    return any(abs(bpm / (piece.bpm * octave) - 1) < TOLERANCE for octave in octaves)


def either(piece: Piece, found: Measurement) -> bool:
    return tempo_is(piece, found, (1.0, *OCTAVES))


def beats_are(piece: Piece, found: Measurement) -> bool:
    return found.tempo is not None and _farthest(piece.beats(), found.tempo.beats) < REACH


def meter_is(piece: Piece, found: Measurement) -> bool:
    return found.meter is not None and found.meter.time_signature == piece.meter


def downbeats_are(piece: Piece, found: Measurement) -> bool:
    return found.meter is not None and _farthest(piece.downbeats(), found.meter.downbeats) < REACH


def score(piece: Piece, found: Measurement) -> float:
    return 0.0 if found.key is None else RELATIONS[relation(piece.key, found.key.name)]


def share(pairs: Sequence[tuple[Piece, Any]], right: Callable[[Piece, Any], bool]) -> str:
    """How many are right, with Wilson's interval of 95 %."""
    count, total, z = sum(right(*pair) for pair in pairs), len(pairs), 1.96
    part = count / total
    middle = (part + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(part * (1 - part) / total + (z / (2 * total)) ** 2) / (1 + z * z / total)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{count} of {total} ({part:.0%}, {low:.0%} to {high:.0%})"


def librosa_tempo(audio: torch.Tensor) -> float:
    import librosa  # pyright: ignore[reportMissingImports]

    bpm, _ = librosa.beat.beat_track(y=audio.mean(dim=0).numpy(), sr=RATE)
    return float(bpm.item())


def librosa_key(audio: torch.Tensor) -> str:
    """The mean of librosa's chroma against the profiles of Krumhansl and Kessler 1982; librosa
    itself has no key."""
    import librosa  # pyright: ignore[reportMissingImports]

    chroma = librosa.feature.chroma_cqt(y=audio.mean(dim=0).numpy(), sr=RATE).mean(axis=1)
    profiles = torch.tensor([MAJOR, MINOR])
    rolled = torch.stack([row.roll(pitch) for row in profiles for pitch in range(12)])
    similar = torch.corrcoef(torch.cat([torch.from_numpy(chroma)[None].to(rolled), rolled]))[0, 1:]
    return KEYS[int(similar.argmax())]


def _farthest(truth: Sequence[float], found: Sequence[float]) -> float:
    distances = (torch.tensor(truth)[:, None] - torch.tensor(found)).abs().amin(dim=1)
    return float(distances.max())


if __name__ == "__main__":
    main()
