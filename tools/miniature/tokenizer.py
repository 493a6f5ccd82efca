"""Write a tokenizer of a few hundred tokens for miniature checkpoints.

It is a real `tokenizer.json`: byte-level, without merges, with the special tokens of the published
one. Every text is one token per byte, so any text can be written and read back.
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
AUDIO_CODES = 65_535  # as in the published language models, of which 64,000 can be decoded
NO_MERGE: list[tuple[str, str]] = []


def build_tokenizer(audio_codes: int = 0) -> Tokenizer:
    """256 byte tokens, the special ones, then `<|audio_code_0|>` and its followers if asked.

    Without audio codes it is the text encoder's, which appends an end token, as published.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(
        BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=NO_MERGE)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = [*SPECIAL, *(f"<|audio_code_{code}|>" for code in range(audio_codes))]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in names])
    if not audio_codes:
        end = SPECIAL[0]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
        )
    return tokenizer


def write_tokenizer(folder: Path, audio_codes: int = 0) -> Path:
    """`tokenizer.json` in `folder`, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    build_tokenizer(audio_codes).save(str(path), pretty=False)
    return path


def write_vocabulary(folder: Path) -> Path:
    """The tokenizer without audio codes as `vocab.json` and `merges.txt` in `folder`, the form in
    which ComfyUI carries Qwen's."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    added = {
        str(tokenizer.token_to_id(name)): {"content": name, "normalized": False, "special": True}
        for name in SPECIAL
    }
    config = {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": added}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


if __name__ == "__main__":
    print(write_tokenizer(Path(sys.argv[1]), AUDIO_CODES if "--codes" in sys.argv else 0))
