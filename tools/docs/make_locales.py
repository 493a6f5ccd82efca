"""Write `locales/` and `web/words/`: what ComfyUI's page shows of our nodes and in our workflows.

The languages are English, Chinese and Japanese; workflows are written in English.

`python -m tools.docs.make_locales` writes; `--check` fails when a file is not what the schemas and
the phrases give; `--missing` prints what has no translation, as JSON to fill in and to merge into
`tools/phrases/zh.json` and `ja.json`, those of workflows to the files of the same names in
`tools/phrases/workflows`; `--unused` names phrases that nothing uses any more.

A phrase is kept under its English words, so a changed English sentence has no translation until
somebody writes one. Where one word means two things, a key that is a place in the JSON wins, such
as `AceStep15Guidance.inputs.start.name`.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.docs import workflow_words
from tools.hosts.checkout import ROOT
from tools.hosts.pack import pack_on_standin
from tools.workflows.graph import STOCK_TITLES

LOCALES, PHRASES = ROOT / "locales", ROOT / "tools" / "phrases"
TRANSLATED = ("zh", "ja")
UNSAID = ("audioUI",)  # the page's own player
TITLE = "ACE-Step 1.5"  # of the workflows in the list of templates, in every language
Phrases = Mapping[str, str]


@dataclass(frozen=True)
class Saying:
    """One string on the page: where its JSON stands, and its English."""

    place: tuple[str, ...]  # ("AceStep15Song", "inputs", "bpm", "tooltip")
    english: str

    @property
    def path(self) -> str:
        return ".".join(self.place)


def sayings(classes: Mapping[str, Any]) -> Iterator[Saying]:
    """All that our nodes say, in the order of the schemas."""
    for node, node_class in classes.items():
        schema = node_class.GET_SCHEMA()
        yield Saying((node, "display_name"), schema.display_name)
        yield Saying((node, "description"), schema.description)
        for path, shown in _inputs(schema):
            slot = (node, "inputs", path.replace(".", "_"))  # as the page spells a nested one
            yield Saying((*slot, "name"), shown.display_name or shown.id)
            yield Saying((*slot, "tooltip"), shown.tooltip)
        for place, shown in enumerate(schema.outputs):
            slot = (node, "outputs", str(place))
            yield Saying((*slot, "name"), shown.display_name or shown.io_type)
            yield Saying((*slot, "tooltip"), shown.tooltip)


def _inputs(schema: Any) -> Iterator[tuple[str, Any]]:
    """(name as a prompt spells it, input), once each; nested ones have their parent's name."""
    told: set[str] = set()
    for outer in schema.inputs:
        for each in outer.get_all():
            path = each.id if each is outer else f"{outer.id}.{each.id}"
            if path not in told and each.id not in UNSAID:
                told.add(path)
                yield path, each


def categories(classes: Mapping[str, Any]) -> list[str]:
    """The folders of the node library that are ours."""
    paths = {node_class.GET_SCHEMA().category for node_class in classes.values()}
    return sorted({part for path in paths for part in path.split("/")[2:]})


def folders() -> list[str]:
    """What the pack's folder is called: by the registry, in a clone and in an unpacked archive."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = [
        re.search(pattern, project, re.MULTILINE)
        for pattern in (r'^name = "(.+)"$', r'^Repository = ".+/(.+)"$')
    ]
    name, clone = [match[1] for match in found if match]
    return [name, clone, f"{clone}-main"]


def phrases(language: str) -> dict[str, str]:
    return json.loads((PHRASES / f"{language}.json").read_text(encoding="utf-8"))


def translated(saying: Saying, known: Phrases) -> str | None:
    return known.get(saying.path, known.get(saying.english))


def missing(classes: Mapping[str, Any]) -> dict[str, list[str]]:
    """By language, the English that has no translation, once each."""
    spoken = [*sayings(classes), *(Saying((name,), name) for name in categories(classes))]
    found: dict[str, list[str]] = {}
    for language in TRANSLATED:
        known = phrases(language)
        texts = [each.english for each in spoken if not translated(each, known)]
        if texts:
            found[language] = list(dict.fromkeys(texts))
    return found


def missing_in_workflows(texts: Sequence[str], labels: Sequence[str]) -> dict[str, list[str]]:
    """By language, those of the texts and labels of workflows that have no translation."""
    found: dict[str, list[str]] = {}
    for language in TRANSLATED:
        known = workflow_words.phrases(language)
        names = phrases(language)
        translated = workflow_words.translated
        left = [text for text in texts if not translated(text, known, names)]
        left += [name for name in labels if not names.get(name)]
        if left:
            found[language] = left
    return found


def unused_in_workflows() -> dict[str, list[str]]:
    """By language, the phrases that no workflow says."""
    said = set(workflow_words.texts())
    found = {lang: sorted(set(workflow_words.phrases(lang)) - said) for lang in TRANSLATED}
    return {language: left for language, left in found.items() if left}


def unused(classes: Mapping[str, Any]) -> dict[str, list[str]]:
    """By language, the phrases that no node says."""
    said = {each.english for each in sayings(classes)} | set(categories(classes))
    said |= {each.path for each in sayings(classes)}
    found = {language: sorted(set(phrases(language)) - said) for language in TRANSLATED}
    return {language: left for language, left in found.items() if left}


def written(classes: Mapping[str, Any]) -> dict[Path, str]:
    """What each file should hold."""
    files: dict[Path, str] = {}
    titles = dict.fromkeys(folders(), TITLE)
    for language in ("en", *TRANSLATED):
        known = phrases(language) if language in TRANSLATED else {}
        nodes: dict[str, Any] = {}
        for saying in sayings(classes):
            text = translated(saying, known) or saying.english
            _put(nodes, saying.place, text)
        names = {name: known.get(name, name) for name in categories(classes)}
        files[LOCALES / language / "nodeDefs.json"] = _json(nodes)
        files[LOCALES / language / "main.json"] = _json(
            {"nodeCategories": names, "templateWorkflows": {"category": titles}}
        )
    for language in TRANSLATED:
        files[workflow_words.WORDS / f"{language}.json"] = _json(_words(language))
    return files


def _words(language: str) -> dict[str, Mapping[str, str]]:
    """What `web/workflow_words.js` reads."""
    known, names = workflow_words.phrases(language), phrases(language)
    return {
        "texts": {
            text: workflow_words.translated(text, known, names) or text
            for text in workflow_words.texts()
        },
        "stock": STOCK_TITLES,
        "labels": {name: names.get(name, name) for name in workflow_words.labels()},
    }


def outdated(classes: Mapping[str, Any]) -> list[Path]:
    """The files that are missing or hold something else."""
    return [
        path
        for path, text in written(classes).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def advice(found: Mapping[str, list[str]], folder: str = "tools/phrases") -> str:
    """What to write where, for each missing translation."""
    lines = [
        f'{folder}/{language}.json: add {json.dumps(text, ensure_ascii=False)}: "…"'
        for language, texts in found.items()
        for text in texts
    ]
    return "\n".join([*lines, "then run python -m tools.docs.make_locales"])


def main() -> None:
    with pack_on_standin() as pack:
        classes = pack.nodes
    if "--missing" in sys.argv:
        for found in (missing(classes), missing_in_workflows(*workflow_words.words())):
            blank = {lang: dict.fromkeys(texts, "") for lang, texts in found.items()}
            print(_json(blank), end="")
    elif "--unused" in sys.argv:
        print(_json(unused(classes)), _json(unused_in_workflows()), sep="", end="")
    elif "--check" in sys.argv:
        if found := missing(classes):
            sys.exit(advice(found))
        if found := missing_in_workflows(*workflow_words.words()):
            sys.exit(advice(found, "tools/phrases/workflows"))
        if stale := outdated(classes):
            names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            sys.exit(f"Run python -m tools.docs.make_locales: {names}")
    else:
        for path, text in written(classes).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


def _put(nodes: dict[str, Any], place: tuple[str, ...], text: str) -> None:
    *path, last = place
    for step in path:
        nodes = nodes.setdefault(step, {})
    nodes[last] = text


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
