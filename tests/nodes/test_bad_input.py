"""What cannot work is refused by the node that was given it, in words, before any heavy work."""

import re
import resource
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from safetensors.torch import save_file

from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack

SONG = {
    "caption": "calm piano",
    "lyrics": "[Verse]\nla",
    "seconds": 10.0,
    "bpm": 0,
    "key": "auto",
    "time_signature": "auto",
    "language": "auto",
    "instrumental": False,
}
MODEL = {"file": "acestep_v1.5_turbo_miniature.safetensors", "variant": "auto", "dtype": "fp32"}
TEXT = {"file": "qwen_0.6b_ace15_miniature.safetensors", "dtype": "fp32"}
VAE = {"file": "ace_1.5_vae_miniature.safetensors", "dtype": "fp32"}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": f"AceStep15{kind}", "inputs": inputs}


def graph(**changes: dict[str, Any]) -> Prompt:
    """Text to music; `changes` are inputs by the name of their node."""
    nodes = {
        "model": node("LoadModel", **MODEL),
        "text": node("LoadTextEncoder", **TEXT),
        "vae": node("LoadVAE", **VAE),
        "song": node("Song", **SONG),
        "task": node("TextToMusic", song=["song", 0], text_encoder=["text", 0], vae=["vae", 0]),
        "times": node("Schedule", model=["model", 0], settings="auto"),
        "sampler": node("Sampler", model=["model", 0], sigmas=["times", 0], seed=0),
        "sound": node("DecodeAudio", latent=["sampler", 0], vae=["vae", 0]),
        "save": node("SaveAudio", audio=["sound", 0], filename_prefix="bad", format="flac16"),
    }
    nodes["task"]["inputs"]["batch_size"] = 1
    nodes["save"]["inputs"]["bitrate"] = "320"
    links = {"positive": ["task", 0], "negative": ["task", 1], "latent": ["task", 2]}
    nodes["sampler"]["inputs"] |= links
    for name, inputs in changes.items():
        nodes[name]["inputs"] |= inputs
    return nodes


def said(outcome: Outcome) -> str:
    """What the user reads; nothing was sampled or saved before it."""
    assert not outcome.complete
    assert not {"sampler", "sound", "save"} & set(outcome.values)
    assert all(set(ui) == {"ace_step_text"} for ui in outcome.ui.values())
    return outcome.why()


def write(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> str:
    save_file(tensors, folder / name)
    return name


@pytest.mark.parametrize(
    ("place", "changes", "words"),
    [
        ("song", {"caption": " ", "lyrics": ""}, "caption and the lyrics are both empty"),
        (
            "song",
            {"caption": "a" * 513},
            "`caption` has 513 characters, but the models read at most",
        ),
        ("song", {"lyrics": "a" * 4097}, "`lyrics` has 4097 characters"),
        ("song", {"seconds": 0.0}, "has no length. Set `seconds` (10 to 600)"),
        ("song", {"seconds": 9.0}, "`seconds` is 9. Set 10 to 600"),
        ("song", {"seconds": -1.0}, "seconds"),
        ("song", {"seconds": float("nan")}, "`seconds` is nan. Set 10 to 600"),
        ("song", {"seconds": 601.0}, "601"),
        ("song", {"bpm": 29}, "29 BPM is outside 30 to 300"),
        ("song", {"bpm": 301}, "301"),
        ("song", {"key": "H major"}, "H major"),
        ("song", {"time_signature": "5/4"}, "5/4"),
        ("song", {"language": "klingon"}, "klingon"),
        ("times", {"settings": "custom", "settings.steps": 0, "settings.shift": 3.0}, "steps"),
        ("times", {"settings": "custom", "settings.steps": 8, "settings.shift": 0.0}, "shift"),
        ("times", {"settings": "none"}, "Choose one of auto, custom, timesteps"),
        ("sampler", {"seed": -1}, "seed"),
        ("sampler", {"seed": 2**64}, "seed"),
        ("task", {"batch_size": 9}, "batch_size"),
        ("save", {"filename_prefix": "../song"}, "is not a name inside the output folder"),
        ("save", {"filename_prefix": "/tmp/song"}, "is not a name inside the output folder"),
        ("save", {"filename_prefix": "C:\\song"}, "is not a name inside the output folder"),
        ("model", {"file": "nothing.safetensors"}, "is not in models/diffusion_models"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(
    pack: Pack, models: Path, place: str, changes: dict[str, Any], words: str
) -> None:
    assert words in said(pack.host.run(graph(**{place: changes})))


@pytest.mark.parametrize("before", ["", "ace/", "ace\\"])
def test_a_missing_file_is_answered_with_its_own_address_and_the_usual_folder_first(
    pack: Pack, models: Path, before: str
) -> None:
    name = "acestep_v1.5_turbo.safetensors"
    text = said(pack.host.run(graph(model={"file": f"{before}{name}"})))
    assert f"{f'{before}{name}'!r} is not in models/diffusion_models. Download it from " in text
    (address,) = re.findall(r"https://[^\s,]*", text)
    assert address.startswith("https://huggingface.co/Comfy-Org/ace_step_1.5_ComfyUI_files/")
    assert address.endswith(f"/split_files/diffusion_models/{name}")
    assert f"put it in {models / 'diffusion_models'}" in text


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        ("LoadModel", "acestep_v1.5_turbo.safetensors, https"),
        ("LoadVAE", "https://huggingface.co/Comfy-Org/"),
        ("LoadCheckpoint", "aio.safetensors"),
        ("LoadLoRA", "https://huggingface.co/models?search=ace-step%201.5%20lora."),
    ],
)
def test_a_missing_file_of_somebody_is_answered_with_what_is_published_for_its_place(
    pack: Pack, node: str, wanted: str
) -> None:
    text = pack.nodes[f"AceStep15{node}"].validate_inputs(file="mine.safetensors")
    assert "'mine.safetensors' is not in models/" in text
    assert wanted in text
    assert "Download it" not in text
    assert " at ," not in text  # no list without an address


def test_a_file_that_is_not_safetensors_is_refused(pack: Pack, models: Path) -> None:
    (models / "diffusion_models" / "page.safetensors").write_text("<html>not found</html>" * 9)
    text = said(pack.host.run(graph(model={"file": "page.safetensors"})))
    assert "page.safetensors" in text
    assert "safetensors" in text.split("page.safetensors", 1)[1]


def test_a_truncated_file_is_refused(pack: Pack, models: Path) -> None:
    whole = (models / "diffusion_models" / MODEL["file"]).read_bytes()
    (models / "diffusion_models" / "cut_turbo.safetensors").write_bytes(whole[: len(whole) // 2])
    text = said(pack.host.run(graph(model={"file": "cut_turbo.safetensors"})))
    assert "cut_turbo.safetensors" in text
    assert "ownload" in text


def test_a_checkpoint_of_another_model_is_refused(pack: Pack, models: Path) -> None:
    tensors = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, 4, 3, 3)}
    name = write(models / "diffusion_models", "sd15.safetensors", tensors)
    assert "not a model of ACE-Step 1.5" in said(pack.host.run(graph(model={"file": name})))


def test_a_language_model_in_the_place_of_the_text_encoder_is_refused(
    pack: Pack, models: Path
) -> None:
    file = "qwen_1.7b_ace15_miniature.safetensors"
    text = said(pack.host.run(graph(text={"file": file})))
    assert "5 Hz language model" in text
    assert "text encoder is expected here" in text
    assert "qwen_0.6b_ace15.safetensors" in text


def test_a_vae_of_another_family_is_refused(pack: Pack, models: Path) -> None:
    kernels = (16, 16, 8, 8, 4)  # Stable Audio's strides 8 8 4 4 2
    tensors = {
        f"decoder.layers.{place}.layers.1.weight_v": torch.zeros(2, 2, kernel)
        for place, kernel in enumerate(kernels, start=1)
    }
    name = write(models / "vae", "stable_audio.safetensors", tensors)
    text = said(pack.host.run(graph(vae={"file": name})))
    assert "Oobleck VAE of another family" in text
    assert "ace_1.5_vae.safetensors" in text


def test_a_model_of_no_known_variant_asks_for_it(pack: Pack, models: Path) -> None:
    folder = models / "diffusion_models"
    shutil.copyfile(folder / MODEL["file"], folder / "mine.safetensors")
    text = said(pack.host.run(graph(model={"file": "mine.safetensors"})))
    assert "variant is not known" in text
    assert "Set `variant` on ACE-Step Load Model" in text


def test_a_latent_of_another_task_is_refused(pack: Pack, models: Path) -> None:
    prompt = graph(sampler={"latent": ["longer", 2]})
    prompt["longer song"] = node("Song", **SONG | {"seconds": 12.0})
    prompt["longer"] = node("TextToMusic", **prompt["task"]["inputs"])
    prompt["longer"]["inputs"]["song"] = ["longer song", 0]
    text = said(pack.host.run(prompt))
    assert "The latent has 300 frames, but the task was made for 250" in text


def audio_graph(pack: Pack, models: Path, waveform: torch.Tensor, rate: int) -> tuple[Any, Any]:
    """What the encoder makes of a waveform, as the host calls it."""
    host = pack.submodule("nodes.host")
    vae = host.load_vae(models / "vae" / VAE["file"])
    audio = {"waveform": waveform, "sample_rate": rate}
    encode = pack.nodes["AceStep15EncodeAudio"].execute
    with torch.inference_mode():
        return encode(audio, vae, "mean", 0)[0]["samples"], vae


def test_audio_of_another_rate_is_resampled(pack: Pack, models: Path) -> None:
    latent, _ = audio_graph(pack, models, torch.rand(1, 2, 22_050) - 0.5, 44_100)
    assert latent.shape == (1, 64, 12)  # half a second


def test_mono_is_heard_on_both_sides(pack: Pack, models: Path) -> None:
    mono = torch.rand(1, 1, 9_600) - 0.5
    one, _ = audio_graph(pack, models, mono, 48_000)
    both, _ = audio_graph(pack, models, mono.repeat(1, 2, 1), 48_000)
    assert torch.equal(one, both)


@pytest.mark.parametrize(
    ("waveform", "words"),
    [
        (torch.zeros(1, 2, 0), "is empty"),
        (torch.full((1, 2, 9_600), torch.nan), "NaN"),
        (torch.zeros(1, 2, 480), "one latent frame needs 1920"),
    ],
)
def test_audio_that_is_none_is_refused(
    pack: Pack, models: Path, waveform: torch.Tensor, words: str
) -> None:
    refused = pack.submodule("ace_core.errors").InvalidAudioError
    with pytest.raises(refused, match=words):
        audio_graph(pack, models, waveform, 48_000)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 100,000 bytes: writing fails as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


@pytest.fixture
def second(base_directory: Path) -> str:
    """A second of noise in the host's input folder."""
    noise = torch.rand(48_000, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    soundfile.write(base_directory / "input" / "second.wav", noise.numpy(), 48_000)
    return "second.wav"


def test_a_full_disk_leaves_no_half_song(
    pack: Pack, base_directory: Path, second: str, full_disk: None
) -> None:
    given = {"filename_prefix": "full/song", "format": "wav24", "bitrate": "320"}
    prompt = {
        "load": {"class_type": "LoadAudio", "inputs": {"audio": second}},
        "save": node("SaveAudio", audio=["load", 0], **given),
    }
    outcome = pack.host.run(prompt)
    assert outcome.status == "error"
    assert "cannot be written" in outcome.why()
    assert list((base_directory / "output" / "full").iterdir()) == []
