"""Takes of one song: judged by what was asked, ranked, made again until one fits."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ace_core.inference import GenerationConfig, GenerationResult, LLMHandler, takes
from ace_core.measure.key import Key
from ace_core.measure.levels import Levels
from ace_core.measure.measurement import Measurement
from ace_core.measure.tempo import Tempo
from ace_core.sampling.recipe import draw_seeds

from .conftest import ONE, Make
from .watched import changes

SONG: dict[str, Any] = {"bpm": 120, "keyscale": "Bb minor"}
SUNG: dict[str, Any] = {"lyrics": "[Verse]\nhello there\ngood night", "vocal_language": "en"}
LEVELS = Levels(-14.0, -1.0, 0, 0.0, 0.0, 0.0, 0.0, False)
BEST = GenerationConfig(
    use_random_seed=False, seeds=[7], best_of=3, prefer="tempo,key", batch_size=1
)
UNTIL = GenerationConfig(use_random_seed=False, seeds=[7], until="tempo,key", tries=5, batch_size=1)


def measured(bpm: float, key: str = "A# minor") -> Measurement:
    tempo, pitches = Tempo(bpm, (), 0.9, None), Key(key, key, 0.1, 0.0)
    return Measurement(10.0, tempo, None, pitches, LEVELS)


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The tempi that the next takes are measured to have; those of the miniature mean nothing."""
    tempi: list[float] = []
    monkeypatch.setattr(takes, "measure", lambda audio, rate: measured(tempi.pop(0)))
    return tempi


def seeds(result: GenerationResult) -> list[int]:
    assert result.success, result.error
    return [audio["params"]["seed"] for audio in result.audios]


@changes("best_of", "prefer")
def test_the_best_take_is_the_first_and_none_is_lost(make: Make, measures: list[float]):
    measures += [60.0, 121.0, 99.0]
    result = make(**SONG, config=BEST)
    drawn = draw_seeds(3, [7], rng_seed=7)
    assert seeds(result) == [drawn[1], drawn[0], drawn[2]]
    assert [audio["fit"]["rank"] for audio in result.audios] == [1, 2, 3]
    scores = [audio["fit"]["score"] for audio in result.audios]
    assert scores == pytest.approx([1, (0.5 + 1) / 2, (0.5 * (0.2 - 0.175) / 0.16 + 1) / 2])
    assert result.audios[1]["fit"]["criteria"]["tempo"]["fits"] is False
    assert f"1. seed {drawn[1]}: 1.0000; 121.0 BPM of 120 asked; Bb minor as asked" in (
        result.status_message.splitlines()
    )


def test_takes_are_the_songs_of_a_batch_with_their_latents(make: Make, measures: list[float]):
    measures += [60.0, 121.0, 99.0]
    ranked = make(**SONG, config=BEST)
    batch = make(**SONG, config=replace(ONE, batch_size=3))
    order = [seeds(batch).index(seed) for seed in seeds(ranked)]
    for place, item in enumerate(order):
        assert torch.equal(ranked.audios[place]["tensor"], batch.audios[item]["tensor"])
    assert torch.equal(ranked.extra_outputs["latents"], batch.extra_outputs["latents"][order])
    assert "fit" not in batch.audios[0]


@changes("until")
def test_takes_are_made_until_one_fits(make: Make, measures: list[float]):
    measures += [60.0, 99.0, 121.0, 120.0, 120.0]
    result = make(**SONG, config=UNTIL)
    drawn = draw_seeds(3, [7], rng_seed=7)
    assert seeds(result) == [drawn[2], drawn[0], drawn[1]]
    assert len(measures) == 2
    assert "Take 3 of at most 5 fits by tempo, key." in result.status_message
    assert result.extra_outputs["latents"].shape[0] == 3


@changes("tries")
def test_tries_are_the_most_takes_there_are(make: Make, measures: list[float]):
    measures += [60.0] * 9
    result = make(**SONG, config=replace(UNTIL, tries=9))
    assert len(seeds(result)) == 9  # more than a batch may have
    assert len(set(seeds(result))) == 9
    assert "None of 9 takes fits by tempo, key" in result.status_message


def test_takes_of_a_round_are_made_together(make: Make, measures: list[float]):
    measures += [60.0, 120.0, 60.0, 60.0]
    result = make(**SONG, config=replace(UNTIL, batch_size=2))
    assert len(seeds(result)) == 2
    measures[:] = [60.0] * 5
    assert len(seeds(make(**SONG, config=replace(UNTIL, batch_size=2)))) == 5


def test_every_take_is_made_again_from_its_params(make: Make, measures: list[float]):
    measures += [60.0] * 2
    result = make(**SONG, config=replace(UNTIL, tries=2))
    for audio in result.audios:
        again = make(**{**audio["params"], "lora": []}, config=replace(ONE, seeds=None))
        assert torch.equal(again.audios[0]["tensor"], audio["tensor"])


def test_each_song_with_wildcards_is_a_take(make: Make, measures: list[float]):
    measures += [60.0, 121.0, 99.0]
    result = make(**{**SONG, "caption": "{calm|loud|slow|fast} piano"}, config=BEST)
    assert seeds(result)[0] == draw_seeds(3, [7], rng_seed=7)[1]


def test_scores_of_the_models_are_criteria(make: Make, lm: LLMHandler):
    config = replace(BEST, best_of=2, prefer="lyrics,quality:2")
    result = make(**SUNG, lm=lm, config=config)
    for audio in result.audios:
        criteria = audio["fit"]["criteria"]
        mean = (criteria["lyrics"]["score"] + 2 * criteria["quality"]["score"]) / 3
        assert audio["fit"]["score"] == pytest.approx(mean)
        assert "score" not in audio
    scored = make(**SUNG, lm=lm, config=replace(config, score=True))
    parts = scored.audios[0]["fit"]["criteria"]
    both = (parts["lyrics"]["score"] + parts["quality"]["score"]) / 2
    assert scored.audios[0]["score"]["total"] == pytest.approx(both)


def test_the_miniature_s_own_takes_are_measured(make: Make):
    result = make(**SONG, config=replace(BEST, best_of=2, prefer="tempo, key, length, ending"))
    assert all(0 <= audio["fit"]["score"] <= 1 for audio in result.audios)


@pytest.mark.parametrize(
    ("config", "params", "words"),
    [
        (replace(BEST, prefer=""), SONG, "nothing says by what the takes are ranked"),
        (replace(BEST, best_of=1), SONG, "`best_of` asks for one"),
        (replace(BEST, until="tempo"), SONG, "Give one of the two"),
        (replace(BEST, prefer="bpm"), SONG, "`prefer` names 'bpm'"),
        (replace(UNTIL, until="quality"), SONG, "`until` names quality"),
        (replace(UNTIL, tries=33), SONG, "`tries` is 33, but must be 1 to 32"),
        (replace(BEST, best_of=9), SONG, "`best_of` is 9, but must be 1 to 8"),
        (BEST, {"keyscale": "C major"}, "the song asks for no tempo"),
        (UNTIL, {"bpm": 120}, "`until` names key, but the song asks for no key"),
        (replace(BEST, prefer="quality"), {}, "there is none. Give one"),
        (replace(BEST, prefer="lyrics"), {}, "nobody sings"),
        (replace(BEST, seeds=[1, 2, 3, 4]), SONG, "4 seeds were given for 3 items"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_a_take_is_made(
    make: Make, config: GenerationConfig, params: dict[str, Any], words: str
):
    seen: list[str] = []
    result = make(**params, config=config, progress=lambda share, desc="": seen.append(desc))
    assert words in str(result.error)
    assert "Making music" not in seen


def test_what_the_language_model_fills_in_is_compared(make: Make, lm: LLMHandler):
    config = replace(BEST, best_of=2, prefer="tempo")
    result = make(lm=lm, thinking=True, use_cot_caption=False, config=config)
    assert result.success, result.error
    audio = result.audios[0]
    reason, bpm = audio["fit"]["reason"], audio["params"]["cot_bpm"]
    assert f" {bpm} asked" in reason or f" {bpm} BPM were asked" in reason


def test_a_cancelled_run_ends_between_and_within_takes(make: Make, measures: list[float]):
    measures += [60.0] * 5
    shares: list[float] = []

    def cancel(share: float, desc: str = "") -> None:
        shares.append(share)
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(**SONG, config=UNTIL, progress=cancel)
    assert shares == sorted(shares)
    assert len(measures) in (2, 3)  # two or three takes were made


def test_a_number_of_songs_that_is_not_used_is_said(make: Make, measures: list[float]):
    measures += [120.0] * 3
    assert (
        "`batch_size` is not used"
        in make(**SONG, config=replace(BEST, batch_size=5)).status_message
    )
    measures += [120.0]
    assert (
        "`tries` is not used: `until` is empty."
        in make(config=replace(ONE, tries=5)).status_message
    )
