"""Adapters in the library: for one call by its parameters, or kept by the handler."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ace_core.errors import InvalidRequestError
from ace_core.inference import AceStepHandler, GenerationParams, GenerationResult, generate_music
from ace_core.inference.adapters import LoraChoice
from ace_core.inference.normalize import normalized
from tests.gguf_files import gguf
from tests.loras import write_lora
from tests.rounding import assert_same

from .conftest import ONE, Make, dit_handler
from .watched import changes


@pytest.fixture(scope="module")
def files(turbo: AceStepHandler, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder, shapes = tmp_path_factory.mktemp("loras"), turbo.service.shapes
    return {
        "style": str(write_lora(folder / "style.safetensors", shapes)),
        "voice": str(write_lora(folder / "voice.safetensors", shapes, seed=4)),
        "rest": str(write_lora(folder / "rest.safetensors", shapes, foreign=1)),
        "foreign": str(write_lora(folder / "foreign.safetensors", shapes, foreign=5)),
    }


@pytest.fixture
def own(project: Path) -> AceStepHandler:
    """A handler of the test's own, which may keep adapters."""
    return dit_handler(project, "acestep-v15-turbo")


def latents(result: GenerationResult) -> torch.Tensor:
    assert result.success, result.error
    return result.extra_outputs["latents"]


@changes("lora")
def test_an_adapter_changes_its_call_alone(make: Make, turbo: AceStepHandler, files: Any):
    before = {name: weight.clone() for name, weight in turbo.service.models.dit.named_parameters()}
    plain = latents(make())
    changed = latents(make(lora=[f"{files['style']}:0.5"]))
    assert (changed - plain).abs().max() > 1e-3
    assert torch.equal(latents(make()), plain)
    after = dict(turbo.service.models.dit.named_parameters())
    assert all(torch.equal(after[name], weight) for name, weight in before.items())


def test_an_adapter_in_gguf_is_the_same(make: Make, files: Any, tmp_path: Path):
    (tmp_path / "style.gguf").write_bytes(gguf(load_file(files["style"])))
    found = latents(make(lora=str(tmp_path / "style.gguf")))
    assert torch.equal(found, latents(make(lora=files["style"])))


def test_strength_0_is_the_bare_model_and_two_halves_are_one_whole(make: Make, files: Any):
    style = files["style"]
    assert torch.equal(latents(make(lora=[f"{style}:0"])), latents(make()))
    whole = latents(make(lora=style))
    assert torch.equal(latents(make(lora=[f"{style}:1"])), whole)
    assert_same(latents(make(lora=[f"{style}:.5", f"{style}:5e-1"])), whole)


def test_what_was_applied_is_said_and_kept_with_the_song(make: Make, files: Any):
    result = make(lora=[f"{files['style']}:0.5", files["voice"]])
    assert "LoRA style.safetensors: 2 weights changed, strength 0.5" in result.status_message
    assert "no alpha in the file" in result.status_message
    stored = [f"{files['style']}:0.5", f"{files['voice']}:1.0"]
    (audio,) = result.audios
    assert audio["params"]["lora"] == stored
    assert audio["key"] != make().audios[0]["key"]


def test_the_params_of_a_song_bring_it_back_whatever_the_handler_keeps(
    own: AceStepHandler, make: Make, files: Any
):
    bare = make(handler=own)
    assert bare.audios[0]["params"]["lora"] == []
    assert own.load_lora(files["style"]).startswith("✅ LoRA 'style' loaded.")
    with_style = make(handler=own)
    assert_again(own, bare)
    assert own.unload_lora().startswith("✅")
    assert_again(own, with_style)
    assert not torch.equal(latents(bare), latents(with_style))


def assert_again(handler: AceStepHandler, result: GenerationResult) -> None:
    params = GenerationParams(**result.audios[0]["params"])
    again = generate_music(handler, None, params, ONE)
    assert torch.equal(latents(again), latents(result))


def test_the_handler_keeps_adapters_under_the_official_names(
    own: AceStepHandler, make: Make, files: Any
):
    style, voice = files["style"], files["voice"]
    assert own.unload_lora() == own.set_lora_scale(0.5) == "⚠️ No LoRA adapter loaded."
    assert own.set_use_lora(True).startswith("❌")
    own.load_lora(style)
    own.add_voice_lora(voice, 0.5)
    assert own.get_lora_status() == {
        "loaded": True,
        "active": True,
        "scale": 0.5,
        "scales": {"style": 1.0, "voice": 0.5},
        "active_adapter": "voice",
        "adapters": ["style", "voice"],
    }
    both = latents(make(lora=[style, f"{voice}:0.5"]))
    assert torch.equal(latents(make(handler=own)), both)  # all of them act
    assert own.set_active_lora_adapter("style").startswith("✅")
    assert own.set_lora_scale(0.25) == "✅ LoRA scale (style): 0.25"
    assert own.set_lora_scale("voice", 0) == "✅ LoRA scale (voice): 0"
    assert_same(latents(make(handler=own)), latents(make(lora=f"{style}:0.25")))
    assert own.set_use_lora(False).startswith("✅")
    assert torch.equal(latents(make(handler=own)), latents(make()))
    assert own.set_use_lora(True).startswith("✅")
    assert own.remove_lora("style").startswith("✅")
    assert own.get_lora_status()["adapters"] == ["voice"]
    assert own.get_lora_status()["active_adapter"] == "voice"


def test_the_handler_refuses_in_words(own: AceStepHandler, files: Any, tmp_path: Path):
    assert own.load_lora("").startswith("❌")
    assert own.load_lora(str(tmp_path / "none")).startswith("❌ No adapter is at")
    assert own.load_lora(files["foreign"]).startswith("❌ foreign.safetensors was made for another")
    assert own.get_lora_status()["loaded"] is False
    own.load_lora(files["style"])
    assert "in use" in own.load_lora(files["style"])
    assert own.set_lora_scale(11.0) == (
        "❌ The strength 11 of an adapter is outside -10 to 10. 1 is as it was trained."
    )
    assert own.set_lora_scale("loud").startswith("❌")
    assert own.set_lora_scale("other", 1.0) == "❌ Unknown adapter: other. Loaded: style."
    assert own.remove_lora("other") == own.set_active_lora_adapter("other")
    assert own.get_lora_status()["scales"] == {"style": 1.0}
    assert AceStepHandler().load_lora(files["style"]).startswith("❌ The diffusion model is not")


@pytest.mark.parametrize(
    ("lora", "words"),
    [
        (["none.safetensors"], "No adapter is at"),
        (["style:11"], "strength 11 of an adapter is outside -10 to 10"),
        ([":0.5"], "names no file"),
        (["a\0b"], "zero byte"),
    ],
)
def test_a_wrong_adapter_is_refused_before_anything_is_made(
    make: Make, tmp_path: Path, lora: Any, words: str
):
    result = make(lora=lora, save_dir=str(tmp_path / "songs"))
    assert not result.success
    assert words in (result.error or "")
    assert not (tmp_path / "songs").exists()


def test_most_keys_foreign_is_refused_and_a_rest_is_warned_of(make: Make, files: Any):
    assert "was made for another model" in (make(lora=files["foreign"]).error or "")
    assert "1 of the adapter's 5 keys fit nothing" in make(lora=files["rest"]).status_message


def test_an_adapter_of_xl_is_refused_by_2b(make: Make, turbo: AceStepHandler, tmp_path: Path):
    wide = {name: (n, *(2 * m for m in rest)) for name, (n, *rest) in turbo.service.shapes.items()}
    file = write_lora(tmp_path / "xl.safetensors", wide)
    assert "do not fit each other" in (make(lora=str(file)).error or "")


def test_an_adapter_is_found_among_the_models_by_its_name(
    make: Make, project: Path, tmp_path: Path
):
    (tmp_path / "checkpoints").symlink_to(project / "checkpoints")
    handler = dit_handler(tmp_path, "acestep-v15-turbo")
    shapes = handler.service.shapes
    file = write_lora(tmp_path / "loras" / "mine.safetensors", shapes)
    write_lora(tmp_path / "models" / "loras" / "peft" / "adapter_model.safetensors", shapes)
    expected = latents(make(lora=str(file)))
    for name in ("mine", "mine.safetensors", "peft", "mine:1.0"):
        assert torch.equal(latents(make(handler=handler, lora=name)), expected)
    assert "There are: mine.safetensors, peft." in (make(handler=handler, lora="yours").error or "")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("a.safetensors", ("a.safetensors", 1.0)),
        ("a.safetensors:0.8", ("a.safetensors", 0.8)),
        ("a:-.5", ("a", -0.5)),
        (r"C:\loras\a.safetensors", (r"C:\loras\a.safetensors", 1.0)),
        (r"C:\loras\a.safetensors:2", (r"C:\loras\a.safetensors", 2.0)),
        ("a:b", ("a:b", 1.0)),
        ("a:1:1", ("a:1", 1.0)),
    ],
)
def test_file_and_strength_are_read_from_one_text_and_written_back(text: str, choice: Any):
    found = LoraChoice.of(text)
    assert found == choice
    assert LoraChoice.of(str(found)) == found


def test_no_number_makes_a_strength_out_of_range():
    with pytest.raises(InvalidRequestError, match="outside -10 to 10"):
        LoraChoice.of("a:1e400")


def test_none_is_the_handlers_and_an_empty_list_is_none():
    assert normalized(GenerationParams(lora=[])).lora == []
    assert normalized(GenerationParams(lora="")).lora is None
    assert normalized(GenerationParams(lora=[Path("a.safetensors")])).lora == ["a.safetensors"]  # type: ignore[list-item]


def test_offloaded_and_int8_models_take_adapters_and_are_themselves_again(
    make: Make, project: Path, files: Any
):
    offloaded = dit_handler(project, "acestep-v15-turbo", offload_to_cpu=True)
    assert torch.equal(
        latents(make(handler=offloaded, lora=files["style"])), latents(make(lora=files["style"]))
    )
    int8 = dit_handler(project, "acestep-v15-turbo", quantization="int8")
    plain = latents(make(handler=int8))
    changed = latents(make(handler=int8, lora=files["style"]))
    assert (changed - plain).abs().max() > 1e-3
    assert torch.equal(latents(make(handler=int8)), plain)
