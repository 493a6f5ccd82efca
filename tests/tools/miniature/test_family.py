"""The trained family in every layout: complete, alike, with its own silence; what lacks is said."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from ace_core.lm.vocabulary import Vocabulary
from ace_core.tokens import load_tokenizer
from ace_core.types import Variant
from ace_core.weights import (
    inspect,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    tokenizer_file,
)
from ace_core.weights.checkpoint import Kind
from tests.tools.miniature import untrained
from tools.miniature import __main__ as command
from tools.miniature import trained
from tools.miniature.checkpoints import Miniature
from tools.miniature.diffusion.clock import silence
from tools.miniature.embedded import embedded
from tools.miniature.sizes import DIT
from tools.miniature.trained import PARTS, TRAINED, family, missing
from tools.miniature.training.files import write_adapter

TURBO = ("turbo", "split_turbo", "diffusers", "all_in_one")
BASE = ("base", "split_base")
TEXT = ("text_encoder", "split_text_encoder", "diffusers", "all_in_one")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained.write_untrained(tmp_path_factory.mktemp("family") / "family")


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    return family(tmp_path_factory.mktemp("models"), folder)


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize("layout", TURBO + BASE)
def test_a_diffusion_model_is_the_same_in_each_layout_with_its_codes_and_its_silence(
    made: Miniature, folder: Path, layout: str
) -> None:
    version = "base" if layout in BASE else "turbo"
    found, source = load_dit(getattr(made, layout)), load_dit(folder / version)
    assert same(found.model, source.model)
    assert found.model.config == source.model.config
    assert found.model.config.fsq_levels == untrained.LEVELS
    assert found.variant is not None
    assert found.variant.value == version
    assert found.silence is not None
    assert torch.equal(found.silence, silence().half())


@pytest.mark.parametrize(
    "layout", ["text_encoder", "split_text_encoder", "diffusers", "all_in_one"]
)
def test_a_text_encoder_is_the_same_in_each_layout_with_its_own_words(
    made: Miniature, folder: Path, layout: str
) -> None:
    path = getattr(made, layout)
    assert same(load_text_encoder(path), load_text_encoder(folder / "text_encoder"))
    words = tokenizer_file(inspect(path), Kind.TEXT_ENCODER)
    assert words is not None
    assert words.read_bytes() == (folder / "text_encoder" / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("layout", ["lm", "split_lm"])
def test_a_language_model_has_as_many_codes_as_the_codebook(
    made: Miniature, folder: Path, layout: str
) -> None:
    path = getattr(made, layout)
    model = load_lm(path)
    assert same(model, load_lm(folder / "language_model"))
    words = tokenizer_file(inspect(path), Kind.LM)
    assert words is not None
    vocabulary = Vocabulary(load_tokenizer(words), model.config.vocab_size)
    assert len(vocabulary.codes) == untrained.CODES


@pytest.mark.parametrize("layout", ["vae", "split_vae", "diffusers", "all_in_one"])
def test_the_vae_is_the_trained_one_in_each_layout(made: Miniature, layout: str) -> None:
    assert same(load_vae(getattr(made, layout)), load_vae(TRAINED / "vae"))


def test_the_file_of_all_has_one_tokenizer_so_no_language_model(made: Miniature) -> None:
    assert Kind.LM not in inspect(made.all_in_one).parts


def test_the_weights_are_stored_in_half_precision(made: Miniature) -> None:
    for path in (made.split_turbo, made.split_text_encoder, made.split_lm):
        with safe_open(path, "pt") as file:
            kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        assert kinds == {"F16"}


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        (("vae", "text_encoder", "turbo"), ["base", "language_model"]),
        (("vae", "text_encoder", "base"), ["turbo", "language_model"]),
        (("vae", "text_encoder", "turbo", "language_model"), ["base"]),
    ],
)
def test_what_is_there_is_written_and_the_rest_is_named(
    tmp_path: Path, parts: tuple[str, ...], left: list[str]
) -> None:
    folder = untrained.write_untrained(tmp_path / "family", *parts)
    assert missing(folder) == left
    made = family(tmp_path / "models", folder)
    assert made.split_turbo.exists() == ("turbo" in parts)
    assert made.split_base.exists() == ("base" in parts)
    assert made.split_lm.exists() == ("language_model" in parts)
    found = embedded(folder)
    assert found.plays
    assert found.model == parts[2]
    assert found.plans == ("language_model" in parts)
    said = "\n".join(found.lines())
    assert all(f"lacks {part}: {PARTS[part]}" in said for part in left)
    assert "random weights" not in said


def test_turbo_may_be_an_adapter_of_base(tmp_path: Path) -> None:
    folder = untrained.write_untrained(tmp_path / "family", "vae", "text_encoder", "base")
    key = "layers.2.self_attn.q_proj"
    size = DIT.decoder
    down = torch.randn(8, size.hidden_size)
    up = torch.randn(size.heads * size.head_dim, 8)
    start = f"base_model.model.{key}"
    named = {f"{start}.lora_A.weight": down, f"{start}.lora_B.weight": up}
    write_adapter(folder / "turbo", named, 8)
    assert missing(folder) == ["language_model"]
    made = family(tmp_path / "models", folder)
    base, turbo = load_dit(made.base), load_dit(made.split_turbo)
    assert turbo.variant is Variant.TURBO
    assert turbo.silence is not None
    changed = turbo.model.state_dict()
    name = f"decoder.{key}.weight"
    for each, weight in base.model.state_dict().items():
        expected = weight.float() + (up.half().float() @ down.half().float() if each == name else 0)
        assert torch.equal(changed[each], expected.half()), each


@pytest.mark.parametrize("parts", [("vae",), ("vae", "turbo"), ("vae", "text_encoder")])
def test_without_a_model_that_plays_nothing_is_written(
    tmp_path: Path, parts: tuple[str, ...]
) -> None:
    folder = untrained.write_untrained(tmp_path / "family", *parts)
    with pytest.raises(FileNotFoundError, match="plays nothing yet"):
        family(tmp_path / "models", folder)
    assert not (tmp_path / "models").exists()
    found = embedded(folder)
    assert not found.plays
    assert "random weights take its place" in found.lines()[0]


def test_the_command_writes_it_and_says_what_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = untrained.write_untrained(tmp_path / "family", "vae", "text_encoder", "turbo")
    monkeypatch.setattr(trained, "TRAINED", folder)
    command.main(["family", str(tmp_path / "models")])
    said = capsys.readouterr().out
    assert str(tmp_path / "models") in said
    assert "lacks base" in said
    (folder / "turbo" / "model.safetensors").unlink()
    with pytest.raises(SystemExit, match="plays nothing yet"):
        command.main(["family", str(tmp_path / "other")])


def test_what_is_there_of_the_family_of_the_repository_belongs_together() -> None:
    text = load_text_encoder(TRAINED / "text_encoder")
    for version in {"base"} - set(missing()):  # turbo is an adapter of it
        dit = load_dit(TRAINED / version)
        assert dit.model.config.text_hidden_size == text.config.hidden_size
        assert dit.silence is not None
        assert dit.silence.shape[1] >= 60 * 25
    if "language_model" not in missing():
        words = load_tokenizer(TRAINED / "language_model" / "tokenizer.json")
        lm = load_lm(TRAINED / "language_model")
        codes = Vocabulary(words, lm.config.vocab_size).codes
        assert len(codes) == untrained.CODES
