"""What the family's audio codes mean, and that the quantizer orders their digits alike."""

import pytest
import torch

from ace_core.models.codes import Quantizer
from ace_core.models.ops import TORCH
from tools.miniature.codes import design
from tools.miniature.world.channels import BASS, CRASH, HAT, KICK, SYNTH
from tools.miniature.world.piece import compose
from tools.miniature.world.request import draw


def frames(**strokes: tuple[int, int]) -> torch.Tensor:
    """[1, 5, 64] with a full stroke at each (frame, channel)."""
    roll = torch.zeros(1, 5, 64)
    for frame, channel in strokes.values():
        roll[0, frame, channel] = 1
    return roll


def test_a_code_says_when_which_drum_which_bass_and_which_note() -> None:
    heard = frames(kick=(3, KICK), bass=(3, BASS[2]), tune=(3, SYNTH[9]))
    assert design.digits(heard).tolist() == [[4, 2, 3, 2, 2]]  # note 10 is 4 * 2 + 2


def test_the_harder_onset_is_the_main_one() -> None:
    heard = frames(hat=(0, HAT), tune=(2, SYNTH[0]))
    assert design.digits(heard)[0, 0] == 3


def test_a_whole_chord_says_its_root() -> None:
    chord = torch.zeros(1, 5, 64)
    for note in (57, 60, 64):  # A minor, of which F3 is the keyboard's lowest
        chord[0, 1, 21 + note - 53] = 1
    assert design.digits(chord).tolist() == [[2, 0, 10, 0, 0]]


def test_silence_is_code_0() -> None:
    assert design.codes(torch.zeros(1, 5, 64)).tolist() == [0]
    assert not design.played(torch.zeros(1, 5, dtype=torch.long)).any()


def test_digits_and_codes_are_one_to_one() -> None:
    every = torch.arange(design.CODES)
    assert torch.equal(design.join(design.split(every)), every)


def test_the_quantizer_of_the_model_orders_digits_as_the_table_does() -> None:
    quantizer = Quantizer(5, design.LEVELS, TORCH)
    quantizer.project_out.load_state_dict({"weight": torch.eye(5), "bias": torch.zeros(5)})
    some = torch.arange(0, design.CODES, 97)
    levels = torch.tensor(design.LEVELS)
    found = (quantizer.embed(some) + 1) * (levels - 1) / 2
    assert torch.equal(found.round().long(), design.split(some))


@pytest.mark.parametrize(("channels", "part"), [(SYNTH, 0.95), (BASS, 0.95)])
def test_tune_and_bass_come_back_from_the_codes(channels: range, part: float) -> None:
    """Where two notes begin within 200 ms, one is lost."""
    rolls = [compose(draw(seed)).roll[:495].view(-1, 5, 64) for seed in range(12)]
    heard = torch.cat(rolls)
    back = design.played(design.digits(heard))[..., list(channels)] > 0
    there = heard[..., list(channels)] > design.STRUCK
    assert (there & back).sum() / there.sum() > part


def test_a_crash_is_played_with_the_kick() -> None:
    crash = design.played(torch.tensor([[1, 4, 0, 0, 0]]))
    assert crash.nonzero().tolist() == [[0, 0, KICK], [0, 0, CRASH]]
