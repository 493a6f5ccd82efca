"""The writing aids on Song, in the classic canvas and in Nodes 2.0."""

from tests.browser.conftest import Found

WIDGETS = [
    "caption",
    "lyrics",
    "seconds",
    "bpm",
    "key",
    "time_signature",
    "language",
    "instrumental",
    "wildcard_seed",
]
LYRICS = "[Verse]\nla la la\nlo lo"
CAPTION = "choir, jazz"
POLISHED = ["a calm choir, jazz", "[Verse 1]\nLa la la"]


def test_a_tag_is_put_at_the_cursor_and_one_writes_on_below_it(written: Found) -> None:
    assert written["tagged"] == "[Verse]\nla la la\n\n[Chorus]\nlo lo"
    assert written["typed"] == "[Verse]\nla la la\n\n[Chorus]\nhey lo lo"
    assert written["undone"] == LYRICS
    assert written["more"] == f"{LYRICS}\n\n[Outro]\n"


def test_words_are_counted_against_the_length_as_one_types(written: Found) -> None:
    assert written["counts"] == [
        "few · 8 words · 0.1/s",
        "fine · 60 words · 1.0/s",
        "too dense · 200 words · 3.3/s",
        "length automatic · 8 words",
    ]


def test_words_of_style_are_added_and_taken_away(written: Found) -> None:
    assert written["styled"]["lit"] == ["folk", "piano"]
    assert written["styled"]["captions"] == [
        "folk, Piano, choir",
        "folk, choir",
        "choir",
        "choir, jazz",
    ]
    assert written["menus"] == 0  # Escape closes it


def test_polishing_can_be_stopped(written: Found) -> None:
    assert written["stopped"] == [CAPTION, LYRICS]


def test_polishing_ends_with_its_song(written: Found) -> None:
    assert written["left"] == "execution_interrupted"


def test_the_song_is_polished_as_its_widgets_are(written: Found) -> None:
    nodes = {node["class_type"]: node["inputs"] for node in written["asked"].values()}
    assert nodes["AceStep15LoadLM"]["file"] == "qwen_1.7b_ace15.safetensors"
    song = nodes["AceStep15Song"]
    assert (song["caption"], song["lyrics"], song["seconds"]) == (CAPTION, LYRICS, 60)


def test_what_was_polished_can_be_brought_back(written: Found) -> None:
    assert written["polished"] == written["forth"] == POLISHED
    assert written["back"] == [CAPTION, LYRICS]
    assert written["undone_twice"] == [CAPTION, LYRICS]  # by Ctrl+Z
    first, then = written["steps"]
    assert then > first  # those that the page can undo


def test_the_aids_leave_nothing_in_the_workflow(written: Found) -> None:
    assert written["widgets"] == WIDGETS
    before, after = written["before"], written["saved"]
    texts = [CAPTION, LYRICS]
    assert after["widgets_values"] == [*texts, *before["widgets_values"][2:]]
    named = after.get("widgets_values_named")  # newer pages save them by name, too
    assert named is None or list(named.values()) == after["widgets_values"]
    values = ("widgets_values", "widgets_values_named")
    assert [key for key in before if before[key] != after[key] and key not in values] == []
    assert before.keys() == after.keys()
    assert list(written["sent"]) == WIDGETS
    assert list(written["sent"].values()) == after["widgets_values"]


def test_they_stand_on_a_subgraph_that_shows_the_texts(written: Found) -> None:
    promoted = written["promoted"]
    assert promoted["rows"] == 2
    assert promoted["sent"] == promoted["shown"]
    assert promoted["shown"].endswith("name the stars\n\n[Bridge]\n")
    assert promoted["count"] == "fine · 24 words · 0.4/s"


def test_they_stand_in_an_app(written: Found) -> None:
    app = written["app"]
    assert app["rows"] == 2
    assert app["sent"] == app["shown"]
    assert app["shown"].endswith("name the stars\n\n[Verse]\n")
    text, aids = app["heights"]
    assert text > 120  # pixels: one can still write there
    assert aids < 32


def test_nothing_broke_on_the_page(written: Found) -> None:
    assert written["problems"] == []
