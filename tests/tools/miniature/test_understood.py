"""What is understood of a caption, what is played instead, and what is refused."""

import pytest

from tools.miniature.world.understood import NotUnderstoodError, understand


def test_all_that_a_caption_says_is_found() -> None:
    found = understand("Calm  kalimba in D minor,\n90 bpm")
    assert (found.bpm, found.key, found.lively, found.stems) == (90, "D minor", False, ("synth",))
    assert found.words == ("Calm", "kalimba", "in D minor", "90 bpm")
    assert found.others == ()
    assert found.meter is None


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("organ, F# minor", "F# minor"),
        ("organ in the key of Bb major", "Bb major"),
        ("organ, A-flat major", "Ab major"),
        ("organ in c sharp Minor", "C# minor"),
        ("organ in E♭ major", "E♭ major"),
        ("a minor organ", "A minor"),
    ],
)
def test_keys_are_read_in_any_spelling(said: str, key: str) -> None:
    assert understand(said).key == key


@pytest.mark.parametrize(
    ("bpm", "played", "also"),
    [(125, 125, ""), (90, 88, "the nearest."), (200, 100, "1/2"), (40, 79, "2 times as fast")],
)
def test_a_tempo_that_the_world_lacks_is_said_and_not_changed_in_silence(
    bpm: int, played: int, also: str
) -> None:
    found = understand(f"drums, {bpm} BPM")
    assert found.world_bpm == played
    lines = list(found.lines())
    said = [line for line in lines if "no tempo of the miniature's world" in line]
    assert len(said) == (bpm != played)
    assert all(f"plays {played} BPM" in line and also in line for line in said)


def test_the_song_is_asked_for_in_the_tempo_that_is_played() -> None:
    found = understand("drums, tempo 90, kalimba").in_world()
    assert (found.caption, found.bpm) == ("drums, 88 bpm, kalimba", 88)
    same = understand("drums, 125 bpm")
    assert same.in_world() is same


def test_a_meter_decides_which_tempi_there_are() -> None:
    found = understand("organ, 6/8, 72 bpm")
    assert (found.meter, found.world_bpm) == (6, 71)
    assert understand("a waltz for organ").meter == 3


def test_words_that_say_nothing_are_named() -> None:
    found = understand('a song with "guitar", drums and $HOME')
    assert found.stems == ("drums",)
    assert found.others == ("guitar", "$HOME")
    assert "Not understood: guitar, $HOME. Its world" in "\n".join(found.lines())


@pytest.mark.parametrize(
    ("caption", "why"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("安静的钢琴", "reads English only"),
        ("123", "reads English only"),
        ("ruhiges Klavier", "understands nothing of 'ruhiges Klavier'"),
        ("x" * 600, "at most 512"),
        ("drums at 20 bpm", "choose 30 to 300"),
        ("drums 60 bpm or 90 bpm", "several tempi"),
        ("drums in C major, in D minor", "several keys"),
        ("calm and lively drums", "several moods"),
    ],
)
def test_what_cannot_be_played_is_refused_with_the_reason(caption: str, why: str) -> None:
    with pytest.raises(NotUnderstoodError) as refused:
        understand(caption)
    assert why in str(refused.value)
