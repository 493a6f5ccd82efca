from dataclasses import replace

import pytest

from ace_core.errors import CheckpointError
from ace_core.models.config import DiTConfig, StackConfig
from tests.toy import acestep, dit_config


def shapes_of(config: DiTConfig) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in acestep(config).state_dict().items()}


@pytest.mark.parametrize("xl", [False, True])
def test_every_size_is_read_from_the_shapes(xl: bool):
    config = dit_config(xl=xl)
    assert DiTConfig.from_shapes(shapes_of(config)) == config


def test_config_json_overrides_what_shapes_cannot_tell():
    types = ["full_attention", "sliding_attention"] * 3
    facts = {"sliding_window": 32, "rope_theta": 500.0, "rms_norm_eps": 1e-5, "layer_types": types}
    read = DiTConfig.from_shapes(shapes_of(dit_config()), facts)
    for stack in (read.decoder, read.encoder):
        assert (stack.window, stack.rope_theta, stack.norm_eps) == (32, 500.0, 1e-5)
        assert [stack.uses_sliding_window(layer) for layer in range(3)] == [False, True, False]


def test_theta_is_found_where_newer_configs_keep_it():
    facts = {"rope_parameters": {"rope_theta": 250.0}}
    assert DiTConfig.from_shapes(shapes_of(dit_config()), facts).decoder.rope_theta == 250.0


@pytest.mark.parametrize("types", [{}, {"layer_types": ["sliding_attention"] * 5}])
def test_no_layer_slides_when_config_json_switches_the_window_off(types: dict[str, object]):
    facts = {"use_sliding_window": False, "sliding_window": None} | types
    read = DiTConfig.from_shapes(shapes_of(dit_config()), facts)
    for stack in (read.decoder, read.encoder):
        assert not any(stack.uses_sliding_window(layer) for layer in range(5))


def test_even_layers_slide_when_nothing_is_said():
    size = StackConfig(hidden_size=8, intermediate_size=8, heads=1, kv_heads=1, head_dim=8)
    assert [size.uses_sliding_window(layer) for layer in range(4)] == [True, False, True, False]


def test_a_missing_key_is_named():
    shapes = shapes_of(dit_config())
    del shapes["decoder.proj_in.1.weight"]
    with pytest.raises(CheckpointError, match=r"no 'decoder\.proj_in\.1\.weight'"):
        DiTConfig.from_shapes(shapes)


def test_a_gap_in_the_layers_is_refused():
    shapes = {k: s for k, s in shapes_of(dit_config()).items() if ".layers.1." not in k}
    with pytest.raises(CheckpointError, match=r"\['0', '2', '3', '4'\].*without a gap"):
        DiTConfig.from_shapes(shapes)


def test_a_shape_of_another_rank_is_refused():
    shapes = shapes_of(dit_config()) | {"decoder.proj_in.1.weight": (64, 384)}
    with pytest.raises(CheckpointError, match=r"\[64, 384\], but 3 sizes"):
        DiTConfig.from_shapes(shapes)


def test_heads_that_do_not_divide_are_refused():
    shapes = shapes_of(dit_config()) | {"decoder.layers.0.self_attn.q_proj.weight": (70, 64)}
    with pytest.raises(CheckpointError, match=r"70 rows.*size 16"):
        DiTConfig.from_shapes(shapes)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"layer_types": ["sliding_attention"]}, "1 layer types, but the weights have 5"),
        ({"layer_types": ["chunked_attention"] * 5}, "chunked_attention"),
        ({"fsq_input_levels": [8, 8]}, r"6 digits a code.*\[8, 8\]"),
        ({"fsq_input_levels": [9, 8, 8, 5, 5, 5]}, "64000 codes are the most"),
        ({"fsq_input_num_quantizers": 2}, "2 quantizers"),
    ],
)
def test_a_config_json_of_another_model_is_refused(facts: dict[str, object], message: str):
    with pytest.raises(CheckpointError, match=message):
        DiTConfig.from_shapes(shapes_of(dit_config()), facts)


def test_a_smaller_codebook_is_read():
    facts = {"fsq_input_levels": [4, 4, 4, 4, 4, 4]}
    assert DiTConfig.from_shapes(shapes_of(dit_config()), facts).fsq_levels == (4,) * 6


def test_the_timbre_token_follows_the_two_widths():
    config = replace(dit_config(xl=True), timbre_cls=False)
    assert DiTConfig.from_shapes(shapes_of(config)).timbre_cls
