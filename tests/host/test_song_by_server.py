"""The workflow through the server of a real ComfyUI, from /prompt to a file."""

import io
import json
from urllib.parse import quote

import pytest
import soundfile

from tools.docs.make_released import released
from tools.hosts.checkout import ROOT
from tools.hosts.host import Outcome, Prompt
from tools.hosts.server import ComfyServer
from tools.workflows.menu import STEMS
from tools.workflows.prompts import read_prompt, with_input, with_miniature

SECONDS = 10.0
NODES = sorted(released())


@pytest.fixture(scope="module")
def prompt() -> Prompt:
    short = with_input(with_miniature(read_prompt("text_to_music")), "seconds", SECONDS)
    return with_input(short, "dtype", "fp32")


def played(server: ComfyServer, outcome: Outcome) -> bytes:
    """The sound in the saved file."""
    (shown,) = next(found["audio"] for found in outcome.ui.values() if "audio" in found)
    samples, rate = soundfile.read(io.BytesIO(server.view(shown)), dtype="int32")
    assert rate == 48_000
    assert samples.shape == (SECONDS * 48_000, 2)
    assert samples.any()
    return samples.tobytes()


def test_every_node_is_offered_with_its_help(server: ComfyServer) -> None:
    offered = server.get("/object_info")
    assert [name for name in NODES if name not in offered] == []
    for name in NODES:
        assert server.get_bytes(f"/extensions/acestep15/docs/{name}.md").startswith(b"# ")


def test_the_workflow_and_its_picture_are_in_the_template_browser(server: ComfyServer) -> None:
    name = STEMS["text_to_music"]
    assert name in server.get("/workflow_templates")["acestep15"]
    picture = server.get_bytes(f"/api/workflow_templates/acestep15/{quote(name)}.jpg")
    assert picture[:3] == b"\xff\xd8\xff"


def test_the_same_prompt_gives_the_same_sound_and_another_seed_another(
    server: ComfyServer, prompt: Prompt
) -> None:
    first, other, again = (
        played(server, done(server, with_input(prompt, "seed", seed))) for seed in (3, 4, 3)
    )
    assert first == again
    assert first != other


def done(server: ComfyServer, prompt: Prompt) -> Outcome:
    outcome = server.run(prompt)
    assert outcome.complete, outcome.why()
    return outcome


def test_stock_nodes_finish_what_our_task_began(server: ComfyServer, prompt: Prompt) -> None:
    """KSampler, VAEDecodeAudio and SaveAudioMP3 in the place of ours."""
    kinds = {node["class_type"]: number for number, node in prompt.items()}
    model, task = kinds["AceStep15LoadModel"], kinds["AceStep15TextToMusic"]
    keep = ("LoadModel", "LoadTextEncoder", "LoadVAE", "Song", "TextToMusic")
    stock = {kinds[f"AceStep15{kind}"]: prompt[kinds[f"AceStep15{kind}"]] for kind in keep}
    sampler = {"seed": 1, "steps": 8, "cfg": 1.0, "denoise": 1.0}
    sampler |= {"sampler_name": "euler", "scheduler": "simple", "model": [model, 0]}
    sampler |= {"positive": [task, 0], "negative": [task, 1], "latent_image": [task, 2]}
    sound = {"samples": ["k", 0], "vae": [kinds["AceStep15LoadVAE"], 0]}
    saved = {"audio": ["d", 0], "filename_prefix": "stock", "quality": "320k"}
    stock["k"] = {"class_type": "KSampler", "inputs": sampler}
    stock["d"] = {"class_type": "VAEDecodeAudio", "inputs": sound}
    stock["s"] = {"class_type": "SaveAudioMP3", "inputs": saved}
    (shown,) = done(server, stock).ui["s"]["audio"]
    assert len(server.view(shown)) > 100_000


def test_the_stock_node_in_the_place_of_the_deprecated_ones_saves_our_sound(
    server: ComfyServer, prompt: Prompt
) -> None:
    """A ComfyUI that has deprecated its Save Audio nodes has Save Audio (Advanced)."""
    offered = server.get("/object_info")
    if not offered["SaveAudio"].get("deprecated"):
        assert "SaveAudioAdvanced" not in offered
        return
    sound = next(number for number, node in prompt.items() if "Decode" in node["class_type"])
    inputs = {"audio": [sound, 0], "filename_prefix": "advanced"}
    saved = {"format": "opus", "format.quality": "128k"}
    stock = {"class_type": "SaveAudioAdvanced", "inputs": inputs | saved}
    (shown,) = done(server, {**prompt, "stock": stock}).ui["stock"]["audio"]
    assert server.view(shown).startswith(b"OggS")


def test_no_workflow_has_a_node_that_this_host_deprecates(server: ComfyServer) -> None:
    deprecated = {
        name for name, node in server.get("/object_info").items() if node.get("deprecated")
    }
    for path in sorted((ROOT / "workflows" / "api").glob("*.json")):
        used = {node["class_type"] for node in json.loads(path.read_text()).values()}
        assert used & deprecated == set(), path.stem


def test_the_page_format_names_what_the_server_knows(server: ComfyServer) -> None:
    offered = server.get("/object_info")
    for path in sorted((ROOT / "workflows").glob("*.json")):
        page = json.loads(path.read_text())
        inside = page.get("definitions", {}).get("subgraphs", [])
        own = {"MarkdownNote", *(graph["id"] for graph in inside)}  # the page's, not the server's
        for node in [*page["nodes"], *(node for graph in inside for node in graph["nodes"])]:
            if node["type"] in own:
                continue
            known = offered[node["type"]]
            names = {**known["input"].get("required", {}), **known["input"].get("optional", {})}
            assert {each["name"] for each in node["inputs"]} <= set(names)
            told = [(each["type"], each["name"]) for each in node["outputs"]]
            have = [*zip(known["output"], known["output_name"], strict=True)]
            assert told == have[: len(told)]  # newer hosts let stock nodes pass their input through
            assert told == have or not node["type"].startswith("AceStep15")
