"""Each task's instruction, source, mask and length, and what it refuses."""

from dataclasses import replace

import pytest
import torch

from ace_core import prompts
from ace_core.conditioning import tasks
from ace_core.conditioning.context import context, encode_conditions, silence_frames
from ace_core.conditioning.text import TextEncoder
from ace_core.errors import InvalidRequestError
from ace_core.models.ops import Ops
from ace_core.task import Length, source_length
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Song
from ace_core.weights import load_dit, load_text_encoder

SONG = Song("calm piano", "[verse]\nhello", seconds=12.0, bpm=90)
FLOAT32 = Ops(dtype=torch.float32)
LENGTH = Length(203, 8.12)


@pytest.fixture(scope="module")
def encoder(checkpoints) -> TextEncoder:
    folder = checkpoints.text_encoder
    return TextEncoder(load_tokenizer(folder), load_text_encoder(folder, FLOAT32))


@pytest.fixture(scope="module")
def loaded(checkpoints):
    return load_dit(checkpoints.base, FLOAT32)


@pytest.fixture(scope="module")
def silence(loaded) -> torch.Tensor:
    return loaded.silence.float()


@pytest.fixture
def latents() -> torch.Tensor:
    return torch.randn(1, 203, 64, generator=torch.Generator().manual_seed(1))


def encoded_text(
    encoder: TextEncoder, song: Song, instruction: str, seconds: float
) -> torch.Tensor:
    return encoder.states(prompts.text_prompt(song, instruction, seconds))


def test_text_to_music_plays_everywhere_over_silence(encoder, loaded, silence):
    item = tasks.text_to_music(SONG, encoder)
    assert item.frames == 300
    assert torch.equal(item.text, encoded_text(encoder, SONG, prompts.TEXT_TO_MUSIC, 12.0))
    inputs = context(loaded.model, item, silence)
    assert torch.equal(inputs[..., :64], silence[:, :300])
    assert torch.equal(inputs[..., 64:], torch.ones(1, 300, 64))


def test_codes_set_the_length_and_make_it_a_cover(encoder, loaded, silence):
    codes = AudioCodes(tuple(range(100, 140)))
    item = tasks.text_to_music(SONG, encoder, codes)
    assert item.frames == 200
    assert torch.equal(item.text, encoded_text(encoder, SONG, prompts.COVER, 8.0))
    assert "length of 12 seconds is not used: the codes play 8." in item.warnings[0]
    inputs = context(loaded.model, item, silence)
    hints = loaded.model.hints(torch.tensor([codes.values]))
    torch.testing.assert_close(inputs[..., :64], hints)


@pytest.mark.parametrize("seconds", [None, 12.0, 12.19])
def test_codes_that_were_composed_for_the_length_of_the_song_say_nothing(encoder, seconds):
    codes = AudioCodes(tuple(range(60)))
    assert tasks.text_to_music(replace(SONG, seconds=seconds), encoder, codes).warnings == ()


def test_few_codes_are_filled_with_silence_to_the_shortest_canvas(encoder, loaded, silence):
    item = tasks.text_to_music(replace(SONG, seconds=None), encoder, AudioCodes((1, 2, 3)))
    assert item.frames == 128
    assert torch.equal(item.text, encoded_text(encoder, SONG, prompts.COVER, 0.6))
    inputs = context(loaded.model, item, silence)
    assert torch.equal(inputs[:, 15:, :64], silence[:, : 128 - 15])


def test_blank_lyrics_become_the_trained_word_for_nobody_sings(encoder):
    blank = tasks.text_to_music(replace(SONG, lyrics=" "), encoder)
    named = tasks.text_to_music(replace(SONG, lyrics="[Instrumental]"), encoder)
    assert torch.equal(blank.lyrics, named.lyrics)


def test_neither_caption_nor_lyrics_is_refused(encoder):
    with pytest.raises(InvalidRequestError, match="both empty"):
        tasks.text_to_music(Song("  ", "", seconds=10.0), encoder)


def test_neither_length_nor_codes_is_refused(encoder):
    with pytest.raises(InvalidRequestError, match="no length"):
        tasks.text_to_music(replace(SONG, seconds=None), encoder)


def test_a_cover_hears_its_source_through_the_codes(encoder, loaded, silence, latents):
    item = replace(tasks.cover(SONG, encoder, LENGTH), source=latents)
    assert torch.equal(item.text, encoded_text(encoder, SONG, prompts.COVER, 8.12))
    model = loaded.model
    padded = torch.cat([latents, silence[:, :2]], dim=1)  # to a multiple of five
    expected = model.hints(model.tokenizer(padded))[:, :203]
    torch.testing.assert_close(context(model, item, silence)[..., :64], expected)


def test_a_remix_keeps_the_raw_source(encoder, loaded, silence, latents):
    item = replace(tasks.cover(SONG, encoder, LENGTH, quantize=False), source=latents)
    assert torch.equal(context(loaded.model, item, silence)[..., :64], latents)


def test_a_repaint_gets_silence_inside_the_region_and_the_source_outside(
    encoder, loaded, silence, latents
):
    mask = torch.zeros(1, 203, 1)
    mask[:, 50:80] = 1
    item = replace(tasks.repaint(SONG, encoder, LENGTH, mask), source=latents)
    assert torch.equal(item.text, encoded_text(encoder, SONG, prompts.REPAINT, 8.12))
    inputs = context(loaded.model, item, silence)
    assert torch.equal(inputs[:, 50:80, :64], silence[:, 50:80])
    assert torch.equal(inputs[:, :50, :64], latents[:, :50])
    assert torch.equal(inputs[:, 80:, :64], latents[:, 80:])
    assert torch.equal(inputs[..., 64:], mask.expand(-1, -1, 64))


def test_lego_gets_the_whole_source_inside_its_region_too(encoder, loaded, silence, latents):
    mask = torch.zeros(1, 203, 1)
    mask[:, 50:80] = 1
    item = replace(tasks.lego(SONG, encoder, LENGTH, "guitar", mask), source=latents)
    assert torch.equal(
        item.text, encoded_text(encoder, SONG, prompts.lego_instruction("guitar"), 8.12)
    )
    inputs = context(loaded.model, item, silence)
    assert torch.equal(inputs[..., :64], latents)
    assert torch.equal(inputs[..., 64:], mask.expand(-1, -1, 64))


def test_extract_equals_complete_with_the_same_instruction(encoder, loaded, silence, latents):
    instruction = prompts.extract_instruction("drums")
    extract = replace(tasks.extract(SONG, encoder, LENGTH, "drums"), source=latents)
    complete = replace(
        tasks.complete(SONG, encoder, LENGTH, ("bass",), instruction=instruction), source=latents
    )
    assert torch.equal(extract.text, complete.text)
    model = loaded.model
    assert torch.equal(context(model, extract, silence), context(model, complete, silence))


def test_complete_names_every_track(encoder, latents):
    item = tasks.complete(SONG, encoder, LENGTH, ("drums", "backing_vocals"))
    instruction = "Complete the input track with DRUMS | BACKING_VOCALS:"
    assert torch.equal(item.text, encoded_text(encoder, SONG, instruction, 8.12))


def test_a_task_without_source_keeps_the_lyrics(encoder, loaded, silence, latents):
    item = replace(tasks.cover(SONG, encoder, LENGTH), source=latents)
    plain = tasks.with_cover_strength(item, 0.5, SONG, encoder, 8.12).without_source()
    assert plain is not None
    assert torch.equal(plain.text, encoded_text(encoder, SONG, prompts.TEXT_TO_MUSIC, 8.12))
    assert plain.lyrics is item.lyrics
    assert torch.equal(context(loaded.model, plain, silence)[..., :64], silence[:, :203])


@pytest.mark.parametrize("track", ["voice", "", "DRUMS"])
def test_an_unknown_track_is_refused_with_the_known_ones(encoder, latents, track):
    with pytest.raises(InvalidRequestError, match="Choose one of vocals"):
        tasks.extract(SONG, encoder, LENGTH, track)


def test_completing_with_no_track_is_refused(encoder, latents):
    with pytest.raises(InvalidRequestError, match="at least one track"):
        tasks.complete(SONG, encoder, LENGTH, ())


def test_a_mask_of_another_length_is_refused_with_both_lengths(encoder, latents):
    with pytest.raises(InvalidRequestError, match=r"\(1, 200, 1\).*203"):
        tasks.repaint(SONG, encoder, LENGTH, torch.ones(1, 200, 1))


def test_without_a_reference_the_timbre_is_thirty_seconds_of_silence(encoder, loaded, silence):
    item = tasks.text_to_music(SONG, encoder)
    given = replace(item, timbre=silence[:, :750])
    model = loaded.model
    assert torch.equal(
        encode_conditions(model, item, silence), encode_conditions(model, given, silence)
    )
    other = replace(item, timbre=torch.randn(2, 750, 64))
    assert (
        encode_conditions(model, other, silence).shape[1]
        == encode_conditions(model, item, silence).shape[1] + 1
    )


def test_a_silence_shorter_than_asked_is_repeated_from_its_start():
    short = torch.arange(4.0).reshape(1, 4, 1)
    assert silence_frames(short, 6).flatten().tolist() == [0, 1, 2, 3, 0, 1]
    assert silence_frames(short, 3).flatten().tolist() == [0, 1, 2]


def test_two_tempi_differ_under_a_long_caption(encoder):
    """The tempo stands behind the caption in the prompt."""
    slow, fast = (
        tasks.text_to_music(replace(SONG, caption="calm piano " * 60, bpm=bpm), encoder)
        for bpm in (95, 200)
    )
    assert not torch.equal(slow.text, fast.text)
    assert "of the caption" in slow.warnings[0]
    assert tasks.text_to_music(SONG, encoder).warnings == ()


def test_lyrics_beyond_the_model_are_told_by_the_task(encoder):
    task = tasks.text_to_music(replace(SONG, lyrics="la la " * 800), encoder)
    assert "of the lyrics" in task.warnings[0]


def test_a_repaint_of_the_whole_song_is_warned_of(encoder):
    mask = torch.zeros(1, 128, 1)
    mask[:, :39] = 1  # of a song of 39 frames on the shortest canvas
    (warning,) = tasks.repaint(SONG, encoder, source_length(39, 1.56), mask).warnings
    assert "whole song" in warning
    mask[:, 38] = 0
    assert tasks.repaint(SONG, encoder, source_length(39, 1.56), mask).warnings == ()
