"""What the miniature's language model is taught: replies that the library's grammar and parser
accept, batches that score replies alone, labels that fit the music."""

import random
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer

from ace_core.constants import FRAMES_PER_CODE
from ace_core.lm.functions import CodesOptions, compose_codes
from ace_core.lm.grammar import walk
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata, parse_reply
from ace_core.lm.metadata_grammar import MetadataGrammar
from ace_core.lm.plan import Plan
from ace_core.measure.key import key_number
from ace_core.models.qwen3 import Qwen3Config
from ace_core.types import Song as AskedSong
from ace_core.weights.load import load_lm
from tools.miniature.codes import design
from tools.miniature.language import examples, tokenizer
from tools.miniature.language.batches import LABELS, NOTHING, batch, group, labels, row
from tools.miniature.language.figures import roll_of, stems_of
from tools.miniature.language.network import LanguageNetwork, Layout
from tools.miniature.language.songs import request_of, song_of
from tools.miniature.language.train import features, known
from tools.miniature.trained import TRAINED
from tools.miniature.training.files import write_qwen3
from tools.miniature.world.channels import CRASH, FIRST_FRAME, KICK
from tools.miniature.world.piece import compose

SEEDS = range(700_000, 700_040)
TINY = Qwen3Config(
    vocab_size=0, hidden_size=16, intermediate_size=24, layers=2, heads=4, kv_heads=2, head_dim=8
)


def words():
    return Tokenizer.from_file(str(TRAINED / "language_model" / "tokenizer.json"))


@pytest.fixture(scope="module")
def vocabulary():
    return tokenizer.vocabulary(words())


@pytest.fixture(scope="module")
def grammar(vocabulary):
    return MetadataGrammar(vocabulary)


@pytest.fixture(scope="module")
def songs():
    return [song_of(request_of(seed)) for seed in SEEDS[:12]]


def network(vocabulary, seed=0):
    torch.manual_seed(seed)
    layout = Layout(vocabulary.codes.start, vocabulary.end)
    often = torch.cat((torch.arange(50), torch.tensor([design.CODES])))
    return LanguageNetwork(layout, features(), often, TINY)


def made(maker, seed):
    request = request_of(seed)
    return request, maker(request, random.Random(seed))


def test_the_tokenizer_has_a_token_for_every_code(vocabulary):
    assert len(vocabulary.codes) == design.CODES
    assert vocabulary.encode("\n<|audio_code_9359|>") == [vocabulary.newline, vocabulary.rows - 1]
    text = "Ünïcode 音\t♯ 120 bpm"
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_a_plan_is_a_path_through_the_grammar(vocabulary, grammar):
    for seed in SEEDS:
        request, parts = made(examples.planned, seed)
        block = parts[1].text
        assert parts[1].learnt
        skip = {"genres"} if "\ncaption:" in block else {"genres", "caption"}
        ids = vocabulary.encode(block.removesuffix("</think>"))
        assert walk(grammar.block(Metadata(), skip), ids) is None
        told = parse_reply(block).metadata
        assert told.seconds == request.seconds
        assert told.key is not None
        assert key_number(told.key) == request.tonic + 12 * (request.mode == "minor")
        assert told.time_signature == request.meter


@pytest.mark.parametrize("maker", [examples.created, examples.formatted, examples.understood])
def test_a_reply_is_a_path_through_the_grammar(vocabulary, grammar, maker):
    whole = 0
    for seed in SEEDS:
        request, parts = made(maker, seed)
        text = parts[-1].text
        if "genres:" not in text:  # one field alone, as codes are scored
            continue
        whole += 1
        assert walk(grammar.reply(Metadata()), vocabulary.encode(text)) is None
        reply = parse_reply(text)
        assert reply.lyrics == "[Instrumental]"
        assert not reply.warnings
        assert stems_of(reply.metadata.caption or "") == request.stems
    assert whole >= len(SEEDS) / 2


def test_prompts_are_read_and_replies_are_learnt(vocabulary, songs):
    for maker in examples.MAKERS:
        parts = maker(songs[0].request, random.Random(1))
        made_row = row(vocabulary, parts, songs[0])
        text = vocabulary.decode(made_row.ids)
        assert text.startswith("<|im_start|>system")
        assert not any(made_row.learnt[: text.count("\n") // 2])
        assert made_row.learnt[-1]
        assert made_row.ids[-1] == vocabulary.end


def test_a_batch_scores_the_next_token_and_nothing_behind_an_end(vocabulary, songs):
    choose = random.Random(2)
    rows = [row(vocabulary, examples.example(s.request, choose), s) for s in songs]
    made_batch = batch(vocabulary, rows)
    flat = made_batch.ids.flatten()
    start = vocabulary.codes.start
    wanted = sum(weight > 0 for each in rows for weight in each.learnt)
    assert len(made_batch.text_targets) + len(made_batch.code_targets) == wanted
    assert torch.equal(flat[made_batch.text_places + 1], made_batch.text_targets)
    follows = flat[made_batch.code_places + 1]
    ends = made_batch.code_targets == design.CODES
    assert torch.equal(follows[~ends] - start, made_batch.code_targets[~ends])
    assert (follows[ends] == vocabulary.end).all()


def test_labels_say_where_the_music_is(songs):
    for song in songs:
        request = song.request
        piece = compose(replace(request, stems=("drums",)))
        found = labels(request, len(song.codes))
        assert found.shape == (len(song.codes), len(LABELS))
        there = found[:, 0] != NOTHING
        for code, (phase, beat, *_) in enumerate(found.tolist()):
            first = FRAMES_PER_CODE * code
            if not there[code] or first < FIRST_FRAME:
                continue
            ahead = (request.beat_frames - phase) % request.beat_frames
            to_bar = (ahead + first - FIRST_FRAME) // request.beat_frames % request.beats_per_bar
            assert (first + ahead - FIRST_FRAME) % request.beat_frames == 0
            assert to_bar == (beat + (ahead > 0)) % request.beats_per_bar
        last = FIRST_FRAME + (len(piece.chords) - 1) * request.bar_frames
        assert piece.roll[last, [KICK, CRASH]].all()
        assert not there[
            last // FRAMES_PER_CODE + request.bar_frames // FRAMES_PER_CODE + 1 :
        ].any()


def test_a_draw_is_the_same_again(vocabulary, songs):
    first, second = (group(vocabulary, songs, 3, 1_000) for _ in range(2))
    other = group(vocabulary, songs, 4, 1_000)
    assert [each.ids.tolist() for each in first] == [each.ids.tolist() for each in second]
    assert [each.ids.tolist() for each in first] != [each.ids.tolist() for each in other]


def test_the_written_model_computes_what_the_taught_one_does(vocabulary, songs, tmp_path):
    taught = network(vocabulary).eval()
    ids = group(vocabulary, songs, 0, 500)[0].ids
    table = torch.cat((taught.text, taught.codes()))
    expected = taught.qwen(table[ids]) @ table.T
    write_qwen3(tmp_path, taught.written(), words())
    loaded = load_lm(tmp_path).float()
    found = loaded(loaded.embed(ids)) @ loaded.embed_tokens.weight.T
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)  # half precision
    again = network(vocabulary, seed=1)
    again.resume(loaded)
    torch.testing.assert_close(
        torch.cat((again.text, again.codes())), loaded.embed_tokens.weight, rtol=1e-4, atol=1e-5
    )
    assert known(again, group(vocabulary, songs, 0, 500)[:1]).startswith("held out: text")


def test_a_code_not_scored_costs_as_much_as_all_of_them_on_average(vocabulary, songs):
    """The sampled loss estimates the whole one."""
    model = network(vocabulary)
    each = group(vocabulary, songs, 1, 500)[0]
    with torch.no_grad():
        torch.manual_seed(0)
        sampled = torch.stack([model(each)["codes"] for _ in range(20)]).mean()
        model.eval()
        whole = model(each)["codes"]
    torch.testing.assert_close(sampled, whole, rtol=0.01, atol=0)


def test_an_untaught_model_writes_codes_of_the_codebook(vocabulary):
    lm = LanguageModel(network(vocabulary).written(), vocabulary.tokenizer)
    asked = AskedSong("a tune", bpm=90, key="C major", time_signature=4, seconds=10.0)
    (codes,) = compose_codes(lm, [Plan(asked, Metadata.of(asked))], CodesOptions((3,)))
    assert len(codes) == 50
    assert roll_of(codes).shape == (250, 64)
