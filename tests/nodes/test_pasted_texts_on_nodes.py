"""Texts as they are pasted into nodes: cleaned, offered as tags, and said on the node."""

from pathlib import Path

import pytest

from tests.nodes.lm_prompts import TEXT, Run, create, node, runner, song, value
from tools.hosts.pack import Pack

pytestmark = pytest.mark.usefixtures("brief")


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path) -> Run:
    return runner(pack)


@pytest.fixture
def sent(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    host = pack.submodule("nodes.host")
    monkeypatch.setattr(host, "send_text", lambda text, hidden: texts.append(text))
    return texts


def test_the_song_node_cleans_its_texts_and_says_so(run: Run, sent: list[str]) -> None:
    given = song(caption="rock &amp; roll", lyrics="\ufeff[Instrumental]\r\n")
    found = value(run("song", song=given), "song")
    assert (found.caption, found.lyrics) == ("rock & roll", "[Instrumental]\n")
    assert found.instrumental
    assert "`caption` was cleaned: 1 HTML entity." in sent[0]
    assert "`lyrics` was cleaned: 1 line end of another system, 1 byte-order mark." in sent[0]


def test_the_song_node_offers_section_tags_and_changes_none(run: Run, sent: list[str]) -> None:
    lyrics = "Verse 1:\nla\n**Bridge**\nna"
    assert value(run("song", song=song(lyrics=lyrics)), "song").lyrics == lyrics
    assert "line 1 as [Verse 1], line 3 as [Bridge]" in sent[0]


def test_format_sample_offers_section_tags_in_its_report(run: Run) -> None:
    draft = song(lyrics="(Chorus)\nla")
    better = node("FormatSample", lm=["lm", 0], song=["song", 0], **TEXT | {"seed": 5})
    report = value(run("better", 1, song=draft, better=better), "better", 1)
    assert report.startswith("`lyrics` names sections")
    assert "line 1 as [Chorus]" in report.splitlines()[0]


def test_create_sample_cleans_its_query(run: Run) -> None:
    clean, pasted = (
        [value(run("made", 1, made=create(query=query)), "made", slot) for slot in (0, 1)]
        for query in ("rain song", "rain\u00a0song")
    )
    assert clean[0] == pasted[0]
    assert pasted[1] == f"`query` was cleaned: 1 no-break space.\n{clean[1]}"
