"""Legal tokens as rows of the head."""

import torch

from ace_core.lm import masking
from ace_core.lm.grammar import Allowed
from ace_core.lm.masking import FEW, Masks, few, places
from ace_core.lm.metadata import Metadata, think_block


def test_a_mask_is_true_exactly_where_tokens_are_legal():
    masks = Masks(range(10, 20), "cpu")
    mask = masks.of([frozenset({10, 13, 19}), range(12, 14)])
    assert mask.tolist() == [
        [token in (10, 13, 19) for token in range(10, 20)],
        [token in (12, 13) for token in range(10, 20)],
    ]


def test_there_is_no_mask_where_everything_is_legal():
    masks = Masks(range(10, 20), "cpu")
    assert masks.of([range(10, 20), range(10, 20)]) is None
    assert masks.of([range(10, 20), range(10, 19)]).sum() == 19


def test_tokens_outside_the_head_have_no_place():
    assert places(frozenset({3, 12, 10, 40}), range(10, 20)).tolist() == [0, 2]


def test_a_mask_is_made_once():
    masks = Masks(range(5), "cpu")
    first, again = masks.of([frozenset({1})]), masks.of([frozenset({1})])
    assert torch.equal(first, again)
    assert len(masks._made) == 1


def test_few_tokens_are_those_worth_scoring_alone():
    assert few(range(FEW)) and not few(range(FEW + 1))


def test_two_plans_share_the_masks_of_their_large_sets(lm, monkeypatch):
    """A plan's masks are as wide as the vocabulary; a second plan makes none."""
    monkeypatch.setattr(masking, "FEW", 60)  # the test's vocabulary is small

    def plan() -> list[Allowed]:
        place, sets = lm.fields.reply(Metadata(), skip=("genres",)), []
        for token in lm.vocabulary.encode(f"{think_block(written)}la"):
            assert token in place.allowed
            sets += [] if few(place.allowed) else [place.allowed]
            place = place.after(token)
        return sets

    written = Metadata(80, "soft", 20, key="C major", language="en", time_signature=4)
    first, second = plan(), plan()
    assert len(first) == len(" soft\n") + len("la")
    assert all(a is b for a, b in zip(first, second, strict=True))
    assert lm.masks(range(9)) is lm.masks(range(9))
