"""Models under the host's dynamic VRAM, which makes layers without weights until they are filled.

Nothing here needs a GPU: the host's flag alone changes how layers are made.
"""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.host.dynamic import flagged
from tests.host.studio import DIT, TEXT, VAE, Studio, open_studio
from tests.nodes.writing import LM_FILE
from tools.pack import Pack


@pytest.fixture
def flag(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flagged(monkeypatch)


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    """Loaded without the flag."""
    return open_studio(pack, models)


def test_the_flag_takes_the_weights_out_of_the_hosts_layers(flag: None) -> None:
    import comfy.ops

    layers = comfy.ops.disable_weight_init
    assert layers.Linear(2, 3, device="meta").weight is None
    assert layers.Embedding(2, 3).weight.is_meta


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    state, exact = one.state_dict(), other.state_dict()
    assert state.keys() == exact.keys()
    assert all(torch.equal(weight, exact[name]) for name, weight in state.items())


def test_every_loader_fills_such_layers(flag: None, studio: Studio) -> None:
    folder, load = studio.folder, studio.host
    lm = folder / "text_encoders" / LM_FILE
    same_weights(load.load_model(folder / DIT, None, "fp32").model, studio.model.model)
    same_weights(load.load_text_encoder(folder / TEXT, "fp32").model, studio.text.model)
    same_weights(
        load.load_vae(folder / VAE, "fp32").first_stage_model, studio.vae.first_stage_model
    )
    assert load.load_language_model(lm, "fp32").model.embed_tokens.weight.shape[0] > 65_535
