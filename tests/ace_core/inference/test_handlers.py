"""Models found by name, on a device that is there, resting where they were told to."""

import inspect
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ace_core import pipeline
from ace_core.errors import CheckpointError, InvalidRequestError
from ace_core.inference import AceStepHandler, LLMHandler, create_sample, find_models
from ace_core.inference.devices import OffloadedModel, device_of, dtype_of
from ace_core.inference.find_models import COMFYUI_TOKENIZER, find_model
from ace_core.inference.handlers import UNUSED
from ace_core.inference.progress import RunProgress
from ace_core.weights import Kind
from tests.rounding import assert_same
from tools.miniature import Miniature
from tools.miniature.tokenizer import write_tokenizer, write_vocabulary

from .conftest import ONE, Make, dit_handler


def test_an_official_folder_is_found_by_its_name(turbo: AceStepHandler):
    assert "acestep-v15-turbo" in turbo.status
    assert "cpu in float32" in turbo.status
    assert turbo.service.models.variant.value == "turbo"


@pytest.mark.parametrize(
    ("file", "name", "kind"),
    [
        ("diffusion_models/acestep_v1.5_turbo.safetensors", "acestep-v15-turbo", Kind.DIT),
        (
            "models/diffusion_models/acestep_v1.5_base_bf16.safetensors",
            "acestep-v15-base",
            Kind.DIT,
        ),
        (  # the folder that holds the ComfyUI
            "ComfyUI/models/diffusion_models/acestep_v1.5_turbo.safetensors",
            "acestep-v15-turbo",
            Kind.DIT,
        ),
        ("project/checkpoints/acestep_v1.5_turbo.safetensors", "acestep-v15-turbo", Kind.DIT),
        ("text_encoders/qwen_1.7b_ace15.safetensors", "acestep-5Hz-lm-1.7B", Kind.LM),
        ("text_encoders/qwen_1.7b_ace15.safetensors", "qwen_1.7b_ace15", Kind.LM),
    ],
)
def test_a_single_file_is_found_by_the_official_name(
    checkpoints: Miniature, tmp_path: Path, file: str, name: str, kind: Kind
):
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    source = checkpoints.split_lm if kind is Kind.LM else checkpoints.split_turbo
    place.symlink_to(source)
    assert find_model(tmp_path, name, kind).path == place


def test_single_files_of_a_comfyui_are_a_whole_service(checkpoints: Miniature, make: Make):
    handler = dit_handler(checkpoints.root, "acestep_v1.5_turbo_miniature.safetensors")
    assert make(handler=handler).success


@pytest.fixture
def comfyui_models(checkpoints: Miniature, tmp_path: Path) -> Path:
    """The `models` folder of a ComfyUI with the published single files and no tokenizer."""
    models = tmp_path / "ComfyUI" / "models"
    for file, name in (
        (checkpoints.split_turbo, "diffusion_models/acestep_v1.5_turbo.safetensors"),
        (checkpoints.split_text_encoder, "text_encoders/qwen_0.6b_ace15.safetensors"),
        (checkpoints.split_lm, "text_encoders/qwen_1.7b_ace15.safetensors"),
        (checkpoints.split_vae, "vae/ace_1.5_vae.safetensors"),
    ):
        (models / name).parent.mkdir(parents=True, exist_ok=True)
        (models / name).symlink_to(file)
    return models


def loaded(models: Path, **settings: Any) -> tuple[AceStepHandler, LLMHandler]:
    """Both handlers of the published names in `models`, whether they could be loaded or not."""
    dit, lm = AceStepHandler(), LLMHandler()
    dit.initialize_service(str(models), "acestep-v15-turbo", device="cpu", **settings)
    lm.initialize(str(models), "acestep-5Hz-lm-1.7B", device="cpu", **settings)
    return dit, lm


def assert_ready(dit: AceStepHandler, lm: LLMHandler) -> None:
    assert dit.service.models.variant.value == "turbo", dit.status
    assert lm.llm_initialized, lm.status


@pytest.mark.parametrize(
    "folder",
    ["comfy/text_encoders/qwen25_tokenizer", "models/text_encoders", "models/Qwen3-Embedding-0.6B"],
)
@pytest.mark.parametrize("form", [write_vocabulary, write_tokenizer])
def test_a_comfyui_lends_its_tokenizer(comfyui_models: Path, folder: str, form: Any):
    place = form(comfyui_models.parent / folder)
    assert place.exists()
    assert_ready(*loaded(comfyui_models))
    assert_ready(*loaded(comfyui_models.parent))


def test_tokenizers_are_looked_for_in_the_documented_order(
    comfyui_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    encoders = comfyui_models / "text_encoders"
    official = comfyui_models / "Qwen3-Embedding-0.6B"
    host = comfyui_models.parent / COMFYUI_TOKENIZER
    named = tmp_path / "named"
    for folder in (named, official, host, encoders):
        write_vocabulary(folder)
    whole = write_tokenizer(tmp_path / "whole")
    own = whole.rename(encoders / "qwen_0.6b_ace15.tokenizer.json")
    monkeypatch.setattr(find_models, "load_tokenizer", lambda place: place)
    model = find_model(comfyui_models, "qwen_0.6b_ace15", Kind.TEXT_ENCODER)

    def found(given: Path | None = None) -> Any:
        return find_models.find_tokenizer(model, Kind.TEXT_ENCODER, comfyui_models, given)

    assert found(named) == named
    assert found() == own
    own.unlink()
    for folder in (official, host, encoders):
        assert found() == folder
        shutil.rmtree(folder) if folder is not encoders else None


def test_half_the_bits_are_half_the_weights(project: Path):
    def size(dtype: str) -> int:
        models = dit_handler(project, "acestep-v15-turbo", dtype=dtype).service.models
        return sum(weight.nbytes for weight in models.dit.parameters())

    assert size("bf16") == size("fp16") == size("fp32") // 2


def test_the_comfyui_around_a_linked_models_folder_is_found(comfyui_models: Path, tmp_path: Path):
    write_vocabulary(comfyui_models.parent / COMFYUI_TOKENIZER)
    link = tmp_path / "elsewhere" / "models"
    link.parent.mkdir()
    link.symlink_to(comfyui_models)
    assert_ready(*loaded(link))


def test_a_tokenizer_may_be_named(comfyui_models: Path, tmp_path: Path):
    folder = write_vocabulary(tmp_path / "qwen")
    assert_ready(*loaded(comfyui_models, tokenizer=folder))
    assert_ready(*loaded(comfyui_models, tokenizer=write_tokenizer(tmp_path / "whole")))
    dit, lm = loaded(comfyui_models, tokenizer=tmp_path / "nothing")
    assert "nothing is not a folder with a tokenizer" in dit.status
    assert "nothing is not a folder with a tokenizer" in lm.status


def test_a_missing_tokenizer_is_told_with_the_folders_that_were_searched(comfyui_models: Path):
    for handler in loaded(comfyui_models):
        for place in (comfyui_models, comfyui_models.parent):
            assert str(place / COMFYUI_TOKENIZER) in handler.status
        assert "--tokenizer" in handler.status


def test_one_file_may_hold_everything(checkpoints: Miniature, make: Make):
    handler = dit_handler(checkpoints.root, str(checkpoints.all_in_one))
    assert make(handler=handler).success


def test_a_name_that_is_not_there_is_refused_with_those_that_are(project: Path):
    with pytest.raises(CheckpointError, match=r"acestep-v16.*There are: .*acestep-v15-turbo"):
        find_model(project, "acestep-v16", Kind.DIT)
    status, ready = AceStepHandler().initialize_service(str(project), "acestep-v16", "cpu")
    assert not ready
    assert "acestep-v16" in status


def test_a_model_of_another_kind_is_refused(project: Path):
    status, ready = LLMHandler().initialize(str(project), "Qwen3-Embedding-0.6B", device="cpu")
    assert not ready
    assert "language model" in status


def test_a_missing_companion_is_named(checkpoints: Miniature, tmp_path: Path):
    shutil.copytree(checkpoints.turbo, tmp_path / "alone" / "checkpoints" / "acestep-v15-turbo")
    handler = AceStepHandler()
    status, ready = handler.initialize_service(str(tmp_path / "alone"), "acestep-v15-turbo", "cpu")
    assert not ready
    assert "Qwen3-Embedding-0.6B" in status


@pytest.mark.parametrize("backend", ["vllm", "pt", "mlx"])
def test_every_published_backend_is_ours_and_says_so(project: Path, backend: str):
    status, ready = LLMHandler().initialize(
        str(project), "acestep-5Hz-lm-1.7B", backend, device="cpu"
    )
    assert ready
    assert backend in status
    assert "own decoding loop" in status


def test_an_unknown_backend_is_refused(project: Path):
    status, ready = LLMHandler().initialize(str(project), "acestep-5Hz-lm-1.7B", "onnx")
    assert not ready
    assert "vllm, pt, mlx" in status


def test_a_device_that_is_not_here_is_refused_with_those_that_are():
    assert device_of("cpu") == torch.device("cpu")
    assert device_of("auto").type in ("cuda", "mps", "xpu", "cpu")
    for name in ("tpu", "cuda:99"):
        with pytest.raises(InvalidRequestError, match=rf"{name}.*cpu"):
            device_of(name)


def test_the_number_format_is_chosen_or_follows_weights_and_device(monkeypatch):
    cpu = torch.device("cpu")
    assert dtype_of("bf16", torch.float32, cpu) is torch.bfloat16
    assert dtype_of(torch.float32, torch.bfloat16, cpu) is torch.float32
    assert dtype_of("fp16", torch.bfloat16, cpu) is torch.float16
    with pytest.raises(InvalidRequestError, match="bf16, fp16, fp32 or auto"):
        dtype_of("fp8", torch.float32, cpu)
    for fast, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(
            "ace_core.inference.devices.cpu_is_fast_at_bf16", lambda fast=fast: fast
        )
        assert dtype_of(None, torch.bfloat16, cpu) is expected
        assert dtype_of("auto", torch.float32, cpu) is torch.float32


@pytest.mark.parametrize(
    ("capability", "name", "expected"),
    [
        ((8, 6), "NVIDIA GeForce RTX 3060", torch.bfloat16),
        ((7, 0), "Tesla V100-SXM2-32GB", torch.float16),
        ((7, 5), "NVIDIA GeForce RTX 2080", torch.float16),
        ((7, 5), "NVIDIA GeForce GTX 1660", torch.float32),
        ((6, 1), "NVIDIA GeForce GTX 1080", torch.float32),
    ],
)
def test_a_gpu_without_bf16_computes_in_fp16_if_it_is_fast_at_it(
    capability, name, expected, monkeypatch
):
    gpu = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)
    assert dtype_of("auto", torch.bfloat16, gpu) is expected
    assert dtype_of("auto", torch.float32, gpu) is torch.float32


def test_an_offloaded_model_is_on_its_device_only_while_it_works():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
    resident = OffloadedModel(model, torch.device("meta"), offload=True)
    with resident, resident:
        assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}
    after = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
    assert after == before  # the resting weights themselves, not a copy


def test_an_offloaded_model_comes_back_when_its_work_fails():
    model = nn.Linear(2, 2)
    with pytest.raises(RuntimeError), OffloadedModel(model, torch.device("meta"), offload=True):
        raise RuntimeError
    assert model.weight.device.type == "cpu"


def test_a_model_that_stays_is_left_alone():
    model = nn.Linear(2, 2)
    with OffloadedModel(model, torch.device("meta")):
        assert model.weight.device.type == "cpu"


def test_offloaded_handlers_make_the_same_song_and_say_where_they_rest(project: Path, make: Make):
    handler = dit_handler(project, "acestep-v15-turbo", offload_to_cpu=True)
    assert "main memory" in handler.status
    offloaded, plain = make(handler=handler), make()
    assert torch.equal(offloaded.extra_outputs["latents"], plain.extra_outputs["latents"])


def test_of_offloaded_models_one_at_a_time_is_on_the_device(
    project: Path, make: Make, monkeypatch: pytest.MonkeyPatch
):
    """Language model and text encoder are gone before the diffusion model needs the room."""
    llm = LLMHandler()
    models = str(project / "checkpoints")
    llm.initialize(models, "acestep-5Hz-lm-1.7B", "vllm", "cpu", offload_to_cpu=True)
    handler = dit_handler(project, "acestep-v15-turbo", offload_to_cpu=True)
    service = handler.service
    assert llm._offloaded is not None
    names = {
        llm._offloaded.model: "language model",
        service.text.model: "text encoder",
        service.dit.model: "diffusion model",
        service.vae.model: "VAE",
    }
    there, came = set(), []

    def watch(name: str, note: Callable[[str], None]) -> None:
        real = getattr(OffloadedModel, name)

        def watched(resident: OffloadedModel) -> None:
            note(names[resident.model])
            real(resident)

        monkeypatch.setattr(OffloadedModel, name, watched)

    def load(name: str) -> None:
        assert not there, f"{name} comes while {there} is there"
        there.add(name)
        came.append(name)

    watch("_load", load)
    watch("_offload", there.discard)
    result = make(handler=handler, lm=llm, thinking=True)
    assert result.success, result.error
    assert there == set()
    order = [name for name, before in zip(came, [None, *came], strict=False) if name != before]
    assert order == ["language model", "text encoder", "VAE", "diffusion model", "VAE"]


def test_bf16_makes_a_song(project: Path, make: Make):
    handler = dit_handler(project, "acestep-v15-turbo", dtype="bf16")
    assert make(handler=handler).success


def test_int8_makes_nearly_the_same_song_offloaded_or_not(project: Path, make: Make):
    songs = [
        make(handler=dit_handler(project, "acestep-v15-turbo", **settings)).extra_outputs["latents"]
        for settings in (
            {"quantization": "int8"},
            {"quantization": "int8_weight_only", "offload_to_cpu": True},
        )
    ]
    exact = make().extra_outputs["latents"]
    assert torch.equal(songs[0], songs[1])
    assert not torch.equal(songs[0], exact)
    assert (songs[0] - exact).norm() < 0.05 * exact.norm()


def test_the_language_model_plans_in_int8_and_says_so(project: Path):
    handler = LLMHandler()
    status, ready = handler.initialize(
        str(project), "acestep-5Hz-lm-1.7B", device="cpu", quantization="int8"
    )
    assert ready, status
    assert "int8" in status
    assert create_sample(handler, "rain", seed=20).success


def test_a_quantization_that_does_not_exist_is_refused(project: Path):
    status, ready = AceStepHandler().initialize_service(
        str(project), "acestep-v15-turbo", "cpu", quantization="int4"
    )
    assert not ready
    assert "int4" in status
    assert "int8" in status


def test_memory_that_runs_out_is_a_result_that_says_what_to_lower(make: Make):
    def full(share: float, desc: str) -> None:
        raise torch.OutOfMemoryError

    result = make(progress=full)
    assert not result.success
    assert "batch_size" in str(result.error)
    assert "offload_to_cpu" in str(result.error)


def test_a_batch_that_does_not_fit_is_made_in_smaller_groups_and_it_is_said(
    make: Make, monkeypatch: pytest.MonkeyPatch
):
    whole = pipeline._sample_microbatch
    sizes: list[int] = []

    def small(models, items, recipe, *rest):
        sizes.append(len(recipe.seeds))
        if len(recipe.seeds) > 1:
            raise torch.OutOfMemoryError
        return whole(models, items, recipe, *rest)

    two = replace(ONE, batch_size=2, seeds=[7, 8])
    expected = make(config=two)
    monkeypatch.setattr(pipeline, "_sample_microbatch", small)
    result = make(config=two)
    assert result.success
    assert sizes == [2, 1, 1]
    assert len(result.status_message.splitlines()) > len(expected.status_message.splitlines())
    assert_same(result.extra_outputs["latents"], expected.extra_outputs["latents"])


def test_a_clock_counts_a_stage_that_runs_twice_as_both():
    clock = RunProgress()
    for _ in range(2):
        with clock.timing("lm_phase1_time"):
            pass
    total = clock.total()
    assert total["lm_total_time"] == total["lm_phase1_time"] + total["lm_phase2_time"]
    assert total["dit_total_time_cost"] == 0


def test_the_layers_are_compiled_on_request(project: Path, monkeypatch: pytest.MonkeyPatch):
    module, seen = "ace_core.inference.handlers", []
    monkeypatch.setattr(f"{module}.check_compiler", seen.append)
    monkeypatch.setattr(f"{module}.compile_layers", seen.append)
    handler = AceStepHandler()
    _, ready = handler.initialize_service(str(project), "acestep-v15-turbo", "cpu")
    assert ready and not seen
    _, ready = handler.initialize_service(
        str(project), "acestep-v15-turbo", "cpu", compile_model=True
    )
    assert ready and seen == [torch.device("cpu"), handler.service.models.dit.decoder]


def test_the_official_handlers_arguments_are_taken_in_their_order(project: Path):
    names = list(inspect.signature(AceStepHandler.initialize_service).parameters)[1:]
    assert names[:10] == [
        "project_root",
        "config_path",
        "device",
        "use_flash_attention",
        "compile_model",
        "offload_to_cpu",
        "offload_dit_to_cpu",
        "quantization",
        "prefer_source",
        "use_mlx_dit",
    ]
    names = list(inspect.signature(LLMHandler.initialize).parameters)[1:]
    assert names[:6] == [
        "checkpoint_dir",
        "lm_model_path",
        "backend",
        "device",
        "offload_to_cpu",
        "dtype",
    ]
    handler = AceStepHandler()
    status, ready = handler.initialize_service(
        str(project),
        "acestep-v15-turbo",
        "cpu",
        True,
        False,
        False,
        True,
        None,
        "huggingface",
        False,
    )
    assert ready
    for name in UNUSED:
        assert status.count(f"`{name}` is not used") == 1
    assert "not used" not in dit_handler(project, "acestep-v15-turbo").status


def test_a_chosen_vae_takes_the_place_of_the_one_beside_the_model(
    checkpoints: Miniature, tmp_path: Path
):
    """Of the layouts that people publish; its last bias is another, so that it is told apart."""
    path = tmp_path / "other_vae.safetensors"
    weights = load_file(checkpoints.vae_folders / "autoencoder.safetensors")
    weights["autoencoder.encoder.layers.0.bias"] += 1.0
    save_file(weights, path)
    made: dict[str, torch.Tensor] = {}
    for name, vae in (("", None), ("same", checkpoints.vae_folders / "diffusers"), ("other", path)):
        handler = AceStepHandler()
        status, ready = handler.initialize_service(
            str(checkpoints.release), "acestep-v15-turbo", "cpu", vae=vae
        )
        assert ready, status
        made[name] = handler.service.models.vae.state_dict()["encoder.conv1.bias"].clone()
    assert torch.equal(made["same"], made[""])
    torch.testing.assert_close(made["other"], made[""] + 1.0)


def test_a_merge_is_refused_with_advice_until_a_variant_is_chosen(
    checkpoints: Miniature, tmp_path: Path
):
    path = tmp_path / "acestep_v1.5_merge_sft_turbo_ta_0.5.safetensors"
    path.symlink_to(checkpoints.split_turbo)
    root, handler = str(checkpoints.release), AceStepHandler()
    status, ready = handler.initialize_service(root, str(path), "cpu")
    assert not ready
    assert "`variant` to turbo (8 steps, guidance off) or sft (50 steps, guidance" in status
    status, ready = handler.initialize_service(root, str(path), "cpu", variant="sft")
    assert ready, status
