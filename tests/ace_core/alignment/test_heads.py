"""Which heads follow the lyrics: the checkpoint's own, the family's, or the user's."""

from dataclasses import replace

import pytest

from ace_core.alignment.attention_maps import HEADS_2B, HEADS_XL, default_heads, parse_heads
from ace_core.errors import CheckpointError, InvalidRequestError
from ace_core.models.config import DiTConfig, StackConfig
from tests.toy import dit_config

DECODER_2B = StackConfig(
    hidden_size=2048, intermediate_size=6144, heads=16, kv_heads=8, head_dim=128
)
DECODER_XL = StackConfig(
    hidden_size=2560, intermediate_size=9728, heads=32, kv_heads=8, head_dim=128
)
FULL_2B = replace(dit_config(), layers=24, decoder=DECODER_2B)
FULL_XL = replace(dit_config(xl=True), layers=32, decoder=DECODER_XL)


def test_each_family_has_its_published_heads() -> None:
    assert default_heads(FULL_2B) == HEADS_2B
    assert default_heads(FULL_XL) == HEADS_XL


def test_what_the_checkpoint_states_comes_first() -> None:
    stated = replace(FULL_XL, lyric_heads=((1, (0, 31)),))
    assert default_heads(stated) == {1: (0, 31)}


def test_config_json_states_them_by_layers_as_text() -> None:
    shapes = {name: t.shape for name, t in _model_state().items()}
    config = {"lyric_alignment_layers_config": {"3": [1], "1": [0, 2]}}
    read = DiTConfig.from_shapes(shapes, config)
    assert read.lyric_heads == ((1, (0, 2)), (3, (1,)))
    assert DiTConfig.from_shapes(shapes).lyric_heads == ()


def test_a_config_that_names_no_heads_is_refused() -> None:
    shapes = {name: t.shape for name, t in _model_state().items()}
    for broken in ([2, 6], {"2": "six"}, {"two": [6]}):
        with pytest.raises(CheckpointError, match="lyric_alignment_layers_config"):
            DiTConfig.from_shapes(shapes, {"lyric_alignment_layers_config": broken})


def test_heads_can_be_written_by_hand() -> None:
    assert parse_heads("3: 10, 11; 2:6;", FULL_2B) == {2: (6,), 3: (10, 11)}
    assert parse_heads("  ", FULL_2B) == HEADS_2B


def test_heads_that_a_model_does_not_have_are_left_out() -> None:
    assert parse_heads("3: 10 99; 77: 1", FULL_2B) == {3: (10,)}


@pytest.mark.parametrize("text", ["six", "2", "2: ", "2: a", "2: 6 / 3: 1"])
def test_what_names_no_heads_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="2: 6; 3: 10, 11"):
        parse_heads(text, FULL_2B)


def test_heads_of_which_the_model_has_none_are_refused_with_its_size() -> None:
    with pytest.raises(InvalidRequestError, match="5 layers of 4 heads"):
        parse_heads("9: 1; 2: 7", dit_config())


def test_a_model_of_another_size_takes_all_heads_of_its_early_layers_and_says_so(caplog) -> None:
    every = (0, 1, 2, 3)
    assert default_heads(replace(dit_config(), layers=2)) == {0: every}
    assert default_heads(dit_config()) == {4: (3,)}  # the one head of 2B's that it has
    larger = replace(dit_config(), layers=48, lyric_heads=((99, (1,)),))
    assert default_heads(larger) == dict.fromkeys(range(4, 13), every)
    assert "layers 4 to 12" in caplog.text


def _model_state():
    from ace_core.models.acestep import AceStepModel

    return AceStepModel(dit_config()).state_dict()
