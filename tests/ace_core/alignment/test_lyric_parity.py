"""Lyric times and scores against the official code's: same weights, same maps, same answers."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from ace_core.alignment.attention_maps import FinishedSong, lyric_attention_maps
from ace_core.alignment.lyric_tokens import LyricTokens, lyric_tokens
from ace_core.alignment.score import alignment_score
from ace_core.alignment.timed_lyrics import lrc, timed_lines
from ace_core.alignment.timestamps import contrast, token_spans
from ace_core.types import Song
from tests.parity import ours, recipe
from tests.parity.checks import GOLDENS
from tests.rounding import SINGLE, difference

ROUNDED = 1e-4  # the official totals are rounded to four digits
VOICES = {"clear": (151, 0.2), "murky": (151, 0.9), "long": (400, 0.35), "scattered": (151, 0.05)}


def golden(name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    path = GOLDENS / f"lyrics_{name}.safetensors"
    with safe_open(path, framework="pt") as file:
        return load_file(path), file.metadata()


def tokens_of(lyrics: str) -> LyricTokens:
    return lyric_tokens(ours.text_encoder().tokenizer, Song("", lyrics, language="en"))


def toy_maps(family: str, t: float) -> tuple[Tensor, LyricTokens]:
    """Maps [K, L', S] of the toy model, with the very tensors that the official one was given."""
    _, meta = golden(family)
    decoder, tokens = ours.models(family).dit.decoder, tokens_of(meta["lyrics"])
    width, length = recipe.ENCODER["width"], int(meta["length"])
    song = FinishedSong(
        latents=recipe.drawn("lyrics/latents", (1, 301, 64)),
        context=recipe.drawn("lyrics/context", (1, 301, 128)).double(),
        kv=decoder.cross_attention_kv(recipe.drawn("lyrics/encoded", (1, length, width)).double()),
    )
    heads = {int(layer): chosen for layer, chosen in json.loads(meta["heads"]).items()}
    return lyric_attention_maps(decoder, song, tokens, heads, t), tokens


def voice(name: str, tokens: int) -> Tensor:
    """Maps in which a voice wanders through the tokens, over noise; one is out of order."""
    if name == "flat":
        return torch.full((3, tokens, 151), 0.25)
    frames, loudness = VOICES[name]
    noise = recipe.drawn(f"lyrics/{name}/noise", (3, tokens, frames)).abs() * loudness
    steps = (recipe.drawn(f"lyrics/{name}/walk", (tokens,)).abs() + 0.2).cumsum(0)
    centres = steps / steps[-1] * (frames - 1)
    near = torch.exp(-(((torch.arange(frames).float()[None] - centres[:, None]) / 2.5) ** 2))
    maps = noise + near[None] * (1 + 0.5 * torch.arange(3).float()[:, None, None])
    if name == "scattered":
        maps = maps[:, [index * 7 % tokens for index in range(tokens)]]
        maps[:, ::4] *= 0.02
    return maps


@pytest.mark.parametrize("family", ["2b", "xl"])
def test_attention_maps_are_those_of_the_official_model(family: str) -> None:
    wanted, _ = golden(family)
    maps, _ = toy_maps(family, 1 / 8)
    assert difference(maps[:, ::5], wanted["maps"]) < SINGLE
    assert difference(torch.from_numpy(contrast(maps)), wanted["matrix"]) < SINGLE


@pytest.mark.parametrize("family", ["2b", "xl"])
def test_the_toy_models_times_and_scores_are_the_official_ones(family: str) -> None:
    wanted, meta = golden(family)
    maps, tokens = toy_maps(family, 1 / 8)
    times = token_spans(maps, 301 / 25)
    torch.testing.assert_close(_column(times, "start"), wanted["starts"], rtol=0, atol=0)
    torch.testing.assert_close(_column(times, "end"), wanted["ends"], rtol=0, atol=0)
    assert lrc(timed_lines(tokens, times)) == meta["lrc"]
    noise_only, _ = toy_maps(family, 1.0)
    totals = [alignment_score(each, tokens.sung).total for each in (noise_only, maps)]
    assert totals == pytest.approx(wanted["scores"].tolist(), abs=ROUNDED)
    ours_now = _metrics(alignment_score(maps, tokens.sung))
    assert difference(ours_now[:3], wanted["metrics"]) < SINGLE


def test_what_stands_out_in_a_murky_voice_is_what_stands_out_officially() -> None:
    """The toy model attends too evenly for anything to stand out; this voice does not."""
    wanted, meta = golden("voice")
    maps = voice("murky", len(tokens_of(meta["lyrics"]).texts))
    matrix = torch.from_numpy(contrast(maps))
    assert difference(matrix, wanted["murky.matrix"]) < SINGLE
    assert matrix.max() > 10


@pytest.mark.parametrize("name", [*VOICES, "flat"])
def test_a_wandering_voice_is_timed_and_scored_as_officially(name: str) -> None:
    wanted, meta = golden("voice")
    tokens = tokens_of(meta["lyrics"])
    maps = voice(name, len(tokens.texts))
    times = token_spans(maps, maps.shape[-1] * 2 / 25)
    torch.testing.assert_close(_column(times, "start"), wanted[f"{name}.starts"], rtol=0, atol=0)
    torch.testing.assert_close(_column(times, "end"), wanted[f"{name}.ends"], rtol=0, atol=0)
    lines = timed_lines(tokens, times)
    assert lrc(lines) == meta[f"{name}.lrc"]
    assert [[line.start, line.end] for line in lines] == wanted[f"{name}.lines"].tolist()
    score = _metrics(alignment_score(maps, tokens.sung))
    assert difference(score[:3], wanted[f"{name}.metrics"][:3]) < SINGLE
    assert score[3].item() == pytest.approx(wanted[f"{name}.metrics"][3].item(), abs=ROUNDED)


def _column(times, name: str) -> Tensor:
    return torch.tensor([getattr(each, name) for each in times], dtype=torch.float64)


def _metrics(score) -> Tensor:
    values = (score.coverage, score.order, score.confidence, score.total)
    return torch.tensor(values, dtype=torch.float64)
