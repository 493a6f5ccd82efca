"""Levels, pan, mix and null test with exact numbers."""

import math

import pytest
import torch
from torch import Tensor

from ace_core.audio.mixing import (
    Stem,
    join_stems,
    mixdown,
    null_db,
    pan_gains,
    residual_of,
    stem_index,
)
from ace_core.errors import InvalidAudioError, InvalidRequestError


def tone(left: float, right: float, samples: int = 4) -> Tensor:
    return torch.tensor([float(left), float(right)])[None, :, None].expand(1, 2, samples).clone()


def test_a_stem_as_it_is_goes_into_the_mix_bit_for_bit() -> None:
    audio = torch.randn(1, 2, 100)
    assert torch.equal(mixdown([Stem("a", audio)]), audio)


def test_gain_is_in_decibels() -> None:
    mixed = Stem("a", tone(1, 0.5), gain=-20).in_mix
    torch.testing.assert_close(mixed, tone(0.1, 0.05))
    assert Stem("a", tone(1, 1), gain=6.0206).in_mix.max().item() == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize(
    ("pan", "left", "right"),
    [
        (-1, math.sqrt(2), 0),
        (0, 1, 1),
        (1, 0, math.sqrt(2)),
        (0.5, 0.541196, 1.306563),
        (-0.5, 1.306563, 0.541196),
    ],
)
def test_pan_keeps_the_power_and_the_centre_as_it_is(pan: float, left: float, right: float) -> None:
    assert pan_gains(pan) == pytest.approx((left, right), abs=1e-6)
    assert sum(side**2 for side in pan_gains(pan)) == pytest.approx(2)
    torch.testing.assert_close(Stem("a", tone(1, 1), pan=pan).in_mix, tone(left, right))


def test_a_muted_stem_is_silent_and_keeps_its_length() -> None:
    mixed = mixdown([Stem("a", tone(1, 1, 9), muted=True), Stem("b", tone(0.25, 0.5, 3))])
    assert mixed.shape == (1, 2, 9)
    assert mixed[0, :, 0].tolist() == [0.25, 0.5]
    assert mixed[..., 3:].abs().max() == 0


def test_the_mix_is_the_sum_and_nothing_is_limited() -> None:
    mixed = mixdown([Stem("a", tone(0.75, 0.5)), Stem("b", tone(0.75, -0.5))])
    assert mixed[0, :, 0].tolist() == [1.5, 0.0]


def test_the_null_test_is_the_level_of_what_is_left() -> None:
    source = tone(1, -1, 50)
    assert null_db(source * 0.9, source) == pytest.approx(-20, abs=1e-5)
    assert null_db(torch.zeros_like(source), source) == 0
    assert null_db(-source, source) == pytest.approx(6.0206, abs=1e-4)
    assert null_db(source, source) == -math.inf


def test_only_the_shared_length_is_compared() -> None:
    source = tone(1, 1, 50)
    assert null_db(source[..., :20], source) == -math.inf
    assert null_db(torch.cat([source, source], dim=-1), source) == -math.inf


def test_nothing_can_be_nulled_against_silence() -> None:
    with pytest.raises(InvalidAudioError, match="silent"):
        null_db(tone(1, 1), tone(0, 0))


def test_stems_and_their_rest_are_the_source_whatever_their_levels() -> None:
    source = torch.randn(1, 2, 40)
    stems = [Stem("a", torch.randn(1, 2, 38), gain=-6), Stem("b", torch.randn(1, 2, 40), pan=1)]
    rest = residual_of(source, stems)
    plain = mixdown([Stem(stem.name, stem.audio) for stem in stems])
    torch.testing.assert_close(plain + rest, source)


@pytest.mark.parametrize("level", [{"gain": 25}, {"gain": math.nan}, {"pan": -1.1}])
def test_levels_out_of_range_are_refused_with_the_range(level: dict[str, float]) -> None:
    with pytest.raises(InvalidRequestError, match=r"'a' is .* goes from"):
        Stem("a", tone(1, 1), **level)


def test_stems_are_found_by_name_and_no_two_share_one() -> None:
    stems = join_stems([Stem("vocals", tone(1, 1))], [Stem("bass", tone(1, 1))])
    assert stem_index(stems, " bass ") == 1
    with pytest.raises(InvalidRequestError, match="among vocals, bass"):
        stem_index(stems, "drums")
    with pytest.raises(InvalidRequestError, match="two stems named 'bass'"):
        join_stems(stems, stems[1:])
    with pytest.raises(InvalidRequestError, match="no name"):
        Stem(" ", tone(1, 1))


def test_no_stems_cannot_be_mixed() -> None:
    with pytest.raises(InvalidRequestError, match="no stems"):
        mixdown([])
