"""The document's tables are those that the tests of the music hold to."""

from pathlib import Path

import pytest

from tools.docs.music_tables import DOCUMENT, REACHED, with_tables


def test_the_document_says_what_is_kept():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == with_tables(text, REACHED), "run python -m tools.docs.music_tables"
    assert "| a repaint's mask upside down |" in text


def test_a_document_without_a_place_for_a_table_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="end of figures"):
        with_tables("# The trained miniature\n", REACHED)
