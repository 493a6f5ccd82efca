"""The executor on the host at hand, real or stand-in, with nodes of the test's own.

The same tests run on both hosts, which is what keeps the stand-in honest.
"""

import copy
from typing import Any

import pytest

from tests.nodes.small_nodes import COUNT, registered
from tools.hosts.host import Host, Outcome, error_types


@pytest.fixture(scope="module", autouse=True)
def toys(host: Host) -> dict[str, Any]:
    return registered(host)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def number(**changes: Any) -> dict[str, Any]:
    return {
        "n": node("ToyNumber", **{"value": 3, "unit": "s"} | changes),
        "out": node("ToyShow", text=["n", 1]),
    }


def work(**inputs: Any) -> dict[str, Any]:
    return {"w": node("ToyWork", **inputs), "out": node("ToyShow", text=["w", 0])}


def kinds(outcome: Outcome) -> dict[str, list[str]]:
    assert outcome.status == "refused"
    return error_types(outcome.node_errors)


def test_a_valid_prompt_runs_and_shows_what_its_outputs_show(host: Host) -> None:
    outcome = host.run(number())
    assert outcome.complete, outcome.why()
    assert list(outcome.ui["out"]["text"]) == ["3 s None"]
    assert outcome.values["n"] == (3, "3 s None")


def test_a_prompt_is_not_changed_by_running_it(host: Host) -> None:
    prompt = number(value="3")
    before = copy.deepcopy(prompt)
    host.run(prompt)
    assert prompt == before


def test_text_is_converted_to_what_its_input_takes(host: Host) -> None:
    assert host.run(number(value="4")).values["n"][0] == 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"value": 11}, "value_bigger_than_max"),
        ({"value": -1}, "value_smaller_than_min"),
        ({"value": "three"}, "invalid_input_type"),
        ({"unit": "hours"}, "value_not_in_list"),
    ],
)
def test_a_bad_value_is_refused_at_its_node(
    host: Host, changes: dict[str, Any], expected: str
) -> None:
    assert kinds(host.run(number(**changes))) == {"n": [expected]}


def test_a_missing_input_is_refused(host: Host) -> None:
    prompt = number()
    del prompt["n"]["inputs"]["unit"]
    outcome = host.run(prompt)
    assert kinds(outcome) == {"n": ["required_input_missing"]}
    assert outcome.node_errors["n"]["errors"][0]["details"] == "unit"
    assert outcome.node_errors["n"]["dependent_outputs"] == ["out"]


def test_a_link_of_the_wrong_type_is_refused_where_it_arrives(host: Host) -> None:
    prompt = number()
    prompt["out"]["inputs"]["text"] = ["n", 0]
    assert kinds(host.run(prompt)) == {"out": ["return_type_mismatch"]}


def test_an_unknown_class_refuses_the_prompt(host: Host) -> None:
    outcome = host.run({"x": node("NoSuchNode"), **number()})
    assert outcome.status == "refused"
    assert outcome.error is not None
    assert outcome.error["type"] == "missing_node_type"


def test_a_prompt_without_outputs_is_refused(host: Host) -> None:
    outcome = host.run({"n": number()["n"]})
    assert outcome.error is not None
    assert outcome.error["type"] == "prompt_no_outputs"


def test_a_valid_branch_runs_beside_an_invalid_one(host: Host) -> None:
    outcome = host.run({**number(value=99), "fine": node("ToyShow", text="hello")})
    assert outcome.status == "success"
    assert not outcome.complete
    assert error_types(outcome.node_errors) == {"n": ["value_bigger_than_max"]}
    assert set(outcome.ui) == {"fine"}


def test_a_node_judges_its_own_inputs_instead_of_the_range(host: Host) -> None:
    def judged(odd: int, other: int) -> Outcome:
        return host.run(
            {"j": node("ToyJudge", odd=odd, other=other), "out": node("ToyShow", text=["j", 0])}
        )

    assert judged(5, 0).complete  # above the maximum, but the node takes it
    refused = judged(2, 0)
    assert kinds(refused) == {"j": ["custom_validation_failed"]}
    assert "2 is even" in refused.node_errors["j"]["errors"][0]["details"]
    assert kinds(judged(1, 4)) == {"j": ["value_bigger_than_max"]}


def test_a_choice_brings_its_own_inputs(host: Host) -> None:
    outcome = host.run(work(steps=1, task="part", **{"task.start": 1.5, "task.end": 2.5}))
    assert outcome.complete, outcome.why()
    assert "'task': {'end': 2.5, 'start': 1.5, 'task': 'part'}" in outcome.values["w"][0]
    assert "'task': {'task': 'whole'}" in host.run(work(steps=1, task="whole")).values["w"][0]


def test_an_input_of_a_choice_is_checked(host: Host) -> None:
    found = kinds(host.run(work(steps=1, task="part", **{"task.start": -1.0})))
    assert found == {"w": ["required_input_missing", "value_smaller_than_min"]}


def test_a_node_gets_the_hidden_values_that_it_asked_for(host: Host) -> None:
    outcome = host.run(work(steps=2, task="whole"), extra_pnginfo={"workflow": {"v": 1}})
    said = outcome.values["w"][0]
    assert said.startswith("{'id': 'w', ")
    assert said.endswith("'png': {'workflow': {'v': 1}}} ['out', 'w']")


def test_progress_is_told_with_the_node_it_belongs_to(host: Host) -> None:
    heard: list[tuple[str, int, int]] = []
    prompt = work(steps=3, task="part", **{"task.start": 3.0, "task.end": 4.0})
    host.run(prompt, on_progress=lambda *event: heard.append(event))
    assert heard[0] == ("w", 1, 3)
    assert heard[-1] == ("w", 3, 3)


def test_unchanged_nodes_are_not_run_again(host: Host) -> None:
    host.run(number(value=5))
    COUNT.clear()
    assert host.run(number(value=5)).complete
    assert COUNT == []
    assert host.run(number(value=6)).ran == ("n", "out")
    assert COUNT == ["number", "show"]


def test_what_an_unchanged_result_was_made_of_is_kept_with_it(host: Host) -> None:
    first = host.run(number(value=8))
    assert host.run(number(value=8)).values == first.values
    other_end = {"n": number(value=8)["n"], "other": node("PreviewAny", source=["n", 1])}
    assert host.run(other_end).ran == ("other",)


def test_what_a_node_raises_is_reported_with_its_place(host: Host) -> None:
    outcome = host.run(work(steps=7, task="whole"))
    assert outcome.status == "error"
    assert outcome.error == {
        "node_id": "w",
        "node_type": "ToyWork",
        "exception_type": "ValueError",
        "exception_message": "seven is not allowed",
    }
    assert host.run(number()).complete  # and the host still works


def test_an_unknown_keyword_of_a_schema_or_an_input_is_an_error(host: Host) -> None:
    from comfy_api.latest import io

    with pytest.raises(TypeError):
        io.Schema(node_id="Toy", colour="red")  # pyright: ignore
    with pytest.raises(TypeError):
        io.Int.Input("value", colour="red")  # pyright: ignore


def test_object_info_of_an_input_says_what_the_frontend_reads(
    host: Host, toys: dict[str, Any]
) -> None:
    types = toys["ToyNumber"].INPUT_TYPES()
    assert types["required"]["value"] == ("INT", {"default": 1, "min": 0, "max": 10})
    kind, settings = types["required"]["unit"]
    assert (kind, settings["options"], settings["multiselect"]) == ("COMBO", ["s", "ms"], False)
    assert types["optional"]["track"][1]["options"] == ["drums", "bass"]
    assert toys["ToyWork"].INPUT_TYPES()["hidden"]["unique_id"] == ("UNIQUE_ID",)


def test_names_of_saved_files_count_up_and_stay_inside(host: Host) -> None:
    from pathlib import Path

    import folder_paths

    root = folder_paths.get_output_directory()
    folder, name, count, subfolder, _ = folder_paths.get_save_image_path("toys/song", root)
    assert (name, count, subfolder) == ("song", 1, "toys")
    (Path(folder) / "song_00007_.flac").touch()
    for name in ("songbird_00099_.flac", "song_00050b.flac"):
        (Path(folder) / name).touch()
    assert folder_paths.get_save_image_path("toys/song", root)[2] == 8
    with pytest.raises(Exception, match="outside the output folder"):
        folder_paths.get_save_image_path("../song", root)


def test_model_files_are_listed_with_their_folders_and_cannot_be_named_outside(
    host: Host,
) -> None:
    from pathlib import Path

    import folder_paths

    folder = Path(folder_paths.get_folder_paths("vae")[0]) / "toys"
    folder.mkdir(parents=True)
    (folder / "a.safetensors").touch()
    (folder / "notes.txt").touch()
    listed = [name for name in folder_paths.get_filename_list("vae") if name.startswith("toys")]
    assert listed == ["toys/a.safetensors"]
    assert folder_paths.get_full_path("vae", listed[0]) == str(folder / "a.safetensors")
    assert folder_paths.get_full_path("vae", "../vae/toys/a.safetensors") is None
    assert folder_paths.get_full_path("vae", "b.safetensors") is None
