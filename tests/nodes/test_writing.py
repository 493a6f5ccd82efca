"""The writing aids of the page: what they make of texts, and the prompt that polishes a song."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.nodes.lm_prompts import LM_FILE, SONG, TEXT
from tools.hosts.checkout import ROOT
from tools.hosts.pack import Pack

WRITING = ROOT / "web" / "writing"
LANGUAGES = ("en", "zh", "ja")

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no node on the PATH")


def evaluated(file: str, expression: str, *given: Any) -> Any:
    """What `expression` with `given` comes to in the module `file`, without its imports."""
    lines = (WRITING / file).read_text(encoding="utf-8").splitlines()
    source = "\n".join(line for line in lines if not line.startswith("import "))
    script = f"{source}\nconst given = {json.dumps(given)};\n"
    script += f"process.stdout.write(JSON.stringify({expression}));"
    command = ["node", "--input-type=module", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def tagged(text: str, tag: str = "Chorus") -> str:
    """`text` with a tag at the bar, and the bar where the cursor is then."""
    place = text.index("|")
    plain = text.replace("|", "")
    edit = evaluated("sections.js", "tagged(...given)", plain, place, tag)
    return f"{plain[: edit['from']]}{edit['put']}|{plain[edit['to'] :]}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("|", "[Chorus]\n|"),
        ("|la", "[Chorus]\n|la"),
        ("la|", "la\n\n[Chorus]\n|"),
        ("la |lo", "la\n\n[Chorus]\n|lo"),
        ("la|\nlo", "la\n\n[Chorus]\n|lo"),
        ("la\n|lo", "la\n\n[Chorus]\n|lo"),
        ("la\n\n|lo", "la\n\n[Chorus]\n|lo"),
        ("la\n\n|\nlo", "la\n\n[Chorus]\n|lo"),
        ("[Ver|se]\nla", "[Verse]\n\n[Chorus]\n|la"),  # a tag is not torn apart
        ("  |", "  [Chorus]\n|"),
    ],
)
def test_a_tag_gets_a_line_of_its_own_below_a_blank_one(before: str, after: str) -> None:
    assert tagged(before) == after.replace("  [", "[")


def test_the_tags_are_sections_that_the_pack_knows(pack: Pack) -> None:
    known = pack.submodule("ace_core.section_tags").SECTIONS
    tags = evaluated("sections.js", "TAGS")
    assert len(set(tags)) == len(tags) > 10
    assert [tag for tag in tags if tag.lower() not in known] == []


@pytest.mark.parametrize(
    ("lyrics", "words", "syllables", "characters"),
    [
        ("", 0, 0, False),
        ("[Verse 1]\n[Outro - soft]", 0, 0, False),
        ("[Verse]\nlittle table late eye", 4, 6, False),
        ("Don't stop (stop)", 3, 3, False),
        ("Grüße über allem", 3, 6, False),
        ("{la|na na} {lo|{le|lu}}", 2, 2, False),  # a wildcard is sung once
        ("我站在窗前，\n看着外面世界", 11, 11, True),
        ("きょうは がっこう", 6, 6, True),
        ("사랑해 널", 4, 4, True),
        ("ночь длинна", 2, 3, False),
    ],
)
def test_what_is_sung_is_counted(lyrics: str, words: int, syllables: int, characters: bool) -> None:
    found = evaluated("density.js", "counted(...given)", lyrics)
    assert found == {"words": words, "syllables": syllables, "characters": characters}


@pytest.mark.parametrize(
    ("syllables", "said"), [(29, "sparse"), (30, "fine"), (150, "fine"), (151, "dense")]
)
def test_it_is_judged_by_the_length(syllables: int, said: str) -> None:
    assert evaluated("density.js", "judged(...given)", syllables, 60) == said


@pytest.mark.parametrize(
    ("caption", "word", "changed"),
    [
        ("", "piano", "piano"),
        ("soft pop", "piano", "soft pop, piano"),
        ("soft pop, ", "piano", "soft pop, piano"),
        ("A soft song.", "piano", "A soft song. piano"),
        ("pop, Piano , choir", "piano", "pop, choir"),
        ("piano", "piano", ""),
        ("piano, pop", "piano", "pop"),
        ("pop, piano", "piano", "pop"),
        ("A soft song. piano", "piano", "A soft song."),
        ("A soft song. piano, choir", "piano", "A soft song. choir"),
        ("piano, pop, piano", "piano", "pop"),  # all of them
        ("soft piano, pop", "piano", "soft piano, pop, piano"),  # within another is another
        ("钢琴，piano，合唱", "piano", "钢琴，合唱"),
    ],
)
def test_a_word_of_style_is_added_once_or_taken_away(caption: str, word: str, changed: str) -> None:
    assert evaluated("styles.js", "toggled(...given)", caption, word) == changed


def test_no_word_of_style_is_offered_twice() -> None:
    words = evaluated("styles.js", "Object.values(STYLES).flat()")
    assert len(set(words)) == len(words)
    assert (
        evaluated("styles.js", 'given[0].filter((each) => !holds("x, " + each, each))', words) == []
    )


@pytest.mark.parametrize(
    ("before", "after", "edit"),
    [
        ("", "", (0, 0, "")),
        ("a, b", "a, b, c", (4, 4, ", c")),
        ("a, b, c", "a, c", (3, 6, "")),
        ("aa", "aaa", (2, 2, "a")),
        ("old", "new", (0, 3, "new")),
    ],
)
def test_a_change_takes_no_more_than_it_must(
    before: str, after: str, edit: tuple[int, int, str]
) -> None:
    found = evaluated("difference.js", "difference(...given)", before, after)
    assert (found["from"], found["to"], found["put"]) == edit


def test_every_language_has_every_message_with_the_same_values() -> None:
    messages = evaluated("messages.js", "MESSAGES")
    assert tuple(messages) == LANGUAGES
    braces = {
        language: {
            name: sorted(part.split("}")[0] for part in text.split("{")[1:])
            for name, text in own.items()
        }
        for language, own in messages.items()
    }
    assert braces["zh"] == braces["ja"] == braces["en"]


def test_every_word_of_style_says_what_it_means() -> None:
    words = evaluated("styles.js", "Object.values(STYLES).flat()")
    meanings = evaluated("messages.js", "MEANINGS")
    for language in LANGUAGES[1:]:
        assert list(meanings[language]) == words
    assert meanings["en"] == {}  # the words themselves


def test_a_language_model_is_chosen_among_text_encoders() -> None:
    encoders = ["clip_l.safetensors", "qwen_0.6b_ace15.safetensors", "t5xxl.safetensors"]
    choose = "modelAmong(...given) ?? null"
    assert evaluated("polish_prompt.js", choose, encoders) is None
    lm = "qwen_1.7b_ace15.safetensors"
    assert evaluated("polish_prompt.js", choose, [*encoders, "qwen_4b_ace15.safetensors", lm]) == lm
    other = "acestep-5Hz-lm-0.6B/model.safetensors"
    assert evaluated("polish_prompt.js", choose, [*encoders, other]) == other


def test_settings_are_those_of_the_workflow_else_of_a_new_node() -> None:
    inputs = {
        "required": {
            "file": ["COMBO", {"options": ["a", "qwen_1.7b_ace15.safetensors"]}],
            "dtype": [["auto", "bf16"], {}],
            "lm": ["ACE_LM", {}],
        },
        "optional": {"cuda_graphs": ["BOOLEAN", {"default": False}]},
    }
    kind = {"nodeData": {"input": inputs}}
    fresh = evaluated("polish_prompt.js", "settingsOf(...given)", kind, [])
    assert fresh == {"file": "qwen_1.7b_ace15.safetensors", "dtype": "auto", "cuda_graphs": False}
    node = {"widgets": [{"name": "file", "value": "own"}, {"name": "upload", "value": "button"}]}
    mine = evaluated("polish_prompt.js", "settingsOf(...given)", kind, [node])
    assert mine == {**fresh, "file": "own"}


def test_the_prompt_that_polishes_sends_caption_and_lyrics(
    pack: Pack, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a language model that is loaded and does not write, which would take minutes."""
    del models  # they are there
    core = pack.submodule("ace_core.lm.functions")
    metadata = pack.submodule("ace_core.lm.metadata")

    def polished(_: Any, draft: Any, options: Any) -> Any:
        assert options.seed == 5
        better = replace(draft, caption=f"{draft.caption}, choir", lyrics="[Verse 1]\nLa")
        reply = metadata.Reply(metadata.Metadata.of(better), better.lyrics)
        return pack.submodule("ace_core.lm.plan").Sample(better, reply, "")

    monkeypatch.setattr(core, "format_sample", polished)
    lm = {"file": LM_FILE, "dtype": "fp32"}
    inputs = {"lm": lm, "song": SONG, "format": TEXT | {"seed": 5}}
    prompt = evaluated("polish_prompt.js", "polishPrompt(...given)", "p", inputs)
    outcome = pack.host.run(prompt)
    assert outcome.complete, outcome.why()
    assert list(outcome.ui["p-caption"]["text"]) == ["calm piano, choir"]
    assert list(outcome.ui["p-lyrics"]["text"]) == ["[Verse 1]\nLa"]


@pytest.mark.parametrize(
    ("stops", "written"), [(True, []), (False, [{"caption": "polished"}])], ids=["stopped", "not"]
)
def test_texts_that_come_after_stop_are_not_written(
    stops: bool, written: list[dict[str, str]]
) -> None:
    script = """await (async (polish, written, [stops]) => {
        polish.write = (texts) => written.push(texts);
        polish.ask = async () => {
            if (stops) polish.stop();
            return { caption: "polished" };
        };
        await polish.run();
        return { written, runs: polish.runs };
    })(new Polish({}), [], given)"""
    assert evaluated("polish.js", script, stops) == {"written": written, "runs": False}
