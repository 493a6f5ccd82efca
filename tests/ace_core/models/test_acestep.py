import re

import pytest
import torch
from torch import nn

from ace_core.models.acestep import AceStepModel
from ace_core.models.ops import Ops
from tests import casting
from tests.rounding import assert_same
from tests.toy import TEXT_HIDDEN_SIZE, acestep, dit_config, fill, randn

PLAIN = ("Linear", "Conv1d", "ConvTranspose1d", "Embedding", "RMSNorm")
ENCODER_LAYER = """
    self_attn.q_proj.weight self_attn.k_proj.weight self_attn.v_proj.weight self_attn.o_proj.weight
    self_attn.q_norm.weight self_attn.k_norm.weight input_layernorm.weight
    post_attention_layernorm.weight mlp.gate_proj.weight mlp.up_proj.weight mlp.down_proj.weight
"""
DIT_LAYER = """
    scale_shift_table self_attn_norm.weight cross_attn_norm.weight mlp_norm.weight
    self_attn.q_proj.weight self_attn.k_proj.weight self_attn.v_proj.weight self_attn.o_proj.weight
    self_attn.q_norm.weight self_attn.k_norm.weight
    cross_attn.q_proj.weight cross_attn.k_proj.weight cross_attn.v_proj.weight
    cross_attn.o_proj.weight cross_attn.q_norm.weight cross_attn.k_norm.weight
    mlp.gate_proj.weight mlp.up_proj.weight mlp.down_proj.weight
"""
TIME_EMBEDDING = """
    linear_1.weight linear_1.bias linear_2.weight linear_2.bias time_proj.weight time_proj.bias
"""
STACKS = {
    "decoder.layers.N": DIT_LAYER,
    "decoder.time_embed": TIME_EMBEDDING,
    "decoder.time_embed_r": TIME_EMBEDDING,
    "decoder": """proj_in.1.weight proj_in.1.bias condition_embedder.weight condition_embedder.bias
        norm_out.weight scale_shift_table proj_out.1.weight proj_out.1.bias""",
    "encoder": "text_projector.weight",
    "encoder.lyric_encoder": "embed_tokens.weight embed_tokens.bias norm.weight",
    "encoder.lyric_encoder.layers.N": ENCODER_LAYER,
    "encoder.timbre_encoder": "embed_tokens.weight embed_tokens.bias norm.weight special_token",
    "encoder.timbre_encoder.layers.N": ENCODER_LAYER,
    "tokenizer": "audio_acoustic_proj.weight audio_acoustic_proj.bias",
    "tokenizer.attention_pooler": """embed_tokens.weight embed_tokens.bias special_token
        norm.weight""",
    "tokenizer.attention_pooler.layers.N": ENCODER_LAYER,
    "tokenizer.quantizer": """project_in.weight project_in.bias project_out.weight
        project_out.bias""",
    "detokenizer": """embed_tokens.weight embed_tokens.bias special_tokens norm.weight
        proj_out.weight proj_out.bias""",
    "detokenizer.layers.N": ENCODER_LAYER,
}


def run(model: AceStepModel, dtype: torch.dtype) -> list[torch.Tensor]:
    """Every path of the model once, with inputs in `dtype`."""
    text = randn(1, 7, TEXT_HIDDEN_SIZE, seed=2).to(dtype)
    lyrics = randn(1, 140, TEXT_HIDDEN_SIZE, seed=3).to(dtype)
    encoded = model.encoder(text, lyrics, randn(2, 40, 64, seed=4).to(dtype))
    codes = model.tokenizer(randn(1, 20, 64, seed=5).to(dtype))
    pooled = model.tokenizer.attention_pooler(randn(2, 5, 64, seed=6).to(dtype))
    hints = model.hints(codes, dtype)
    context = torch.cat((hints, torch.ones_like(hints)), dim=-1)
    x = randn(1, 20, 64).to(dtype)
    time = torch.tensor([0.75])
    guided = model.decoder(x, time, context, model.decoder.cross_attention_kv(encoded))
    null = model.decoder.cross_attention_kv(model.null_condition_emb.to(encoded))
    return [encoded, pooled, hints, guided, model.decoder(x, time, context, null)]


@pytest.mark.parametrize("xl", [False, True])
def test_parameters_have_the_official_names(xl: bool):
    wanted = {"null_condition_emb"} | {
        f"{stack}.{key}" for stack, keys in STACKS.items() for key in keys.split()
    }
    model = acestep(dit_config(xl=xl))
    assert {re.sub(r"layers\.\d+", "layers.N", key) for key in model.state_dict()} == wanted
    assert not list(model.buffers())


@pytest.mark.parametrize("xl", [False, True])
def test_every_layer_is_made_by_the_injected_namespace(xl: bool):
    model = AceStepModel(dit_config(xl=xl), Ops(layers=casting))
    plain = tuple(getattr(nn, name) for name in PLAIN)
    layers = [module for module in model.modules() if isinstance(module, plain)]
    assert len(layers) > 100
    assert [type(layer).__name__ for layer in layers if type(layer) in plain] == []
    holders = {type(module) for module in model.modules() if list(module.parameters(False))}
    own = {kind.__name__ for kind in holders if not issubclass(kind, plain)}
    assert own == {  # the bare parameters, each cast where it is used
        "AceStepModel",
        "CodeDetokenizer",
        "DiT",
        "DiTLayer",
        "Pooler",
        "TimbreEncoder",
    }


@pytest.mark.parametrize("xl", [False, True])
def test_casting_layers_give_float32_from_weights_stored_in_bfloat16(xl: bool):
    stored = AceStepModel(dit_config(xl=xl), Ops(layers=casting, dtype=torch.bfloat16))
    fill(stored)
    exact = AceStepModel(dit_config(xl=xl))
    exact.load_state_dict({key: value.float() for key, value in stored.state_dict().items()})
    for given, wanted in zip(run(stored, torch.float32), run(exact, torch.float32), strict=True):
        assert given.dtype == torch.float32
        assert_same(given, wanted)


@pytest.mark.parametrize("xl", [False, True])
def test_weights_and_tables_stored_in_float32_follow_inputs_in_bfloat16(xl: bool):
    stored = fill(AceStepModel(dit_config(xl=xl), Ops(layers=casting)))
    assert {out.dtype for out in run(stored, torch.bfloat16)} == {torch.bfloat16}


def test_bfloat16_runs_through_every_part():
    exact = acestep()
    wanted = run(exact, torch.float32)
    exact.bfloat16()
    given = run(exact, torch.bfloat16)
    assert {out.dtype for out in given} == {torch.bfloat16}
    encoded_error = (given[0].float() - wanted[0]).norm() / wanted[0].norm()
    assert encoded_error < 0.02
    assert all(out.isfinite().all() for out in given)


def test_a_model_is_made_without_memory_and_filled_by_assignment():
    model = AceStepModel(dit_config(), Ops(device="meta"))
    assert all(parameter.is_meta for parameter in model.parameters())
    filled = acestep()
    model.load_state_dict(filled.state_dict(), assign=True)
    for given, wanted in zip(run(model, torch.float32), run(filled, torch.float32), strict=True):
        assert torch.equal(given, wanted)
