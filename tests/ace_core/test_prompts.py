"""The texts the models were trained on, to the byte."""

from ace_core import prompts
from ace_core.types import Song

SONG = Song(
    "calm piano, rain",
    "[verse]\nhello",
    seconds=30.7,
    bpm=80,
    key="F# minor",
    time_signature=6,
    language="en",
)


def test_the_text_prompt_is_the_trained_template():
    assert prompts.text_prompt(SONG, prompts.TEXT_TO_MUSIC, SONG.seconds) == (
        "# Instruction\nFill the audio semantic mask based on the given conditions:\n\n"
        "# Caption\ncalm piano, rain\n\n"
        "# Metas\n- bpm: 80\n- timesignature: 6\n- keyscale: F# minor\n- duration: 30 seconds\n"
        "<|endoftext|>\n"
    )


def test_what_is_automatic_reads_as_not_given():
    assert prompts.metadata_lines(Song("x"), None) == (
        "- bpm: N/A\n- timesignature: N/A\n- keyscale: N/A\n- duration: 30 seconds\n"
    )


def test_the_lyric_prompt_keeps_lyrics_verbatim():
    assert prompts.lyric_prompt(SONG) == ("# Languages\nen\n\n# Lyric\n[verse]\nhello<|endoftext|>")
    assert prompts.lyric_prompt(Song("x", " a ")) == (
        "# Languages\nunknown\n\n# Lyric\n a <|endoftext|>"
    )


def test_a_colon_is_added_to_an_instruction_only_where_it_lacks():
    for written in ("Do it", "Do it:"):
        assert prompts.text_prompt(SONG, written, 1.0).startswith("# Instruction\nDo it:\n\n#")


def test_track_instructions_name_tracks_in_capitals():
    assert (
        prompts.extract_instruction("backing_vocals")
        == "Extract the BACKING_VOCALS track from the audio:"
    )
    assert (
        prompts.lego_instruction("guitar")
        == "Generate the GUITAR track based on the audio context:"
    )
    assert (
        prompts.complete_instruction(("drums", "bass"))
        == "Complete the input track with DRUMS | BASS:"
    )
