"""Steps with packed weights: the same tokens, in long runs only, and nothing stays behind."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from ace_core.lm.decoding import Request, Step, decode
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata
from ace_core.lm.sampling import SamplingParams
from ace_core.models import packed
from ace_core.models.onednn import Linear
from ace_core.models.packed import PackedWeight, has_layout

VARIED = SamplingParams(temperature=1.0, top_p=0.95)
LAYERS = 2 * 7  # of `lm`: queries, keys, values, output; gate, up, down
STEPS = 12


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[PackedWeight]:
    """Notes the packed weights used, as on a processor where small ones are faster too."""
    if not has_layout(torch.float32):
        pytest.skip("this torch has no layout of oneDNN's here")
    noted: list[PackedWeight] = []
    own = PackedWeight.__call__

    def noting(weight: PackedWeight, x: Tensor) -> Tensor:
        noted.append(weight)
        return own(weight, x)

    monkeypatch.setattr(packed, "cpu_is_amd", lambda: True)
    monkeypatch.setattr(packed, "cpu_has_avx512", lambda: True)
    monkeypatch.setattr(packed, "SMALLEST", 1)
    monkeypatch.setattr(packed, "FEWEST_TOKENS", STEPS)
    monkeypatch.setattr(PackedWeight, "__call__", noting)
    return noted


def codes(lm: LanguageModel, count: int, seed: int = 5) -> Request:
    encode = lm.vocabulary.encode
    state = lm.grammar.codes(count)
    return Request(tuple(encode("a short prompt")), state, seed, count, tuple(encode("nothing")))


@pytest.mark.parametrize("avx512", [True, False])
@pytest.mark.parametrize("songs", [1, 3])
def test_codes_are_those_without_it(
    songs: int,
    avx512: bool,
    lm: LanguageModel,
    used: list[PackedWeight],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(packed, "cpu_has_avx512", lambda: avx512)
    requests = [codes(lm, STEPS, seed) for seed in range(songs)]
    written = decode(lm, requests, VARIED, 3.0)
    assert len(used) == STEPS + (STEPS - 1) * LAYERS, "each head, and each layer after the prompt"
    assert len(set(used)) == 1 + LAYERS
    used.clear()
    monkeypatch.setattr(packed, "ENABLED", False)
    assert decode(lm, requests, VARIED, 3.0) == written
    assert not used


def test_a_plan_is_that_without_it(
    lm: LanguageModel, used: list[PackedWeight], monkeypatch: pytest.MonkeyPatch
):
    """Its small sets of tokens are scored by their own rows of the head."""
    state = lm.grammar.block(Metadata(), skip=("genres",))
    request = Request(tuple(lm.vocabulary.encode("x")), state, 0, 120)
    written = decode(lm, [request], VARIED)
    assert used
    monkeypatch.setattr(packed, "ENABLED", False)
    assert decode(lm, [request], VARIED) == written


def test_layers_are_their_own_after_a_run_and_after_one_that_was_stopped(
    lm: LanguageModel, used: list[PackedWeight]
):
    def stop(step: Step) -> None:
        if step.done == 2:
            raise InterruptedError

    decode(lm, [codes(lm, STEPS)], VARIED, 3.0)
    with pytest.raises(InterruptedError):
        decode(lm, [codes(lm, STEPS)], VARIED, 3.0, on_step=stop)
    assert not [name for name, layer in lm.model.named_modules() if "forward" in vars(layer)]
    assert "forward" not in vars(lm.plain_layers()[0])


def test_a_short_run_packs_nothing(lm: LanguageModel, used: list[PackedWeight]):
    decode(lm, [codes(lm, STEPS - 1)], VARIED, 3.0)
    assert not used


def test_layers_that_are_not_torchs_own_are_left_alone(used: list[PackedWeight]):
    class Cast(nn.Linear):
        pass

    model = nn.Module()
    model.layers = nn.ModuleList([nn.Linear(4, 4), Cast(4, 4), Linear(4, 4)])
    of = LanguageModel.plain_layers.__get__(SimpleNamespace(model=model))
    assert [type(layer) for layer in of()] == [nn.Linear, Linear]
