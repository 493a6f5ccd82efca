"""Models that torch compiles: by our loader, layer by layer, and by ComfyUI's TorchCompileModel."""

import importlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.host.studio import DIT, Studio, open_studio
from tests.rounding import assert_same
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


def test_torch_compile_model_takes_our_model_as_one_graph(studio: Studio) -> None:
    """`fullgraph` ends the run where the compiler would leave a graph."""
    wrap = importlib.import_module("comfy_api.torch_helpers").set_torch_compile_wrapper
    compiled = studio.model.clone()
    wrap(compiled, backend="eager", fullgraph=True)
    assert_same(studio.sampled(model=compiled), studio.sampled())


def test_compiled_layers_make_the_same_song(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = studio.pack.submodule("nodes.host.compiled")
    layers = partial(module.compile_layers, backend="eager")  # no C++ compiler is asked for
    checked: list[Any] = []
    monkeypatch.setattr(module, "compile_layers", layers)
    monkeypatch.setattr(module, "check_compiler", checked.append)
    model = studio.host.load_compiled(studio.folder / DIT, None, "fp32")
    assert [device.type for device in checked] == ["cpu"]
    guidance = studio.guidance()
    assert_same(studio.sampled(guidance, model=model), studio.sampled(guidance))
    made_anew, given = model.cached_patcher_init[:2]
    assert made_anew is studio.host.load_compiled and given == (studio.folder / DIT, None, "fp32")
