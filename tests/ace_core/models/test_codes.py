import pytest
import torch
from vector_quantize_pytorch import ResidualFSQ

from ace_core.constants import CODEBOOK_SIZE, FSQ_LEVELS
from ace_core.models.codes import Quantizer
from ace_core.models.ops import TORCH
from tests.float64 import in_float64
from tests.oracle import diffusers_of
from tests.rounding import assert_same
from tests.toy import acestep, fill, randn, randn64

WIDTH = 24


def quantizer() -> Quantizer:
    return fill(Quantizer(WIDTH, FSQ_LEVELS, TORCH)).double()


def library_of(ours: Quantizer) -> ResidualFSQ:
    theirs = ResidualFSQ(dim=WIDTH, levels=list(FSQ_LEVELS), num_quantizers=1)
    theirs.load_state_dict(ours.state_dict(), strict=False)
    return theirs.double().eval()


def test_codes_and_vectors_are_those_of_vector_quantize_pytorch():
    ours = quantizer()
    x = 3 * randn64(2, 500, WIDTH)  # beyond the bounds at both ends
    with torch.no_grad(), in_float64():
        vectors, codes = library_of(ours)(x)
        by_code = library_of(ours).get_output_from_indices(codes)
    given = ours(x)
    assert torch.equal(given, codes[..., 0].long())
    assert_same(ours.embed(given), vectors)
    assert_same(ours.embed(given), by_code)


def test_every_code_embeds_as_in_vector_quantize_pytorch():
    ours = quantizer()
    codes = torch.arange(CODEBOOK_SIZE)[None]
    with torch.no_grad(), in_float64():
        wanted = library_of(ours).get_output_from_indices(codes[..., None])
    assert_same(ours.embed(codes), wanted)


def test_every_code_is_found_again_from_its_levels():
    ours = Quantizer(6, FSQ_LEVELS, TORCH).requires_grad_(False).double()
    plain = {"weight": torch.eye(6), "bias": torch.zeros(6)}
    for layer in (ours.project_in, ours.project_out):
        layer.load_state_dict(plain)
    codes = torch.arange(CODEBOOK_SIZE)
    soft = 1 + 1 / (torch.tensor(FSQ_LEVELS).double() - 1)
    unbounded = (ours.embed(codes) / soft).atanh() * soft  # what the soft bound maps to the levels
    assert torch.equal(ours(unbounded), codes)


def test_codes_do_not_depend_on_the_dtype_of_the_weights():
    ours = quantizer()
    ours.bfloat16()
    x = randn(1, 200, WIDTH)
    upcast = quantizer().float()
    upcast.load_state_dict({key: value.float() for key, value in ours.state_dict().items()})
    assert torch.equal(ours(x), upcast(x))
    assert torch.equal(ours.embed(ours(x)), upcast.embed(upcast(x)))
    assert ours.project_in.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("codes", [1, 7])
def test_tokenizer_gives_the_codes_and_vectors_of_diffusers(codes: int):
    model = acestep().double()
    latents = randn64(2, 5 * codes, 64)
    with torch.no_grad(), in_float64():
        vectors, wanted = diffusers_of(model).tokenizer.tokenize(latents)
    given = model.tokenizer(latents)
    assert torch.equal(given, wanted[..., 0])
    assert_same(model.tokenizer.embed(given), vectors)


@pytest.mark.parametrize("codes", [1, 9])
def test_hints_are_those_of_diffusers(codes: int):
    model = acestep().double()
    values = torch.randint(0, CODEBOOK_SIZE, (2, codes), generator=torch.Generator().manual_seed(3))
    embedded = model.tokenizer.embed(values)
    with torch.no_grad(), in_float64():
        wanted = diffusers_of(model).detokenizer(embedded)
    given = model.hints(values)
    assert given.shape == (2, 5 * codes, 64)
    assert_same(given, wanted)


def test_a_code_sees_its_own_frames_alone():
    model = acestep().double()
    latents = randn64(1, 20, 64)
    other = latents.clone()
    other[:, 10:15] = randn(1, 5, 64, seed=9)
    before, after = model.tokenizer(latents), model.tokenizer(other)
    assert (before != after).tolist() == [[False, False, True, False]]
    changed = (model.hints(before) - model.hints(after)).abs().amax(dim=-1) > 1e-6
    assert changed.nonzero()[:, 1].tolist() == [10, 11, 12, 13, 14]


def test_frames_that_are_no_whole_codes_are_a_programming_mistake():
    with pytest.raises(ValueError, match=r"11 latent frames.*multiple of 5"):
        acestep().tokenizer(randn(1, 11, 64))
