"""The miniature is a fair stand-in: others read it, it is small, and it plays sanely."""

import pytest
import torch
import transformers

from ace_core.models.ops import Ops
from ace_core.weights import load_dit, load_text_encoder, load_vae
from tests import oracle
from tests.float64 import as_float64, in_float64
from tests.rounding import RECORDED, assert_same, difference
from tools.miniature import miniature
from tools.miniature.__main__ import main

FLOAT = Ops(dtype=torch.float32)
DOUBLE = Ops(dtype=torch.float64)
COMPONENTS = {  # folder -> diffusers' class, and its field in the oracle
    "transformer": (oracle.AceStepTransformer1DModel, "transformer"),
    "condition_encoder": (oracle.AceStepConditionEncoder, "encoder"),
    "audio_tokenizer": (oracle.AceStepAudioTokenizer, "tokenizer"),
    "audio_token_detokenizer": (oracle.AceStepAudioTokenDetokenizer, "detokenizer"),
}


def test_two_runs_write_the_same_bytes(checkpoints, tmp_path):
    again = miniature(tmp_path)
    files = [path for path in checkpoints.root.rglob("*") if path.is_file()]
    assert len(files) > 40
    for file in files:
        assert file.read_bytes() == (again.root / file.relative_to(checkpoints.root)).read_bytes()


def test_all_of_it_takes_less_than_60_megabytes(checkpoints):
    files = [path for path in checkpoints.root.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60e6


@pytest.mark.parametrize("folder", COMPONENTS)
def test_diffusers_reads_its_folder_and_finds_the_official_weights_in_it(checkpoints, folder):
    kind, field = COMPONENTS[folder]
    found, report = kind.from_pretrained(
        checkpoints.diffusers / folder, output_loading_info=True, torch_dtype=torch.float32
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    official = oracle.diffusers_of(load_dit(checkpoints.turbo, FLOAT).model)
    expected = getattr(official, field).state_dict()
    state = found.state_dict()
    if folder == "condition_encoder":
        silence = load_dit(checkpoints.turbo).silence
        expected["silence_latent"] = silence
    assert state.keys() == expected.keys()
    for name, tensor in state.items():
        assert torch.equal(tensor, expected[name])


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
def test_diffusers_reads_the_vae_and_decodes_the_same(checkpoints):
    theirs, report = oracle.AutoencoderOobleck.from_pretrained(
        checkpoints.vae, output_loading_info=True, ignore_mismatched_sizes=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    # diffusers gives the encoder's output its inner width, which is 128 only at real size
    misfits = {name.rpartition(".")[0] for name, *_ in report["mismatched_keys"]}
    assert misfits == {"encoder.conv2"}
    ours = load_vae(checkpoints.split_vae, DOUBLE)
    latent = torch.randn(1, 64, 5, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        expected = theirs.double().decode(latent).sample
    # weight norm was folded in float32 when ours was written
    assert difference(ours.decode(latent), expected) < RECORDED


def test_transformers_reads_the_text_encoder_and_agrees(checkpoints):
    theirs, report = transformers.AutoModel.from_pretrained(
        checkpoints.text_encoder, output_loading_info=True, dtype=torch.float64
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    ours = load_text_encoder(checkpoints.split_text_encoder, DOUBLE)
    ids = torch.arange(30)[None]
    with torch.no_grad(), in_float64():
        expected = as_float64(theirs)(ids).last_hidden_state
    assert_same(ours(ours.embed(ids)), expected)


def test_a_song_of_ten_seconds_is_not_silent_and_does_not_clip(checkpoints):
    loaded = load_dit(checkpoints.turbo, FLOAT)
    assert loaded.silence is not None
    generator = torch.Generator().manual_seed(0)
    lyrics, text = torch.randn(1, 30, 32, generator=generator), torch.randn(1, 20, 32)
    encoded = loaded.model.encoder(text, lyrics, loaded.silence[:, :750])
    kv = loaded.model.decoder.cross_attention_kv(encoded)
    context = torch.cat([loaded.silence[:, :250], torch.ones(1, 250, 64)], dim=-1)
    x = torch.randn(1, 250, 64, generator=generator)
    for step in range(8, 0, -1):
        t = torch.tensor([step / 8])
        x = x - loaded.model.decoder(x, t, context, kv) / 8
    sound = load_vae(checkpoints.vae).decode(x.transpose(1, 2))
    assert sound.shape == (1, 2, 480_000)
    assert 0.1 < sound.abs().max() < 1.0
    assert 0.02 < sound.std() < 0.3


def test_the_command_says_how_it_is_called(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "usage: python -m tools.miniature" in capsys.readouterr().err
