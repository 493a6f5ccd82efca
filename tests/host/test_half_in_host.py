"""Float16 on GPUs without bfloat16: what is chosen, and songs made in it by the host's layers."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.studio import DIT, Studio, open_studio
from tools.hosts.pack import Pack

GPU = torch.device("cuda")  # in name only


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@pytest.mark.parametrize(
    ("bf16", "fp16", "expected"),
    [
        (True, True, (torch.bfloat16, None)),
        (False, True, (torch.float16, None)),
        (False, False, (torch.float32, None)),
    ],
)
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_float16_is_chosen_where_the_gpu_has_it_and_no_bfloat16(
    bf16: bool,
    fp16: bool,
    expected: Any,
    stored: torch.dtype,
    pack: Pack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = importlib.import_module("comfy.model_management")
    monkeypatch.setattr(manager, "is_device_cpu", lambda _: False)
    monkeypatch.setattr(manager, "should_use_bf16", lambda *_, **__: bf16)
    monkeypatch.setattr(manager, "should_use_fp16", lambda *_, **__: fp16)
    chosen = pack.submodule("nodes.host.precision").compute_dtype("auto", stored, GPU)
    assert chosen == expected


def test_a_song_in_float16_is_near_the_one_in_float32(studio: Studio) -> None:
    exact = studio.sampled()
    model = studio.host.load_model(studio.folder / DIT, None, "fp16")
    assert model.model.get_dtype_inference() is torch.float16
    made = studio.sampled(model=model)
    assert made.isfinite().all()
    assert (made - exact).norm() < 0.02 * exact.norm()


def test_nan_ends_at_its_step_with_stock_samplers_and_with_ours(studio: Studio) -> None:
    model = studio.host.load_model(studio.folder / DIT, None, "fp32")
    model.model.diffusion_model.decoder.norm_out.weight.data[0] = float("nan")
    with pytest.raises(Exception, match="diffusion model at step 1 of 8"):
        studio.sampled(model=model)
