"""`docs/api.md` is what the code says today."""

from tools.docs import api_words
from tools.docs.api_document import FILE, document


def test_the_page_is_current():
    page = FILE.read_text(encoding="utf-8")
    assert page == document(page), "run python -m tools.docs.api_document"


def test_no_word_is_kept_for_a_field_that_is_gone():
    page = FILE.read_text(encoding="utf-8")
    every = (api_words.PARAMS, api_words.CONFIG, api_words.RESULT, api_words.ARGUMENTS)
    gone = [name for words in every for name in words if f"| `{name}` |" not in page]
    assert gone == []
