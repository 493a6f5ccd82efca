"""Fuzz targets: what users and the language model write, and the files of a batch."""

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from hypothesis import example
from hypothesis import strategies as st

from ace_core.alignment.attention_maps import parse_heads
from ace_core.batch.folder import MANIFEST, Folder
from ace_core.batch.prompts import Rules, read_lines
from ace_core.errors import (
    AceStepError,
    BatchError,
    CheckpointError,
    InvalidCodesError,
    InvalidRequestError,
    InvalidScheduleError,
    PromptsError,
)
from ace_core.lm.codes import read_codes, slice_codes
from ace_core.lm.metadata import parse_reply, think_block
from ace_core.lm.plan import fill
from ace_core.lm.sampling import SamplingParams, filter_probs, sample_token
from ace_core.sampling.recipe import parse_seeds
from ace_core.sampling.schedules import custom_timesteps, parse_times
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Song, Variant
from tests.fuzz.targets import NUMBERS, TEXTS, VALUES, fuzz, refuses, table_of
from tests.toy import dit_config
from tools.miniature.tokenizer import write_tokenizer

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz"))
DIGITS = st.one_of(
    st.text("0123456789 ,;:.-+einfa<|>_odcu\n", max_size=40),
    st.sampled_from(["9" * 5_000, f"<|audio_code_{'9' * 5_000}|>", f"1: {'9' * 5_000}", "٣", "²"]),
    TEXTS,
)


@fuzz(DIGITS | st.lists(DIGITS, max_size=4).map(", ".join))
@example("9" * 5_000)
@example(f"<|audio_code_{'9' * 5_000}|>")
def test_codes(text: str) -> None:
    refuses(lambda: read_codes(text), InvalidCodesError)


@fuzz(st.floats(), st.floats())
@example(float("nan"), 1.0)
@example(0.0, float("inf"))
@example(0.0, 3.6e307)
def test_slices_of_codes(start: float, stop: float) -> None:
    refuses(lambda: slice_codes(AudioCodes((1,) * 50), start, stop), InvalidCodesError)


@fuzz(DIGITS)
@example("9" * 5_000)
def test_seeds_times_and_heads(text: str) -> None:
    refuses(lambda: parse_seeds(text), InvalidScheduleError)
    refuses(lambda: custom_timesteps(parse_times(text)), InvalidScheduleError)
    refuses(lambda: parse_heads(text, dit_config()), InvalidRequestError)


LINES = st.tuples(
    st.sampled_from(["bpm", "caption", "duration", "keyscale", "language", "timesignature", "x"]),
    DIGITS | st.sampled_from(['"\\ud83c"', '"\\0"', '"\\UFFFFFFFF"', '"a": ' + "[" * 3_000 + '"']),
)


@fuzz(
    st.lists(LINES.map(": ".join) | TEXTS, max_size=6).map("\n".join),
    st.sampled_from(["", "</think>", "\n</think>\n# Lyric\n"]),
    TEXTS,
)
@example(f"caption: {'9' * 5_000}", "</think>", "")
@example(f"timesignature: {'9' * 5_000}/4", "</think>", "")
@example('caption: "\\UFFFFFFFF"', "</think>", "")
@example('caption: "a": ' + "[" * 5_000 + '"', "</think>", "")
@example('caption: "\\ud83c"', "</think>", "")
def test_replies_of_the_language_model(block: str, end: str, rest: str) -> None:
    reply = parse_reply(f"<think>\n{block}{end}{rest}")
    think_block(reply.metadata).encode()
    reply.lyrics.encode()
    refuses(lambda: fill(Song("a"), reply.metadata))


@fuzz(NUMBERS, st.integers(-1, 9), NUMBERS, NUMBERS, NUMBERS)
@example(1e-320, 0, 1.0, 0.0, 1.0)
@example(1.0, 0, 1.0, 0.0, 1e-320)
def test_sampling_params(
    temperature: float, top_k: int, top_p: float, min_p: float, penalty: float
) -> None:
    values = temperature, top_k, top_p, min_p, penalty
    params = refuses(lambda: SamplingParams(*values), InvalidRequestError)
    if params is not None:
        logits = torch.tensor([[-80.0, 0.0, 80.0]])
        repeated = torch.tensor([[True, False, True]])
        column = sample_token(logits, torch.tensor([7]), params, repeated=repeated)
        assert 0 <= int(column) < 3
        penalised = torch.where(logits < 0, logits * penalty, logits / penalty)
        if temperature:
            assert bool(filter_probs(penalised / temperature, params).isfinite().all())


REQUEST = table_of(
    {
        "id": st.text("aZ_-09.", max_size=8),
        "caption": st.text(max_size=20),
        "lyrics": st.text(max_size=20),
        "duration": st.floats(10, 600),
        "bpm": st.integers(30, 300) | DIGITS,
        "timesignature": NUMBERS | DIGITS,
        "keyscale": st.sampled_from(["C major", "Am"]),
        "seed": st.integers(-1, 9),
        "seeds": st.lists(st.integers(0, 9), max_size=3),
        "batch_size": st.integers(1, 8),
        "task_type": st.sampled_from(["text2music", "cover", "repaint", "lego"]),
        "src_audio": st.text(max_size=5),
        "timesteps": st.lists(st.floats(0, 1), max_size=4),
        "inference_steps": st.integers(1, 20),
        "guidance_scale": st.floats(0, 10),
        "audio_codes": DIGITS,
        "instruction": st.text(max_size=10),
        "lm_temperature": st.floats(0, 2),
    }
)
RULES = Rules(Variant.TURBO, FOLDER)


@fuzz(st.lists(REQUEST | VALUES, max_size=3), TEXTS)
@example([{"caption": "calm \ud83c"}], "")
@example([{"caption": "calm", "seed": float("nan")}], "")
@example([{"caption": ["calm"]}], "[" * 5_000)
@example([{"caption": "calm", "bpm": "9" * 5_000}], "")
def test_prompts(lines: list[Any], end: str) -> None:
    path = FOLDER / "prompts.jsonl"
    path.write_text(
        "\n".join([*map(json.dumps, lines), end]), encoding="utf-8", errors="surrogatepass"
    )
    refuses(lambda: read_lines(path, RULES.faults), PromptsError, names=path.name)


RECORD = table_of(
    {
        "id": st.text(max_size=5),
        "status": st.sampled_from(["done", "failed"]),
        "line": st.integers(1, 9),
        "seeds": st.lists(st.integers(0, 9), max_size=2),
        "files": st.lists(
            table_of({"name": st.text(max_size=5), "bytes": st.integers(0, 9)}), max_size=2
        ),
    }
)


@fuzz(st.lists(RECORD | VALUES, max_size=3), table_of({"format": st.just(1), "salt": TEXTS}))
@example([{"id": ["a"], "status": "done"}], {"format": 1, "salt": "a"})
@example([{"id": "a", "status": "done", "files": [{"name": 1}]}], {"format": 1, "salt": "a"})
@example([{"id": "a", "status": "done", "files": 7}], {"format": 1, "salt": "a"})
def test_manifests_and_plans(records: list[Any], plan: object) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as place:
        path = Path(place)
        (path / "batch.json").write_text(json.dumps(plan))
        (path / MANIFEST).write_text("".join(f"{json.dumps(each)}\n" for each in records))
        opened = refuses(lambda: Folder(path), BatchError, names=place)
        for record in opened.manifest.last.values() if opened else ():
            opened.absent(record)


TOKENIZER = json.loads(write_tokenizer(FOLDER).read_text())
PIECES = st.sampled_from(["BPE", "WordLevel", "Unigram", "Split", "Replace", "ByteLevel", "NFC"])
PIECE = table_of(
    {
        "type": PIECES,
        "vocab": st.dictionaries(st.text("abĠ", max_size=3), st.integers(0, 3)),
        "merges": st.lists(st.sampled_from(["a b", "ab a", "Ġ a"]) | TEXTS, max_size=3),
        "unk_token": TEXTS,
        "pattern": table_of({"Regex": TEXTS | st.sampled_from(["(a+)+b", "a|"]), "String": TEXTS}),
        "content": TEXTS,
        "behavior": st.just("Isolated"),
        "invert": st.booleans(),
        "id": st.integers(0, 300),
        "max_length": st.integers(0, 9),
    }
)
PARTS = st.sampled_from(sorted(TOKENIZER))


@fuzz(st.dictionaries(PARTS, PIECE | st.lists(PIECE, max_size=2) | VALUES, max_size=2), TEXTS)
@example({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}, "ab")
@example({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+b"}}}, "a" * 60)
def test_tokenizers(parts: dict[str, Any], text: str) -> None:
    path = FOLDER / "tokenizer.json"
    path.write_text(json.dumps({**TOKENIZER, **parts}), errors="surrogatepass")
    tokenizer = refuses(lambda: load_tokenizer(path), CheckpointError, names=path.name)
    if tokenizer is not None:
        ids = refuses(lambda: tokenizer.encode(text))
        assert all(0 <= each < tokenizer.size for each in ids or ())
        refuses(lambda: tokenizer.decode(ids or [0]))


@fuzz(
    table_of(
        {
            "caption": st.text(max_size=9),
            "lyrics": st.text(max_size=9),
            "seconds": st.floats(),
            "bpm": st.integers(),
            "key": st.text(max_size=9),
            "time_signature": st.integers(),
            "language": st.text(max_size=9),
        }
    )
)
@example({"key": "9" * 5_000})
def test_songs(fields: dict[str, Any]) -> None:
    texts = {n: v for n, v in fields.items() if n in ("caption", "lyrics") and isinstance(v, str)}
    kinds = {"seconds": (int, float), "bpm": int, "time_signature": int, "key": str}
    numbers = {n: v for n, v in fields.items() if n in kinds and isinstance(v, kinds[n])}
    refuses(lambda: Song(**texts, **numbers), AceStepError)
