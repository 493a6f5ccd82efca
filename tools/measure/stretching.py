"""How well tempo and key are changed: ours beside librosa, Rubber Band and Signalsmith Stretch.

`python -m tools.measure.stretching` prints the table of docs/measure.md, with a column for each of
the packages librosa, pedalboard (Rubber Band 3) and python-stretch that is installed.
"""

import cmath
import importlib
import importlib.util
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from ace_core.audio.tempo_key import Change, changed
from ace_core.measure.key import key_number
from ace_core.measure.measurement import measure
from ace_core.measure.onsets import mel_filters
from tools.measure.pieces import RATE, START, pieces, render

Engine = Callable[[Tensor, float, float], Tensor]  # ([2, N], speed, semitones) -> [2, N']
SPEEDS: Final = (0.94, 0.97, 1.03, 1.06)
SECONDS: Final = 4


def ours(audio: Tensor, speed: float, semitones: float) -> Tensor:
    return changed(audio[None], RATE, Change(100 * (speed - 1), semitones))[0]


def by_librosa(audio: Tensor, speed: float, semitones: float) -> Tensor:
    effects = importlib.import_module("librosa").effects
    made = audio.numpy()
    if speed != 1:
        made = effects.time_stretch(made, rate=speed)
    if semitones:
        made = effects.pitch_shift(made, sr=RATE, n_steps=semitones)
    return torch.from_numpy(made)


def by_rubber_band(audio: Tensor, speed: float, semitones: float) -> Tensor:
    stretch = importlib.import_module("pedalboard").time_stretch
    given = {"preserve_formants": False, "pitch_shift_in_semitones": semitones}
    return torch.from_numpy(stretch(audio.numpy(), RATE, speed, **given))


def by_signalsmith(audio: Tensor, speed: float, semitones: float) -> Tensor:
    stretch = importlib.import_module("python_stretch").Signalsmith.Stretch()
    stretch.preset(len(audio), RATE)
    stretch.setTimeFactor(speed)
    stretch.setTransposeSemitones(semitones)
    return torch.from_numpy(stretch.process(audio.numpy()))


ENGINES: Final[dict[str, tuple[str | None, Engine]]] = {  # its package
    "ours": (None, ours),
    "librosa": ("librosa", by_librosa),
    "Rubber Band": ("pedalboard", by_rubber_band),
    "Signalsmith": ("python_stretch", by_signalsmith),
}


def main() -> None:
    engines = {
        name: engine
        for name, (package, engine) in ENGINES.items()
        if package is None or importlib.util.find_spec(package)
    }
    print("| what |", " | ".join(engines), "|")
    print("|---" * (len(engines) + 1) + "|")
    for name, value in MEASURES.items():
        print(f"| {name} |", " | ".join(value(each) for each in engines.values()), "|", flush=True)


def sines(engine: Engine) -> str:
    """The smallest ratio of a sine to all else, in dB."""
    worst = math.inf
    for hertz in (110.0, 440.0, 3_000.0):
        for speed in SPEEDS:
            made = engine(_sine(hertz), speed, 0.0)
            worst = min(worst, sine_to_rest(made[0], hertz))
    return f"{worst:.0f}"


def shifted_sines(engine: Engine) -> str:
    worst = math.inf
    for hertz in (110.0, 440.0, 3_000.0):
        for semitones in (-2, -1, 1, 2):
            made = engine(_sine(hertz), 1.0, semitones)
            worst = min(worst, sine_to_rest(made[0], hertz * 2 ** (semitones / 12)))
    return f"{worst:.0f}"


def sine_to_rest(sound: Tensor, hertz: float) -> float:
    """Power of the sine of exactly `hertz` over all else in the middle of [N], in dB."""
    middle = sound[len(sound) // 8 : -len(sound) // 8].double()
    angle = 2 * math.pi * hertz / RATE * torch.arange(len(middle), dtype=torch.float64)
    basis = torch.stack([angle.sin(), angle.cos()], dim=1)
    fitted = basis @ torch.linalg.lstsq(basis, middle[:, None]).solution
    rest = (middle - fitted[:, 0]).square().mean()
    return 10 * math.log10(float(fitted.square().mean() / rest.clamp(min=1e-20)))


def pre_echo(engine: Engine) -> str:
    """Energy in the 40 ms before a click over the energy around it, in dB; the largest."""
    return f"{10 * math.log10(max(max(share for share, _ in _clicks(engine)), 1e-12)):.0f}"


def click_times(engine: Engine) -> str:
    return f"{max(late for _, late in _clicks(engine)):.2f}"


def _clicks(engine: Engine) -> list[tuple[float, float]]:
    """Share of pre-echo, and milliseconds from where it must be, of each click."""
    audio = torch.zeros(2, SECONDS * RATE)
    places = torch.arange(RATE // 2, SECONDS * RATE - RATE // 2, RATE // 5)
    audio[:, places] = 0.9
    found = []
    for speed in SPEEDS:
        made = engine(audio, speed, 0.0)[0]
        for place in (places.double() / speed).round().long().tolist():
            reach = RATE // 25
            part = made[place - reach : place + reach].square()
            peak = int(part.argmax())
            before = float(part[: max(0, peak - RATE // 1000)].sum() / part.sum())
            found.append((before, 1000 * abs(peak - reach) / RATE))
    return found


def image(engine: Engine) -> str:
    """Error of the ratio between two channels, in level and phase, of two sines; worst, in dB."""
    worst = 0.0
    tones = {440.0: 0.5j, 1_000.0: 0.8 - 0.6j}  # right over left
    parts = [
        torch.cat([_sine(hertz)[:1], abs(ratio) * _sine(hertz, cmath.phase(ratio))[:1]])
        for hertz, ratio in tones.items()
    ]
    for speed in SPEEDS:
        made = engine((parts[0] + parts[1]) / 2, speed, 0.0)[:, RATE // 2 : -RATE // 2]
        made = (made * torch.hann_window(made.shape[1])).to(torch.cdouble)
        for hertz, ratio in tones.items():
            t = torch.arange(made.shape[1], dtype=torch.float64) / RATE
            left, right = made @ torch.exp(-2j * math.pi * hertz * t)
            worst = max(worst, abs(complex(right / left) - ratio))
    return f"{20 * math.log10(max(worst, 1e-12)):.0f}"


def distances(engine: Engine) -> str:
    """Mean difference in dB to the same piece played at the new tempo, per band and hundredth."""
    found = []
    for piece in pieces()[::6]:
        for speed in (0.95, 1.05):
            made = engine(render(piece), speed, 0.0)
            truth = render(replace(piece, bpm=piece.bpm * speed))
            late = round((START / speed - START) * RATE)  # the rest before the first beat
            found.append(_distance(truth, made, late))
    return f"{sum(found) / len(found):.2f}"


def _distance(truth: Tensor, made: Tensor, late: int) -> float:
    made = made[:, late:] if late > 0 else torch.nn.functional.pad(made, (-late, 0))
    length = min(truth.shape[1], made.shape[1]) - 2 * RATE
    one, other = (_levels(each[:, :length]) for each in (truth, made))
    heard = (one > one.max() - 50) | (other > one.max() - 50)
    return float((one - other)[heard].abs().mean())


def _levels(audio: Tensor) -> Tensor:
    spectrum = torch.stft(
        audio.mean(dim=0), 1024, 441, window=torch.hann_window(1024), return_complex=True
    )
    bands = mel_filters(1024, RATE)[0] @ spectrum.abs().square()
    return 10 * bands.clamp(min=1e-8).log10()


def tempi(engine: Engine) -> str:
    """How many of the 72 pieces are measured within 0.3 % of 1.05 times what they were, and the
    median error in percent."""
    errors = []
    for piece in pieces():
        audio = render(piece)
        before, after = (measure(each, RATE).tempo for each in (audio, engine(audio, 1.05, 0.0)))
        assert before is not None
        ratio = 0.0 if after is None else after.bpm / before.bpm / 1.05
        nearest = min((1.0, 2.0, 0.5), key=lambda octave: abs(math.log(max(ratio, 0.01) / octave)))
        errors.append(abs(ratio / nearest - 1) * 100)
    errors.sort()
    return f"{sum(error < 0.3 for error in errors)} ({errors[len(errors) // 2]:.3f} %)"


def keys(engine: Engine) -> str:
    """Of the 72 pieces, those whose key is measured a semitone higher than before."""
    count = 0
    for piece in pieces():
        audio = render(piece)
        before, after = (measure(each, RATE).key for each in (audio, engine(audio, 1.0, 1.0)))
        if before is not None and after is not None:
            mode, pitch = divmod(key_number(before.name), 12)
            count += key_number(after.name) == 12 * mode + (pitch + 1) % 12
    return str(count)


def seconds(engine: Engine) -> str:
    audio = torch.cat([render(piece) for piece in pieces()[:3]], dim=1)
    start = time.perf_counter()
    engine(audio, 1.05, 0.0)
    return f"{time.perf_counter() - start:.1f}"


def _sine(hertz: float, phase: float = 0.0) -> Tensor:
    t = torch.arange(SECONDS * RATE, dtype=torch.float64) / RATE
    return (0.5 * torch.sin(2 * math.pi * hertz * t + phase)).float().expand(2, -1).contiguous()


MEASURES: Final[dict[str, Any]] = {
    "sine at its own frequency over all else, worst of 12, dB": sines,
    "the same after a shift, worst of 12, dB": shifted_sines,
    "energy in the 40 ms before a click, worst, dB of the click": pre_echo,
    "a click off its new time, worst, ms": click_times,
    "two channels: error of level and phase between them, worst, dB": image,
    "difference to the piece played at the new tempo, dB": distances,
    "tempo measured 5 % higher within 0.3 %, pieces of 72 (median error)": tempi,
    "key measured a semitone higher, pieces of 72": keys,
    "a minute of stereo, seconds on one core": seconds,
}


if __name__ == "__main__":
    main()
