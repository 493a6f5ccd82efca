"""The trained miniature's language model in a real ComfyUI: its codebook is smaller than the
published one, and lies in an official folder."""

from typing import Any

import pytest

from tools.hosts.pack import Pack
from tools.miniature.codes.design import CODES
from tools.miniature.trained import TRAINED


@pytest.fixture(scope="module")
def lm(pack: Pack) -> Any:
    return pack.submodule("nodes.host").load_language_model(TRAINED / "language_model", "fp32")


def test_its_codes_are_those_of_its_codebook(pack: Pack, lm: Any) -> None:
    functions = pack.submodule("ace_core.lm.functions")
    asked = pack.submodule("ace_core.types").Song("calm kalimba in D minor, 88 bpm", seconds=10.0)
    plan = functions.think(lm, asked)
    assert plan.metadata.bpm == 88
    assert len(lm.vocabulary.codes) == CODES
    options = functions.CodesOptions(seeds=(1, 2))  # guided
    pieces = functions.compose_codes(lm, [plan] * 2, options)
    assert [len(piece) for piece in pieces] == [50, 50]
    assert max(code for piece in pieces for code in piece.values) < CODES
    assert pieces[0] != pieces[1]
    told = functions.understand(lm, pieces[0])
    assert not told.reply.warnings


def test_codes_of_the_published_models_are_refused(pack: Pack, lm: Any) -> None:
    codes = pack.submodule("ace_core.types").AudioCodes((3, 63_999))
    with pytest.raises(Exception, match="Code 63999 is of another model"):
        pack.submodule("ace_core.lm.functions").understand(lm, codes)
