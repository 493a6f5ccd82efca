"""Audio codes as a value: nodes that encode, print, read, cut and join them, and what they play."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.nodes.lm_prompts import Run, codes_of, complaint, node, shown, song, value
from tests.rounding import assert_same
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

TURBO = "acestep_v1.5_turbo_miniature.safetensors"
TEXT_ENCODER = "qwen_0.6b_ace15_miniature.safetensors"
VAE_FILE = "ace_1.5_vae_miniature.safetensors"
TEN_SECONDS = ", ".join(str(7 * place) for place in range(50))
OTHER_TEN = ", ".join(str(63_999 - 11 * place) for place in range(50))


@pytest.fixture(scope="module")
def run(pack: Pack) -> Run:
    def run(out: str, slot: int = 0, **nodes: dict[str, Any]) -> Outcome:
        return pack.host.run({**nodes, "out": shown(out, slot)})

    return run


@pytest.fixture(scope="module")
def loaders(models: Path) -> dict[str, Any]:
    return {
        "model": node("LoadModel", file=TURBO, variant="auto", dtype="fp32"),
        "text": node("LoadTextEncoder", file=TEXT_ENCODER, dtype="fp32"),
        "vae": node("LoadVAE", file=VAE_FILE, dtype="fp32"),
    }


@pytest.fixture(scope="module")
def latents() -> dict[str, Any]:
    """Two songs of 12 frames."""
    torch.manual_seed(3)
    return {"samples": torch.randn(2, 64, 12), "type": "audio"}


@pytest.fixture(scope="module")
def loaded(pack: Pack, loaders: dict[str, Any]) -> dict[str, Any]:
    """The miniature's model and VAE."""
    found = pack.host.run({**loaders, "o": shown("model", 0), "p": shown("vae", 0)})
    assert found.complete, found.why()
    return {name: found.values[name][0] for name in ("model", "vae")}


@pytest.fixture
def encode(pack: Pack, loaded: dict[str, Any]) -> Callable[..., tuple]:
    """EncodeCodes called directly."""
    execute = pack.nodes["AceStep15EncodeCodes"].execute

    @torch.inference_mode()
    def encode(**given: Any) -> tuple:
        return execute(**loaded, **given)[0]

    return encode


def numbers(codes: Any) -> list[list[int]]:
    return [list(piece.values) for piece in codes]


def raised(call: Callable[[], Any], kind: str) -> str:
    """The message of the pack's own error; its classes are not those of `import ace_core`."""
    try:
        call()
    except Exception as error:  # noqa: BLE001  its class is not importable here
        assert type(error).__name__ == kind, error
        return str(error)
    pytest.fail(f"no {kind} was raised")


@pytest.mark.parametrize("form", ["tokens", "numbers"])
def test_codes_survive_being_written_and_read(run: Run, form: str) -> None:
    found = run(
        "again",
        first=codes_of("0, 63999, 17\n\n5 6 7 8"),
        text=node("CodesToText", codes=["first", 0], format=form),
        again=node("TextToCodes", text=["text", 0]),
    )
    assert numbers(value(found, "again")) == [[0, 63999, 17], [5, 6, 7, 8]]
    written = value(found, "text")
    start = {"tokens": "<|audio_code_0|><|audio_code_63999|>", "numbers": "0, 63999, 17"}[form]
    assert written.startswith(start)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no audio codes"),
        (" \n\n ", "no audio codes"),
        ("<|audio_code_64000|>", "64000"),
        ("12, 64000", "64000"),
        ("12, -1", "-1"),
        ("12, piano", "'piano'"),
        ("<|audio_code_1|> and more", "'and'"),
        ("1.5", "1.5"),
    ],
)
def test_text_that_is_no_codes_is_refused(run: Run, text: str, said: str) -> None:
    assert said in complaint(run("codes", codes=codes_of(text)))


def test_a_piece_is_cut_by_seconds(run: Run) -> None:
    def cut(begin: float, end: float) -> Outcome:
        by = {"by": "seconds", "by.start": begin, "by.end": end}
        return run(
            "cut",
            codes=codes_of("0 1 2 3 4 5 6 7 8 9\n\n10 11 12 13 14 15"),
            cut=node("SliceCodes", codes=["codes", 0], **by),
        )

    assert numbers(value(cut(0.4, 1.0), "cut")) == [[2, 3, 4], [12, 13, 14]]
    assert numbers(value(cut(0.8, 0.0), "cut")) == [[4, 5, 6, 7, 8, 9], [14, 15]]
    assert "from 1 to 0.4 seconds" in complaint(cut(1.0, 0.4))
    assert "from 0 to 30 seconds" in complaint(cut(0.0, 30.0))


def test_a_piece_is_cut_by_bars(run: Run) -> None:
    def cut(first: int, count: int, meter: str) -> Outcome:
        by = {"by.first_bar": first, "by.bars": count, "by.bpm": 120, "by.time_signature": meter}
        return run(
            "cut",
            codes=codes_of(TEN_SECONDS),
            cut=node("SliceCodes", codes=["codes", 0], by="bars", **by),
        )

    whole = [7 * place for place in range(50)]
    assert numbers(value(cut(2, 1, "4/4"), "cut")) == [whole[10:20]]  # a bar is 2 s
    assert numbers(value(cut(1, 2, "6/8"), "cut")) == [whole[:15]]  # 1.5 s
    assert "in 50 codes" in complaint(cut(5, 2, "4/4"))


def test_pieces_are_joined_and_repeated(run: Run) -> None:
    def join(first: str, second: str | None, repeats: int) -> Outcome:
        follow = {} if second is None else {"two": codes_of(second)}
        link = {} if second is None else {"second": ["two", 0]}
        joined = node("JoinCodes", first=["one", 0], repeats=repeats, **link)
        return run("join", one=codes_of(first), join=joined, **follow)

    assert numbers(value(join("1 2", "3", 1), "join")) == [[1, 2, 3]]
    assert numbers(value(join("1 2", None, 3), "join")) == [[1, 2, 1, 2, 1, 2]]
    assert numbers(value(join("1\n\n2", "9", 1), "join")) == [[1, 9], [2, 9]]
    assert numbers(value(join("9", "1\n\n2", 2), "join")) == [[9, 1, 9, 1], [9, 2, 9, 2]]
    assert numbers(value(join("1\n\n2", "3\n\n4", 1), "join")) == [[1, 3], [2, 4]]
    assert "2 variations cannot be joined with 3" in complaint(join("1\n\n2", "3\n\n4\n\n5", 1))


def test_a_latent_is_encoded_by_the_models_own_tokenizer(
    encode: Callable[..., tuple], checkpoints: Any, latents: dict[str, Any]
) -> None:
    from ace_core.weights.load import load_dit

    core = load_dit(checkpoints.turbo)
    whole = latents["samples"].transpose(1, 2)
    padding = core.silence[:, :3].float().expand(2, -1, -1)  # 12 frames are no whole codes
    with torch.inference_mode():
        expected = core.model.float().tokenizer(torch.cat([whole, padding], dim=1))
    assert numbers(encode(latent=latents)) == expected.tolist()


def test_audio_is_encoded_as_its_latent_is(
    pack: Pack, encode: Callable[..., tuple], loaded: dict[str, Any]
) -> None:
    sound = torch.sin(torch.arange(48_000) * 0.05).expand(1, 2, -1) * 0.5
    audio = {"waveform": sound, "sample_rate": 48_000}
    with torch.inference_mode():
        latent = pack.submodule("nodes.host").encode(loaded["vae"], sound)
    found = encode(audio=audio)
    assert numbers(found) == numbers(encode(latent=latent))
    assert [len(piece) for piece in found] == [5]
    mono = {"waveform": sound[:, :1], "sample_rate": 48_000}
    assert numbers(encode(audio=mono)) == numbers(found)


def test_half_the_rate_has_as_many_codes(encode: Callable[..., tuple]) -> None:
    sound = torch.sin(torch.arange(24_000) * 0.1).expand(1, 2, -1) * 0.5
    assert [len(piece) for piece in encode(audio={"waveform": sound, "sample_rate": 24_000})] == [5]


def test_audio_shorter_than_a_code_is_refused_before_anything_heavy(
    encode: Callable[..., tuple], monkeypatch: pytest.MonkeyPatch
) -> None:
    import comfy.model_management as management

    encode(audio={"waveform": torch.ones(1, 2, 9_600) / 2, "sample_rate": 48_000})  # just enough
    asked: list[Any] = []
    monkeypatch.setattr(management, "load_models_gpu", lambda *a, **_: asked.append(a))
    short = {"waveform": torch.ones(1, 2, 9_599) / 2, "sample_rate": 48_000}
    assert "one code takes 0.2" in raised(lambda: encode(audio=short), "InvalidAudioError")
    frames = {"samples": torch.zeros(1, 64, 4)}
    assert "0.16 seconds" in raised(lambda: encode(latent=frames), "InvalidAudioError")
    assert asked == []


def test_codes_need_audio_or_a_latent_and_not_both(
    encode: Callable[..., tuple], latents: dict[str, Any]
) -> None:
    audio = {"waveform": torch.ones(1, 2, 48_000), "sample_rate": 48_000}
    assert "exactly one" in raised(lambda: encode(), "InvalidRequestError")
    both = raised(lambda: encode(audio=audio, latent=latents), "InvalidRequestError")
    assert "exactly one" in both


def test_a_foreign_model_has_no_code_tokenizer(
    pack: Pack, encode: Callable[..., tuple], latents: dict[str, Any]
) -> None:
    class Foreign:
        model = object()

    host = pack.submodule("nodes.host")
    silence = torch.zeros(1, 5, 64)
    said = raised(
        lambda: host.encode_codes(Foreign(), latents["samples"], silence), "CheckpointError"
    )
    assert "ACE-Step Load Model" in said


def music(loaders: dict[str, Any], text: str, seed: int = 3, **changes: Any) -> dict[str, Any]:
    """A prompt from codes to a latent, called `music`."""
    task = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0], "batch_size": 1}
    return {
        **loaders,
        "song": song(),
        "codes": codes_of(text),
        "task": node("TextToMusic", **task | {"codes": ["codes", 0]} | changes),
        "times": node("Schedule", model=["model", 0], settings="auto"),
        "music": node(
            "Sampler",
            model=["model", 0],
            positive=["task", 0],
            negative=["task", 1],
            latent=["task", 2],
            sigmas=["times", 0],
            seed=seed,
        ),
    }


@pytest.mark.parametrize(("codes", "frames"), [(50, 250), (60, 300), (3, 128)])
def test_the_canvas_follows_the_codes(
    run: Run, loaders: dict[str, Any], codes: int, frames: int
) -> None:
    nodes = music(loaders, " ".join(["5"] * codes))
    del nodes["times"], nodes["music"]
    canvas = run("task", 2, **nodes).values["task"][2]
    assert canvas["samples"].shape == (1, 64, frames)


def test_the_music_follows_the_codes(run: Run, loaders: dict[str, Any]) -> None:
    one = value(run("music", **music(loaders, TEN_SECONDS)), "music")["samples"]
    other = value(run("music", **music(loaders, OTHER_TEN)), "music")["samples"]
    assert (one - other).abs().max() > 0.1


def test_a_variation_plays_the_same_alone_and_among_others(
    run: Run, loaders: dict[str, Any]
) -> None:
    several = run("music", **music(loaders, f"{TEN_SECONDS}\n\n{OTHER_TEN}"))
    seeds = several.values["music"][1].rsplit("seeds: ", 1)[1].splitlines()[0].split(", ")
    together = value(several, "music")["samples"]
    assert together.shape == (2, 64, 250)
    for item, (text, seed) in enumerate(zip((TEN_SECONDS, OTHER_TEN), seeds, strict=True)):
        alone = value(run("music", **music(loaders, text, int(seed))), "music")["samples"]
        assert_same(together[item], alone[0])


def test_one_piece_serves_a_whole_batch(run: Run, loaders: dict[str, Any]) -> None:
    found = run("music", **music(loaders, TEN_SECONDS, batch_size=3))
    assert value(found, "music")["samples"].shape[0] == 3


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        ("1 2 3\n\n1 2", {}, "0.4 to 0.6 seconds"),
        ("1\n\n2\n\n3", {"batch_size": 2}, "Set `batch_size` to 1 or 3"),
        (" ".join(["1"] * 3001), {}, "at most 600"),
    ],
)
def test_codes_that_cannot_be_one_batch_are_refused(
    run: Run, loaders: dict[str, Any], text: str, changes: dict[str, Any], said: str
) -> None:
    assert said in complaint(run("music", **music(loaders, text, **changes)))


def test_another_canvas_than_the_tasks_is_refused(run: Run, loaders: dict[str, Any]) -> None:
    nodes = music(loaders, f"{TEN_SECONDS}\n\n{OTHER_TEN}")
    nodes["one"] = codes_of(TEN_SECONDS)
    nodes["other"] = {
        "class_type": "AceStep15TextToMusic",
        "inputs": nodes["task"]["inputs"] | {"codes": ["one", 0], "batch_size": 3},
    }
    nodes["music"]["inputs"]["latent"] = ["other", 2]
    assert "2 variations of codes, but the latent has 3" in complaint(run("music", **nodes))
