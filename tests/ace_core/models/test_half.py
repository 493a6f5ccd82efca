"""Float16 with values as large as trained models have them.

The peaks are those measured in the published models with float32 runs: 505,000 at the last MLP of
the lyric encoder and about 11,500 before it; in the XL decoder 30,000 at a branch and 1.4 million
in the residual stream. A CPU sums in float32 and rounds the sum to float16, as GPUs do.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from ace_core.models import attention, dit, qwen3
from ace_core.models.acestep import AceStepModel
from ace_core.models.attention import MLP, Encoder
from ace_core.models.half import to_residual
from ace_core.models.int8 import int8_linear, quantize_rows
from ace_core.models.ops import TORCH
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.models.vae import Oobleck, OobleckConfig, Snake
from tests.toy import TEXT_HIDDEN_SIZE, acestep, dit_config, fill, randn

LYRIC_PEAK, PRODUCT_PEAK = 505_000.0, 11_500.0
STREAM_PEAK, BRANCH_PEAK = 1_400_000.0, 30_000.0
HALF_MAX = torch.finfo(torch.float16).max
ROUNDING = torch.finfo(torch.float16).eps


def peak_of(layer: nn.Module, run: Callable[[], object]) -> tuple[float, float]:
    """The largest magnitudes that `layer` is given and gives while `run` runs."""
    seen: list[tuple[float, float]] = []

    def hook(_: object, given: tuple[Tensor, ...], out: Tensor) -> None:
        seen.append((float(given[0].abs().max()), float(out.abs().max())))

    handle = layer.register_forward_hook(hook)
    run()
    handle.remove()
    return max(pair[0] for pair in seen), max(pair[1] for pair in seen)


def make_large(mlp: MLP, product: float, out: float, run: Callable[[], object]) -> None:
    """Scale the weights of an MLP so that its inner product and its output have these peaks."""
    for weight, index, peak in ((mlp.up_proj.weight, 0, product), (mlp.down_proj.weight, 1, out)):
        assert isinstance(weight, nn.Parameter)
        weight.data *= peak / peak_of(mlp.down_proj, run)[index]


@contextmanager
def plain_half() -> Iterator[None]:
    """Everything in float16, as without `half`."""
    patch = pytest.MonkeyPatch()
    for module in (attention, dit, qwen3):
        patch.setattr(module, "residual_dtype", lambda dtype: dtype)
        patch.setattr(module, "normed", lambda layer, x, dtype: layer(x))
    patch.setattr(attention, "to_residual", lambda layer, x, dtype: layer(x))
    try:
        yield
    finally:
        patch.undo()


def check(module: nn.Module, run: Callable[[torch.dtype], Tensor], bound: float) -> None:
    """In plain float16 `run` overflows; as it is, it is near what float64 gives."""
    exact = run(torch.float64)
    module.half()
    with plain_half():
        assert not run(torch.float16).isfinite().all()
    given = run(torch.float16)
    assert given.dtype is torch.float16
    assert given.isfinite().all()
    error = (given.double() - exact).norm() / exact.norm()
    assert error < bound, error


def mlp_of(layer: nn.Module) -> MLP:
    mlp = layer.mlp
    assert isinstance(mlp, MLP)
    return mlp


@pytest.mark.parametrize("part", ["lyric_encoder", "timbre_encoder"])
@pytest.mark.parametrize("xl", [False, True])
def test_the_encoders_of_lyrics_and_timbre_hold_sums_beyond_float16(part: str, xl: bool) -> None:
    encoder = acestep(dit_config(xl)).double().encoder.get_submodule(part)
    assert isinstance(encoder, Encoder)
    x = randn(1, 40, TEXT_HIDDEN_SIZE if part == "lyric_encoder" else 64)
    mlp = mlp_of(encoder.layers[-1])
    make_large(mlp, PRODUCT_PEAK, LYRIC_PEAK, lambda: encoder(x.double()))
    check(encoder, lambda dtype: encoder(x.to(dtype)), 16 * ROUNDING)


def trained(xl: bool = False) -> AceStepModel:
    """A model whose decoder has, in its middle, an MLP and a stream as large as XL's."""
    model = acestep(dit_config(xl)).double()
    middle = model.decoder.layers[2]

    def run() -> Tensor:
        return decoded(model, torch.float64)

    make_large(mlp_of(middle), PRODUCT_PEAK, BRANCH_PEAK, run)
    table = middle.scale_shift_table
    assert isinstance(table, nn.Parameter)
    table.data[:, 5] *= STREAM_PEAK / peak_of(middle, run)[1]
    assert peak_of(middle, run)[1] > 8 * HALF_MAX
    return model


def decoded(model: AceStepModel, dtype: torch.dtype) -> Tensor:
    x, context = randn(2, 30, 64, seed=5).to(dtype), randn(1, 30, 128, seed=6).to(dtype)
    kv = model.decoder.cross_attention_kv(randn(1, 9, 64, seed=7).to(dtype))
    return model.decoder(x, torch.tensor([0.8, 0.8]), context, kv)


@pytest.mark.parametrize("xl", [False, True])
def test_the_decoder_holds_a_residual_stream_beyond_float16(xl: bool) -> None:
    model = trained(xl)
    check(model, lambda dtype: decoded(model, dtype), 16 * ROUNDING)


def test_qwen3_holds_a_residual_stream_beyond_float16() -> None:
    sizes = Qwen3Config(
        hidden_size=64,
        intermediate_size=112,
        heads=4,
        kv_heads=2,
        head_dim=16,
        vocab_size=50,
        layers=4,
    )
    model = fill(Qwen3(sizes)).double()
    x = randn(1, 20, 64)
    make_large(mlp_of(model.layers[1]), PRODUCT_PEAK, 4 * HALF_MAX, lambda: model(x.double()))
    check(model, lambda dtype: model(x.to(dtype)), 16 * ROUNDING)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_other_dtypes_are_computed_as_without_it_to_the_last_bit(dtype: torch.dtype) -> None:
    model = trained().to(dtype)
    lyrics, timbre = randn(1, 40, TEXT_HIDDEN_SIZE).to(dtype), randn(2, 30, 64).to(dtype)

    def run() -> tuple[Tensor, Tensor]:
        return model.encoder(lyrics, lyrics, timbre), decoded(model, dtype)

    given = run()
    with plain_half():
        expected = run()
    for ours, plain in zip(given, expected, strict=True):
        assert torch.equal(ours, plain)


def test_attention_scores_beyond_float16_end_in_no_nan() -> None:
    model = acestep(dit_config(xl=True))
    for name, weight in model.named_parameters():
        if name.endswith(("q_norm.weight", "k_norm.weight")):
            weight.data *= 250  # raw scores of 16 * 250 * 250, a million
    model.half()
    assert decoded(model, torch.float16).isfinite().all()
    cross = model.decoder.layers[2].cross_attn
    assert isinstance(cross, attention.CrossAttention)
    keys, _ = cross.project_kv(randn(1, 9, 80).half())
    x = randn(1, 12, 80).half()
    q = cross._queries(x)
    raw = q[:, [3]].float() @ keys[:, [3 // cross.queries_per_kv]].float().transpose(-1, -2)
    assert raw.abs().max() > HALF_MAX
    weights = cross.weights(x, keys, [3])
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(1, 1, 12))
    torch.testing.assert_close(weights, (raw / 4).softmax(dim=-1))  # 4: the root of 16


@pytest.mark.parametrize("peak", [0.0, 1e-6, 1.0, 6e4, 3e7])
def test_the_last_matrix_of_a_branch_is_as_exact_at_any_size(peak: float) -> None:
    layer = fill(nn.Linear(96, 32, bias=False)).double()
    x = randn(5, 96).double()
    x *= peak / x.abs().max()
    exact = layer(x.float().double())
    given = to_residual(layer.half(), x.float(), torch.float16)
    assert given.dtype is torch.float32
    # rounding of 96 products and of the sum, relative to the row's largest
    assert (given.double() - exact).abs().max() <= 2 * ROUNDING * exact.abs().max()


def test_int8_sums_in_float16_do_not_exceed_it() -> None:
    layer = fill(nn.Linear(2048, 8, bias=True))
    x = 30 * randn(3, 2048).abs()  # integer sums of 127 * 30 * 2048 and less
    weight, scale = quantize_rows(layer.weight.abs())
    exact = int8_linear(x.double(), weight, scale, layer.bias)
    given = int8_linear(x.half(), weight, scale, layer.bias)
    assert given.dtype is torch.float16
    torch.testing.assert_close(given.double(), exact, rtol=4 * ROUNDING, atol=0)


def test_a_snake_of_small_beta_and_large_input_is_exact_to_the_rounding_of_its_result() -> None:
    snake = fill(Snake(4, TORCH)).double()
    snake.beta.data = torch.tensor([-12.0, -9.0, 0.0, 2.0]).double().reshape(1, 4, 1)
    x = (300 * randn(1, 4, 200)).half().double()
    x[..., 0] = 0.0
    exact = snake.half().double()(x)
    snake.half()
    for inplace in (False, True):
        given = snake(x.half(), inplace=inplace)
        assert given.dtype is torch.float16
        inside = exact.abs() < HALF_MAX
        # the phase in float32 is exact to 1e-4, and the wave's height is 1 / b
        bound = ROUNDING * exact.abs() + 1e-4 * (1 + (-snake.beta).double().exp())
        assert ((given.double() - exact).abs() <= bound)[inside].all()
    assert snake(x.half())[..., 0].isfinite().all()


def test_both_halves_of_a_vae_are_finite_in_float16() -> None:
    vae = fill(Oobleck(OobleckConfig(encoder_channels=4, decoder_channels=4))).half()
    for given in (
        vae.decode(randn(1, 64, 3).half()),
        vae.encode(randn(1, 2, 2 * 1920).half()).mean,
    ):
        assert given.dtype is torch.float16
        assert given.isfinite().all()
