"""The fields of a reply that follow its caption, against the official parser."""

import json
from typing import Any

import pytest

from ace_core.lm.metadata import NAMES, parse_reply
from tests.parity.checks import GOLDENS

REPLIES: dict[str, dict[str, Any]] = json.loads(
    (GOLDENS / "lm_fields.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", REPLIES)
def test_fields_around_a_caption_are_read_as_the_official_parser_reads_them(name):
    reply = parse_reply(REPLIES[name]["text"])
    given = {NAMES[field]: getattr(reply.metadata, field) for field in NAMES}
    made = {field: str(value) for field, value in given.items() if value is not None}
    assert made == {field: str(value) for field, value in REPLIES[name]["official"].items()}
    assert reply.warnings == ()
