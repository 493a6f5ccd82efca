"""Codes of the language model against transformers and ComfyUI's built-in loop, interleaved.

`python -m benchmarks.language_model` prints a table: seconds per prompt, milliseconds per code,
guided, and how far each is from the limit of the memory's bandwidth. The 0.6B shape with random
weights, whose logits are flat: real ones are peaked, and cheaper to sample from. Two versions of
ComfyUI cannot share a process: run it once in the Python of each, with COMFYUI_PATH set.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import Final

import torch

from ace_core.lm.decoding import Request, decode
from ace_core.lm.grammar import Codes, State
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata, think_block
from ace_core.lm.metadata_grammar import MetadataGrammar
from ace_core.lm.sampling import SMALL_SET, MaskCache, SamplingParams, logit_indices
from ace_core.lm.vocabulary import AUDIO_TOKENS, Vocabulary
from ace_core.models.int8 import Int8Linear
from ace_core.models.ops import Ops
from ace_core.models.packed import FEWEST_TOKENS
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.tokens import load_tokenizer
from tools.hosts.checkout import version_of

from .language_model_peers import (
    CODES,
    GUIDANCE,
    PAD,
    TEMPERATURE,
    TOP_P,
    Loop,
    Stamp,
    host_loop,
    transformers_loop,
)
from .measure import machine
from .peers import comfyui
from .real_size import randomized

PROMPT, UNCOND = 300, 33  # tokens: a song with lyrics, and the uncond prompt
SHAPE_06B: Final = Qwen3Config(
    vocab_size=CODES.start + AUDIO_TOKENS,
    hidden_size=1024,
    intermediate_size=3072,
    layers=28,
    heads=16,
    kv_heads=8,
    head_dim=128,
)

PLAN: Final = Metadata(
    bpm=117,
    caption="A slow ballad for piano and strings, with a breathy voice that opens up in the chorus",
    seconds=187,
    key="F# minor",
    language="en",
    time_signature=4,
)

Numbers = dict[str, float]


class PublishedIds:
    """The part of a tokenizer that a run from token ids needs."""

    size = CODES.start

    def encode(self, text: str) -> list[int]:
        return [198] * len(text)

    def decode(self, ids: list[int]) -> str:
        return " " * len(ids)

    def token_id(self, token: str) -> int | None:
        special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
        ids = {name: PAD + index for index, name in enumerate(special)}
        return {**ids, "<think>": CODES.start - 2, "</think>": CODES.start - 1}.get(token)

    def texts(self, count: int) -> list[str]:
        return []


def language_model(shape: Qwen3Config, dtype: torch.dtype) -> LanguageModel:
    model = randomized(Qwen3(shape, Ops(device="meta")), dtype)
    return LanguageModel(model, PublishedIds())  # type: ignore[arg-type]


def in_int8(lm: LanguageModel) -> LanguageModel:
    """The same weights, those of the layers in int8 with sums in the dtype of the others."""
    model = Qwen3(lm.model.config, Ops(device="meta", quantized=Int8Linear))
    model.load_state_dict(lm.model.state_dict(), assign=True)
    return LanguageModel(model.requires_grad_(False), PublishedIds())  # type: ignore[arg-type]


def our_loop(lm: LanguageModel, prompt: list[int], uncond: list[int], songs: int) -> Loop:
    params = SamplingParams(temperature=TEMPERATURE, top_p=TOP_P)

    def write(count: int, stamp: Stamp) -> object:
        asked = [
            Request(tuple(prompt), Codes(CODES, count), seed, count, tuple(uncond))
            for seed in range(songs)
        ]
        return decode(lm, asked, params, GUIDANCE, lambda _: stamp())

    return Loop(write, len(CODES))


def loops(lm: LanguageModel, songs: int) -> dict[str, Loop]:
    """All loops, on the same weights and prompts. ComfyUI's has no batches."""
    generator = torch.Generator().manual_seed(0)
    prompt, uncond = (
        torch.randint(0, PAD, (length,), generator=generator).tolist()
        for length in (PROMPT, UNCOND)
    )
    found = {
        "ours": our_loop(lm, prompt, uncond, songs),
        "ours, int8": our_loop(in_int8(lm), prompt, uncond, songs),
        "transformers": transformers_loop(lm.model, prompt, uncond, songs),
    }
    checkout = comfyui()
    if checkout is not None and songs == 1:
        found[f"ComfyUI {version_of(checkout)}"] = host_loop(lm.model, prompt, uncond, checkout)
    return found


def measure(everyone: dict[str, Loop], codes: int, rounds: int) -> dict[str, Numbers]:
    """Per loop: medians of the seconds to the first code and of the milliseconds from each code to
    the next, and the mean of the latter, which weights laid out for the run are part of; by the
    clock and of processor time, which other work on the machine hardly touches."""
    stamps: dict[str, list[list[Numbers]]] = {name: [] for name in everyone}
    for turn in range(1 + rounds):
        names = list(everyone) if turn % 2 == 0 else list(reversed(everyone))
        for name in names:
            taken = [_now()]
            everyone[name].write(1 + codes, lambda taken=taken: taken.append(_now()))
            if turn > 0:  # the first round warms up
                stamps[name].append(taken)
    return {name: _medians(runs) for name, runs in stamps.items()}


def _now() -> Numbers:
    return {"": time.perf_counter(), " cpu": time.process_time()}


def _medians(runs: list[list[Numbers]]) -> Numbers:
    found: Numbers = {}
    for clock in ("", " cpu"):
        first = [run[1][clock] - run[0][clock] for run in runs]
        later = [b[clock] - a[clock] for run in runs for a, b in pairwise(run[1:])]
        found[f"prompt s{clock}"] = median(first)
        found[f"code ms{clock}"] = 1e3 * median(later)
        found[f"mean code ms{clock}"] = 1e3 * mean(later)
    return found


def bandwidth(bytes_read: int = 1 << 30, rounds: int = 5) -> float:
    """Bytes per second that summing a large tensor reads."""
    tensor = torch.ones(bytes_read // 4)
    return bytes_read / min(_seconds(tensor.sum) for _ in range(rounds))


def step_bytes(lm: LanguageModel, rows: int) -> int:
    """Bytes of weights per code: the layers, and `rows` of the lm_head."""
    layers = sum(p.nbytes for name, p in lm.model.named_parameters() if "embed" not in name)
    size = next(lm.model.parameters()).element_size()
    return layers + rows * lm.model.config.hidden_size * size


def grammar_ms(lm: LanguageModel, codes: int = 2_000) -> float:
    """Milliseconds per code of the grammar and its masks."""
    masks = MaskCache(CODES, lm.device)

    def walk() -> None:
        state: State | None = Codes(CODES, codes)
        while state is not None:
            masks.stack([state.allowed])
            state = state.advance(CODES.start)

    return 1e3 * _seconds(walk) / codes


def text_grammar_ms(checkout: Path) -> float:
    """Milliseconds per token of a plan's grammar and its masks, with the published vocabulary,
    which ComfyUI carries."""
    tokenizer = load_tokenizer(checkout / "comfy" / "text_encoders" / "qwen25_tokenizer")
    vocabulary = Vocabulary(tokenizer, CODES.start + AUDIO_TOKENS)
    grammar = MetadataGrammar(vocabulary)
    tokens = vocabulary.encode(think_block(PLAN))
    masks = MaskCache(vocabulary.text, "cpu")

    def walk() -> None:
        state: State | None = grammar.reply(Metadata(), skip=("genres",))
        for token in tokens:
            if state is None:
                raise RuntimeError(f"the grammar ended before {vocabulary.decode([token])!r}")
            if len(state.allowed) > SMALL_SET:
                masks.stack([state.allowed])
            elif len(state.allowed) > 1:
                logit_indices(state.allowed, vocabulary.text)
            state = state.advance(token)

    walk()  # caches that are made once per tokenizer
    return 1e3 * median(_seconds(walk) for _ in range(20)) / len(tokens)


def summary(
    lm: LanguageModel, everyone: Mapping[str, Loop], found: Mapping[str, Numbers]
) -> dict[str, Numbers]:
    """Each loop against ours, and against its limit by bandwidth."""
    speed = bandwidth()
    result: dict[str, Numbers] = {}
    for name, numbers in found.items():
        limit = 1e3 * step_bytes(lm, everyone[name].rows) / speed
        result[name] = {
            **numbers,
            "codes/s": 1e3 / numbers["code ms"],
            **_against(numbers, found["ours"]),
            "limit ms": limit,
            "over the limit": numbers["code ms"] / limit,
        }
    step = found["ours"]["code ms"]  # a plan's tokens take longer: their head has more rows
    result["ours"]["grammar %"] = 100 * grammar_ms(lm) / step
    checkout = comfyui()
    if checkout is not None:
        result["ours"]["plan's grammar %"] = 100 * text_grammar_ms(checkout) / step
    return result


def _against(theirs: Numbers, ours: Numbers) -> Numbers:
    return {
        f"{what}{clock}": value
        for clock in ("", " cpu")
        for what, value in (
            ("ours is faster by", theirs[f"code ms{clock}"] / ours[f"code ms{clock}"]),
            ("our prompt takes", ours[f"prompt s{clock}"] / theirs[f"prompt s{clock}"]),
        )
    }


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=FEWEST_TOKENS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=SHAPE_06B.layers, help="fewer: a quick look")
    parser.add_argument("--songs", type=int, default=1, help="variations written side by side")
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    arguments = parser.parse_args()
    comfyui()  # a wrong COMFYUI_PATH ends it here, not after minutes
    print(machine())
    for name in arguments.dtypes:
        shape = replace(SHAPE_06B, layers=arguments.layers)
        lm = language_model(shape, getattr(torch, name))
        songs = arguments.songs
        print(f"\n0.6B shape, {shape.layers} layers, {name}, guided, songs: {songs}")
        everyone = loops(lm, songs)
        table = summary(lm, everyone, measure(everyone, arguments.codes, arguments.rounds))
        for loop, numbers in table.items():
            print(f"{loop:14}", *(f"{key} {value:.3g}" for key, value in numbers.items()), sep="  ")


if __name__ == "__main__":
    main()
