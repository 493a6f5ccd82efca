"""The server of a real ComfyUI, driven by `tools.hosts.server` with stock nodes only."""

import pytest

from tools.hosts.host import error_types
from tools.hosts.server import ComfyServer


def silence(seconds: float) -> dict:
    """An AUDIO of zeros, saved by the host's own node."""
    audio = {"duration": seconds, "sample_rate": 48000, "channels": 2}
    return {
        "1": {"class_type": "EmptyAudio", "inputs": audio},
        "2": {"class_type": "SaveAudio", "inputs": {"audio": ["1", 0], "filename_prefix": "t"}},
    }


def test_the_pack_is_loaded_by_the_server(server: ComfyServer) -> None:
    said = [line for line in server.log.read_text().splitlines() if "acestep15" in line]
    assert len(said) == 1, said  # how long its import took
    assert "IMPORT FAILED" not in said[0]
    ours = [name for name in server.get("/object_info") if name.startswith("AceStep15")]
    assert ours


def test_a_prompt_runs_and_its_file_can_be_fetched(server: ComfyServer) -> None:
    outcome = server.run(silence(0.5))
    assert outcome.complete, outcome.why()
    assert server.view(outcome.ui["2"]["audio"][0])[:4] == b"fLaC"


def test_a_bad_prompt_is_refused_with_its_node(server: ComfyServer) -> None:
    outcome = server.run(silence(-1.0))
    assert outcome.status == "refused"
    assert error_types(outcome.node_errors) == {"1": ["value_smaller_than_min"]}
    assert outcome.error is not None
    assert outcome.error["type"] == "prompt_outputs_failed_validation"


def test_an_unchanged_prompt_is_answered_from_the_cache(server: ComfyServer) -> None:
    server.run(silence(0.25))
    assert server.run(silence(0.25)).ran == ()


def test_a_server_that_cannot_start_says_why(
    server: ComfyServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = ("--no-such-option",)
    broken = ComfyServer(server.checkout, tmp_path_factory.mktemp("broken"), options=options)
    with pytest.raises(RuntimeError, match="unrecognized arguments: --no-such-option"):
        broken.start()
    assert broken.process is None
