"""The decode loop: against a plain one without kv cache or batch, and item by item."""

import gc
from dataclasses import replace

import pytest
import torch

from ace_core.constants import KEYS, LANGUAGES
from ace_core.errors import InvalidRequestError
from ace_core.lm import decoding
from ace_core.lm.decoding import Request, decode, decode_bytes, vocab_range
from ace_core.lm.grammar import FreeText
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata, parse_reply
from ace_core.lm.sampling import SamplingParams, apply_cfg, sample_token
from ace_core.models.kv_cache import KVCache, kv_cache_bytes

VARIED = SamplingParams(temperature=1.0, top_p=0.95)


def codes_request(lm, text: str, seed: int, count: int = 12, uncond: str = "nothing") -> Request:
    """Codes after `text`, guided away from `uncond`."""
    encode = lm.vocabulary.encode
    state = lm.grammar.codes(count)
    return Request(tuple(encode(text)), state, seed, count, tuple(encode(uncond)))


NOTHING = Metadata()


def block_request(
    lm, text: str, seed: int, given: Metadata = NOTHING, max_tokens: int = 120
) -> Request:
    state = lm.grammar.block(given, skip=("genres",))
    return Request(tuple(lm.vocabulary.encode(text)), state, seed, max_tokens)


@torch.inference_mode()
def plain_loop(lm, request: Request, params: SamplingParams, cfg_scale: float) -> list[int]:
    """All tokens through the model at every step, all rows of the lm_head, one sequence."""
    generator = torch.Generator().manual_seed(request.seed)
    keys = torch.empty(request.max_tokens, dtype=torch.int64).random_(generator=generator)
    table = lm.model.embed_tokens.weight
    written: list[int] = []
    state = request.grammar

    def last_logits(prompt: tuple[int, ...]) -> torch.Tensor:
        ids = torch.tensor([[*prompt, *written]])
        return lm.model(lm.model.embed(ids))[:, -1] @ table.T

    while state is not None and len(written) < request.max_tokens:
        logits = last_logits(request.prompt)
        if cfg_scale > 1:
            logits = apply_cfg(logits, last_logits(request.uncond_prompt), cfg_scale)
        mask = torch.zeros(logits.shape, dtype=torch.bool)
        mask[0, list(state.allowed)] = True
        repeated = torch.zeros_like(mask)
        repeated[0, written] = True
        step_params = replace(params, temperature=0.0) if state.greedy else params
        written.append(
            int(sample_token(logits, keys[len(written)][None], step_params, mask, repeated))
        )
        state = state.advance(written[-1])
    return written


@pytest.mark.parametrize("cfg_scale", [1.0, 3.0])
@pytest.mark.parametrize("params", [VARIED, SamplingParams(top_k=50, repetition_penalty=1.5)])
def test_codes_equal_those_of_a_plain_loop(lm, cfg_scale, params):
    request = codes_request(lm, "a short prompt", seed=5)
    (ours,) = decode(lm, [request], params, cfg_scale)
    assert ours == plain_loop(lm, request, params, cfg_scale)
    assert len(set(ours)) > 6  # a model that repeats itself would prove little


@pytest.mark.parametrize(
    "params", [VARIED, SamplingParams(temperature=0.5, repetition_penalty=4.0)]
)
def test_a_block_equals_that_of_a_plain_loop(lm, params):
    request = block_request(lm, "a short prompt", seed=0)
    (ours,) = decode(lm, [request], params)
    assert ours == plain_loop(lm, request, params, 1.0)


def test_values_equal_those_of_a_plain_loop_and_the_language_is_greedy(lm):
    """At this temperature a drawn language would be any of fifty."""
    hot = SamplingParams(temperature=2.0, top_p=1.0)
    for seed in range(6):
        state = lm.grammar.block(Metadata(), skip=("caption", "genres"))
        request = Request(tuple(lm.vocabulary.encode("x")), state, seed, 120)
        (ours,) = decode(lm, [request], hot)
        assert ours == plain_loop(lm, request, hot, 1.0)


def test_codes_are_as_many_as_requested_and_all_usable(lm):
    codes = lm.vocabulary.codes
    requests = [codes_request(lm, "p", seed, count) for seed, count in enumerate((3, 20, 1))]
    written = decode(lm, requests, VARIED, 2.0)
    assert [len(ids) for ids in written] == [3, 20, 1]
    assert all(token in codes for ids in written for token in ids)


def test_an_item_in_a_batch_equals_the_item_alone(lm):
    requests = [
        codes_request(lm, "a short prompt", seed=1),
        codes_request(lm, "a rather longer prompt, of another song altogether", seed=2, count=17),
        codes_request(
            lm, "a short prompt", seed=3, uncond="a longer negative prompt than the others"
        ),
        codes_request(lm, "a short prompt", seed=1),
    ]
    together = decode(lm, requests, VARIED, 2.0)
    assert together == [decode(lm, [request], VARIED, 2.0)[0] for request in requests]
    assert together[0] == together[3]
    assert together[0] != together[2]


def test_blocks_in_a_batch_equal_the_blocks_alone(lm):
    requests = [
        block_request(lm, "x", 1),
        block_request(lm, "longer", 2, Metadata(bpm=77)),
        block_request(lm, "x", 3),
    ]
    together = decode(lm, requests, VARIED)
    assert together == [decode(lm, [request], VARIED)[0] for request in requests]
    assert len({tuple(ids) for ids in together}) == 3


def test_changing_one_item_changes_no_other(lm):
    requests = [codes_request(lm, f"song {i}", seed=i) for i in range(3)]
    before = decode(lm, requests, VARIED, 2.0)
    requests[1] = codes_request(lm, "something else entirely", seed=99, count=30)
    after = decode(lm, requests, VARIED, 2.0)
    assert (before[0], before[2]) == (after[0], after[2])
    assert before[1] != after[1][:12]


def test_the_same_seed_gives_the_same_tokens_and_another_gives_others(lm):
    first, second = (decode(lm, [codes_request(lm, "x", seed=8)], VARIED) for _ in range(2))
    assert first == second
    assert decode(lm, [codes_request(lm, "x", seed=9)], VARIED) != first
    assert decode(lm, [codes_request(lm, "x", seed=2**64 - 1)], VARIED) != first


def test_a_longer_song_begins_as_the_shorter_one_does(lm):
    short, long = (decode(lm, [codes_request(lm, "x", 8, count)], VARIED)[0] for count in (9, 15))
    assert long[:9] == short


def test_given_values_appear_verbatim(lm):
    known = Metadata(bpm=77, seconds=123, key="Ab minor", language="yue", time_signature=3)
    (ids,) = decode(lm, [block_request(lm, "x", 0, known, max_tokens=700)], VARIED)
    text = lm.vocabulary.decode(ids)
    assert text.startswith("<think>\nbpm: 77\ncaption:")
    assert text.endswith("\nduration: 123\nkeyscale: Ab minor\nlanguage: yue\ntimesignature: 3\n")


def test_decoding_stops_at_max_tokens(lm):
    everything = FreeText("text", lm.vocabulary.text, frozenset())
    request = Request(tuple(lm.vocabulary.encode("x")), everything, 0, 7)
    assert [len(ids) for ids in decode(lm, [request], VARIED)] == [7]


def test_every_step_is_reported_and_can_stop_the_run(lm):
    seen = []
    requests = [codes_request(lm, "x", 1, count=2), codes_request(lm, "y", 2, count=4)]
    written = decode(lm, requests, VARIED, on_step=seen.append)
    assert [step.done for step in seen] == [1, 2, 3, 4]
    assert {step.total for step in seen} == {4}
    assert [step.tokens[1] for step in seen] == written[1]
    assert [step.tokens[0] for step in seen] == [*written[0], None, None]
    assert seen[-1].names == (None, "codes")

    class StopError(Exception):
        pass

    def stop_at_the_second(step):
        if step.done == 2:
            raise StopError
        seen.append(step)

    seen.clear()
    with pytest.raises(StopError):
        decode(lm, requests, VARIED, on_step=stop_at_the_second)
    assert len(seen) == 1


def test_each_distinct_prompt_is_run_once(lm):
    lengths = []
    hook = lm.model.norm.register_forward_pre_hook(
        lambda module, args: lengths.append(tuple(args[0].shape[:2]))
    )
    with hook:
        decode(lm, [codes_request(lm, "one", seed, count=3) for seed in range(3)], VARIED, 2.0)
    assert lengths == [(1, 3), (1, 7), (6, 1), (6, 1)]


def test_small_sets_compute_only_their_own_logits(lm, monkeypatch):
    columns = set()

    def spy(logits, *rest):
        columns.add(logits.shape[-1])
        return sample_token(logits, *rest)

    monkeypatch.setattr(decoding, "sample_token", spy)
    monkeypatch.setattr(decoding, "SMALL_SET", 51)
    decode(lm, [block_request(lm, "x", 0)], VARIED)
    vocabulary = len(lm.vocabulary.text)
    assert vocabulary in columns and len(columns) > 2
    assert max(columns - {vocabulary}) <= 51


def test_the_lm_head_has_only_the_rows_that_may_be_drawn(lm):
    vocabulary = lm.vocabulary
    assert vocab_range(lm, [lm.grammar.codes(5)]) == vocabulary.codes
    assert vocab_range(lm, [lm.grammar.codes(None)]) == range(vocabulary.end, vocabulary.codes.stop)
    assert vocab_range(lm, [lm.grammar.reply(Metadata())]) == vocabulary.text


def test_the_memory_of_a_run_covers_its_kv_cache_and_lm_head(lm):
    requests = [codes_request(lm, "x" * 20, 0, count=30), codes_request(lm, "y", 1, count=5)]
    cache = kv_cache_bytes(lm.model.config, rows=4, slots=50, element_bytes=4)
    assert decode_bytes(lm, requests, 2.0) > cache + 64_000 * 16 * 4
    assert decode_bytes(lm, requests, 2.0) > decode_bytes(lm, requests, 1.0)


def test_memory_is_reserved_before_the_first_step(lm):
    reserved = []

    class Hosted(LanguageModel):
        def reserve_memory(self, bytes_needed: int) -> None:
            reserved.append((bytes_needed, len(steps)))

    steps = []
    hosted = Hosted(lm.model, lm.vocabulary.tokenizer)
    requests = [codes_request(lm, "x", 0)]
    decode(hosted, requests, VARIED, 2.0, on_step=steps.append)
    assert reserved == [(decode_bytes(lm, requests, 2.0), 0)]
    assert steps


def test_more_tokens_than_max_length_are_refused_with_both_numbers(lm):
    with pytest.raises(InvalidRequestError, match=r"7 tokens and 40955 are to be .* at most 40960"):
        decode(lm, [codes_request(lm, "prompt", 0, count=40_955)], VARIED)
    with pytest.raises(InvalidRequestError, match="8 tokens and 40955"):
        decode(lm, [codes_request(lm, "p", 0, 40_955, uncond="negative")], VARIED, 2.0)
    with pytest.raises(InvalidRequestError, match="writes at least 1"):
        decode(lm, [codes_request(lm, "prompt", 0, count=0)], VARIED)


@pytest.mark.parametrize("cfg_scale", [0.5, -1.0, float("nan")])
def test_a_cfg_scale_below_1_is_refused(lm, cfg_scale):
    with pytest.raises(InvalidRequestError, match="must be 1"):
        decode(lm, [codes_request(lm, "x", 0)], VARIED, cfg_scale)


def test_no_requests_are_refused(lm):
    with pytest.raises(InvalidRequestError, match="at least one item"):
        decode(lm, [], VARIED)


@pytest.mark.parametrize("seed", range(2))
def test_a_thousand_blocks_from_the_model_all_parse(lm, seed):
    """500 per seed, through the masks and draws of a real run."""
    requests = []
    for item in range(500):
        given = Metadata(seconds=30) if item % 2 else Metadata()
        state = lm.grammar.block(given, skip=("caption", "genres"))
        requests.append(Request((item % 256, 7), state, 500 * seed + item, 80))
    hot = SamplingParams(temperature=2.0, top_p=1.0)
    for ids in decode(lm, requests, hot):
        reply = parse_reply(lm.vocabulary.decode(ids))
        found = reply.metadata
        assert reply.warnings == ()
        assert 30 <= found.bpm <= 300 and 10 <= found.seconds <= 600
        assert found.key in KEYS and found.language in LANGUAGES
        assert found.time_signature in (2, 3, 4, 6)


def test_the_kv_cache_is_freed_when_a_run_ends(lm):
    """A reference cycle would keep the kv cache, and the model, until it is collected."""
    request = codes_request(lm, "a short prompt", seed=5)
    gc.collect()
    gc.disable()
    try:
        decode(lm, [request], VARIED, 2.0)
        left = [each for each in gc.get_objects() if type(each) is KVCache]
    finally:
        gc.enable()
    assert left == []
