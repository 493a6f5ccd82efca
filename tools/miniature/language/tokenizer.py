"""The language model's tokenizer: a BPE of its prompts and replies, and a token for each code."""

import json
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from ace_core.lm.vocabulary import Vocabulary, code_token
from ace_core.tokens import FolderTokenizer
from tools.miniature.codes.design import CODES
from tools.miniature.text.bpe import train_bpe
from tools.miniature.tokenizer import SPECIAL

from .examples import texts
from .songs import request_of

WORDS: Final = 680  # tokens of text without the special ones
SAMPLE: Final = range(500_000, 501_500)  # seeds whose texts the words are learnt from


def build() -> Tokenizer:
    """Codes are entries of the vocabulary, not added tokens: a quarter of a megabyte instead of
    one and a half. `Vocabulary` finds them in a text by their form."""
    content = json.loads(train_bpe(texts([request_of(seed) for seed in SAMPLE]), WORDS).to_str())
    vocabulary = content["model"]["vocab"]
    for name in (*SPECIAL, *(code_token(code) for code in range(CODES))):
        vocabulary[name] = len(vocabulary)
    return Tokenizer.from_str(json.dumps(content))


def vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    """That of a model with a row for each token."""
    return Vocabulary(
        FolderTokenizer(tokenizer, Path("tokenizer.json")), tokenizer.get_vocab_size()
    )
