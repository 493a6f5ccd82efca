"""What the page shows of our nodes in each language: complete, and of today's English."""

import json
import re
from typing import Any

import pytest

from tools.docs import make_locales, workflow_words
from tools.hosts.checkout import ROOT
from tools.hosts.pack import Pack
from tools.workflows.apps import APPS

LANGUAGES = ("en", "zh", "ja")
OWN_SCRIPT = {"zh": r"[一-鿿]", "ja": r"[ぁ-ヿ一-鿿]"}


def read(language: str, name: str) -> dict[str, Any]:
    return json.loads((ROOT / "locales" / language / f"{name}.json").read_text(encoding="utf-8"))


def places(value: Any, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    return set().union(*(places(each, f"{path}.{name}") for name, each in value.items()))


def test_everything_that_a_node_says_is_translated(pack: Pack) -> None:
    found = make_locales.missing(pack.nodes)
    assert not found, make_locales.advice(found)


def test_the_files_are_what_the_schemas_and_the_phrases_give(pack: Pack) -> None:
    stale = [path.name for path in make_locales.outdated(pack.nodes)]
    assert not stale, "run python -m tools.docs.make_locales"


def test_no_phrase_is_kept_that_nobody_says(pack: Pack) -> None:
    found = make_locales.unused(pack.nodes)
    assert not found, "delete them from tools/phrases, then run python -m tools.docs.make_locales"


@pytest.mark.parametrize("name", ["nodeDefs", "main"])
def test_every_language_says_the_same_things(name: str) -> None:
    assert places(read("zh", name)) == places(read("ja", name)) == places(read("en", name))


@pytest.mark.parametrize("folder", ["acestep15", "comfyui-acestep15", "comfyui-acestep15-main"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_templates_has_the_packs_title(language: str, folder: str) -> None:
    """As the registry, a clone and an unpacked archive name the folder; pages read it by that."""
    assert read(language, "main")["templateWorkflows"]["category"][folder] == "ACE-Step 1.5"


def test_every_input_and_output_has_a_name_and_a_tooltip(pack: Pack) -> None:
    told = read("zh", "nodeDefs")
    assert set(told) == set(pack.nodes)
    for kind, node_class in pack.nodes.items():
        schema = node_class.GET_SCHEMA()
        nested = {f"{outer.id}_{e.id}" for outer in schema.inputs for e in outer.get_all()[1:]}
        expected = {each.id for each in schema.inputs} | nested
        assert set(told[kind].get("inputs", {})) == expected - {"audioUI"}
        assert len(told[kind].get("outputs", {})) == len(schema.outputs)


@pytest.mark.parametrize("language", OWN_SCRIPT)
def test_a_sentence_is_in_its_language(language: str) -> None:
    sentences = {
        text: phrase
        for text, phrase in make_locales.phrases(language).items()
        if text.count(" ") > 2 and not text.startswith("AceStep15")
    }
    assert len(sentences) > 100
    foreign = [p for p in sentences.values() if not re.search(OWN_SCRIPT[language], p)]
    assert not foreign


def test_a_sentence_that_changed_counts_as_missing(pack: Pack) -> None:
    class Changed:
        @staticmethod
        def GET_SCHEMA() -> Any:  # noqa: N802  # the host's name
            schema = pack.nodes["AceStep15Song"].GET_SCHEMA()
            schema.description = "Said otherwise."
            return schema

    before = pack.nodes["AceStep15Song"].GET_SCHEMA().description
    try:
        found = make_locales.missing({"AceStep15Song": Changed})
        assert found == {"zh": ["Said otherwise."], "ja": ["Said otherwise."]}
        assert 'tools/phrases/zh.json: add "Said otherwise."' in make_locales.advice(found)
    finally:
        pack.nodes["AceStep15Song"].GET_SCHEMA().description = before


def test_one_word_may_mean_two_things() -> None:
    seconds, flow_time = (
        make_locales.Saying((node, "inputs", "start", "name"), "start")
        for node in ("AceStep15Repaint", "AceStep15Guidance")
    )
    for language in OWN_SCRIPT:
        known = make_locales.phrases(language)
        assert make_locales.translated(seconds, known) != make_locales.translated(flow_time, known)


def test_every_text_in_a_workflow_has_its_translation() -> None:
    found = make_locales.missing_in_workflows(*workflow_words.words())
    assert not found, make_locales.advice(found, "tools/phrases/workflows")
    assert not make_locales.unused_in_workflows()


def test_a_text_of_a_workflow_that_changed_counts_as_missing() -> None:
    found = make_locales.missing_in_workflows(["First song", "Said otherwise."], ["loud", "seed"])
    assert found == {language: ["Said otherwise.", "loud"] for language in OWN_SCRIPT}


@pytest.mark.parametrize("language", OWN_SCRIPT)
def test_a_text_is_in_its_language_and_leads_back_to_its_english(language: str) -> None:
    """The page saves the English of what it shows."""
    texts = make_locales._words(language)["texts"]
    assert len(set(texts.values())) == len(texts)
    foreign = {text for text, said in texts.items() if not re.search(OWN_SCRIPT[language], said)}
    assert foreign <= {"ACE-Step DCW", "DCW", "LoRA"}


@pytest.mark.parametrize("language", OWN_SCRIPT)
def test_what_an_app_calls_an_input_is_not_what_we_call_it(language: str) -> None:
    """An input that had no name of its own has none in the file: what is shown tells which."""
    own = make_locales._words(language)
    shown = [each for app in APPS.values() for each in app]
    named = {own["texts"][each.label] for each in shown}
    labels = {own["labels"].get(each.widget) for each in shown}
    assert not named & labels


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_holds_a_sign_that_the_page_takes_for_a_placeholder(language: str) -> None:
    """The page reads them as message formats: braces are placeholders, a bar divides plurals, @ is
    a link to another message. One faulty text keeps a whole node from being drawn."""
    values: list[Any] = [read(language, "nodeDefs"), read(language, "main")]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            values += value.values()
        else:
            assert not set(value) & set("{}|@"), value
