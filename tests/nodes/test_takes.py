"""Takes that are measured: the best of a batch by what was asked, and takes until one fits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ace_core.measure.key import Key
from ace_core.measure.levels import Levels
from ace_core.measure.measurement import Measurement
from ace_core.measure.tempo import Tempo
from ace_core.sampling.recipe import draw_seeds
from tests.nodes.test_lyrics import small, why
from tests.nodes.test_text_to_music import done, number, replaced
from tools.hosts.host import Prompt
from tools.hosts.pack import Pack

LEVELS = Levels(-14.0, -1.0, 0, 0.0, 0.0, 0.0, 0.0, False)
OWN = "F minor"  # of the workflows, at 124 BPM


def measured(bpm: float, key: str = OWN) -> Measurement:
    return Measurement(10.0, Tempo(bpm, (), 0.9, None), None, Key(key, key, 0.1, 0.0), LEVELS)


@pytest.fixture
def measures(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The tempi that the next takes are measured to have; those of the miniature mean nothing."""
    tempi: list[float] = []
    for module in ("nodes.scores", "nodes.takes"):
        found = pack.submodule(module)
        monkeypatch.setattr(found, "measure", lambda audio, rate: measured(tempi.pop(0)))
    yield tempi


@pytest.fixture(scope="module")
def beat(models: Path) -> Prompt:
    return replaced(small("fits_the_beat"), "TextToMusic", batch_size=3)


@pytest.fixture(scope="module")
def until(models: Path) -> Prompt:
    return small("until_it_fits")


def without(prompt: Prompt, kind: str, name: str) -> Prompt:
    own = number(prompt, kind)
    inputs = {key: value for key, value in prompt[own]["inputs"].items() if key != name}
    return {**prompt, own: {**prompt[own], "inputs": inputs}}


def test_the_best_by_tempo_and_key_is_kept_and_all_are_ranked(
    pack: Pack, beat: Prompt, measures: list[float]
) -> None:
    measures += [62.0, 100.0, 125.0]
    outcome = done(pack, replaced(beat, "KeepBest", keep=2))
    latent, audio, ranking, ranked = outcome.values[number(beat, "KeepBest")]
    made = outcome.values[number(beat, "Sampler")][0]
    decoded = outcome.values[number(beat, "DecodeAudio")][0]["waveform"]
    assert torch.equal(latent["samples"], made["samples"][[2, 0]])
    assert torch.equal(audio["waveform"], decoded[[2, 0]])
    assert torch.equal(ranked["waveform"], decoded[[2, 0, 1]])
    seeds = made["ace_step"]["seeds"]
    first, second, third = ranking.splitlines()
    assert first == f"1. item 3, seed {seeds[2]}: 1.0000; 125.0 BPM of 124 asked; F minor as asked"
    assert "62.0 BPM, half the 124 asked" in second
    assert "-19% off the 124 asked" in third


def test_a_weight_moves_the_ranking(pack: Pack, beat: Prompt, measures: list[float]) -> None:
    measures += [62.0, 62.0, 62.0]
    prompt = replaced(beat, "KeepBest", prefer="tempo:3, key")
    ranking = done(pack, prompt).values[number(beat, "KeepBest")][2]
    assert ranking.startswith("1. item 1, ")  # of equals the earlier
    assert ": 0.6250;" in ranking


def test_the_batch_of_the_miniature_is_measured(pack: Pack, beat: Prompt) -> None:
    prompt = replaced(beat, "KeepBest", prefer="tempo, key, meter, length, clipping, ending")
    ranking = done(pack, prompt).values[number(beat, "KeepBest")][2].splitlines()
    assert len(ranking) == 3


def test_scores_and_measurements_are_mixed(pack: Pack, models: Path, measures: list[float]) -> None:
    measures += [124.0, 124.0]
    best = replaced(small("best_of_four"), "TextToMusic", batch_size=2)
    best = replaced(best, "Song", bpm=124)
    song, decode = number(best, "Song"), number(best, "DecodeAudio")
    batch = {**best[decode], "inputs": {**best[decode]["inputs"]}}
    batch["inputs"]["latent"] = [number(best, "Sampler"), 0]
    mixed = replaced({**best, "batch": batch}, "KeepBest", prefer="tempo, lyrics:2, quality")
    mixed = replaced(mixed, "KeepBest", song=[song, 0], audio=["batch", 0])
    outcome = done(pack, mixed)
    scores = outcome.values[number(best, "Score")][0]
    ranking = outcome.values[number(best, "KeepBest")][2]
    totals = [(1 + 2 * each.singing.total + each.codes.total) / 4 for each in scores]
    assert f": {max(totals):.4f};" in ranking.splitlines()[0]
    assert "not used" not in ranking
    alone = replaced(best, "KeepBest", prefer="quality")
    values = done(pack, alone).values[number(best, "KeepBest")]
    assert values[1] is values[3] is None  # no audio is needed where nothing is measured
    sound = replaced(mixed, "KeepBest", prefer="clipping")
    measures += [124.0, 124.0]
    ranking = done(pack, sound).values[number(best, "KeepBest")][2]
    assert ranking.endswith("scores is not used: `prefer` names neither lyrics nor quality.")


@pytest.mark.parametrize(
    ("changes", "left_out", "words"),
    [
        ({"prefer": ""}, None, "Write into `prefer`"),
        ({"prefer": "bpm"}, None, "`prefer` names 'bpm'"),
        ({"prefer": "quality"}, None, "Connect its `scores`"),
        ({}, "song", "names tempo, which is compared with what was asked. Connect the song"),
        ({}, "audio", "Connect the decoded batch to `audio`"),
        ({"prefer": "lyrics"}, None, "nobody sings"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(
    pack: Pack, beat: Prompt, changes: dict[str, Any], left_out: str | None, words: str
) -> None:
    prompt = replaced(beat, "KeepBest", **changes)
    prompt = prompt if left_out is None else without(prompt, "KeepBest", left_out)
    if left_out == "audio":
        prompt = {
            name: node for name, node in prompt.items() if "SaveAudio" not in node["class_type"]
        }
    assert words in why(pack, prompt)


@pytest.mark.parametrize("kind", ["KeepBest", "TryUntilFit"])
def test_what_the_song_leaves_open_is_refused(
    pack: Pack, beat: Prompt, until: Prompt, kind: str
) -> None:
    prompt = replaced(beat if kind == "KeepBest" else until, "Song", bpm=0)
    assert "names tempo, but the song asks for no tempo" in why(pack, prompt)


def test_takes_are_made_until_one_fits_and_none_is_lost(
    pack: Pack, until: Prompt, measures: list[float]
) -> None:
    measures += [62.0, 100.0, 125.0, 124.0]
    prompt = replaced(until, "TryUntilFit", seed=7)
    outcome, own = done(pack, prompt), number(until, "TryUntilFit")
    latent, audio, ranked, report = outcome.values[own]
    assert outcome.ui[own]["ace_step_text"] == [report]  # which stays on the node
    assert measures == [124.0]
    drawn = draw_seeds(3, [7], rng_seed=7)
    assert latent["ace_step"]["seeds"] == (drawn[2],)
    assert len(ranked["waveform"]) == 3
    assert torch.equal(ranked["waveform"][:1], audio["waveform"])
    latents = ranked["ace_step_decoded"].of_sound(ranked["waveform"], 48_000)
    assert torch.equal(latents[0].T, latent["samples"][0])  # each saved take has its own
    lines = report.splitlines()
    assert lines[0] == "Take 3 of at most 4 fits by tempo, key."
    for place, item in enumerate((2, 0, 1), start=1):
        assert f"seed {drawn[item]}:" in lines[place]


def test_the_takes_are_the_songs_of_the_sampler(
    pack: Pack, until: Prompt, measures: list[float]
) -> None:
    measures += [62.0, 100.0, 62.0, 62.0]
    prompt = replaced(
        until, "TryUntilFit", seed=9
    )  # one that no other test takes: hosts keep results
    own = number(until, "TryUntilFit")
    given = prompt[own]["inputs"]
    links = ("model", "sigmas", "positive", "negative", "latent")
    sampler = {
        "class_type": "AceStep15Sampler",
        "inputs": {**{name: given[name] for name in links}, "seed": 9},
    }
    decode = {
        "class_type": "AceStep15DecodeAudio",
        "inputs": {"latent": ["sampler", 0], "vae": given["vae"]},
    }
    shown = {"class_type": "PreviewAny", "inputs": {"source": ["decode", 0]}}
    outcome = done(pack, {**prompt, "sampler": sampler, "decode": decode, "shown": shown})
    latent, _, ranked, report = outcome.values[own]
    assert report.startswith(
        "None of 4 takes fits by tempo, key; the first of these is the nearest."
    )
    assert latent["ace_step"]["seeds"] == (9,)
    assert torch.equal(latent["samples"], outcome.values["sampler"][0]["samples"])
    assert torch.equal(ranked["waveform"][:1], outcome.values["decode"][0]["waveform"])


def test_a_take_of_a_batch_and_a_score_as_a_condition_are_refused(
    pack: Pack, until: Prompt
) -> None:
    assert "The latent has 2 items" in why(pack, replaced(until, "TextToMusic", batch_size=2))
    assert "a score without a limit" in why(pack, replaced(until, "TryUntilFit", until="quality"))
    assert "is outside the 40 to 240" in why(pack, replaced(until, "Song", bpm=250))


def test_stop_ends_the_takes(
    pack: Pack, until: Prompt, measures: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ComfyUI does where the cross is pressed: the next check for it raises."""
    import comfy.model_management as management

    measures += [62.0] * 4
    takes = pack.submodule("nodes.takes")
    judge, pressed = takes.judge, list[bool]()

    def press(*given: Any) -> Any:
        pressed.append(True)
        return judge(*given)

    def stop() -> None:
        if pressed:
            raise getattr(management, "InterruptProcessingException", RuntimeError)

    monkeypatch.setattr(takes, "judge", press)
    monkeypatch.setattr(management, "throw_exception_if_processing_interrupted", stop)
    outcome = pack.host.run(until, extra_pnginfo={"workflow": {"nodes": []}})
    assert not outcome.complete
    assert len(measures) == 3  # the second take was not measured
