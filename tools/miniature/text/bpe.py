"""A byte-level BPE of a few hundred tokens with the published special tokens."""

from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE

from tools.miniature.tokenizer import SPECIAL


def train_bpe(texts: Iterable[str], size: int, audio_codes: int = 0) -> Tokenizer:
    """A tokenizer of `size` tokens learnt from `texts`, and the special ones; digits stay single.

    With audio codes it is a language model's; without, a text encoder's, which appends an end
    token, as published.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    names = [*SPECIAL, *(f"<|audio_code_{code}|>" for code in range(audio_codes))]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in names])
    if not audio_codes:
        end = SPECIAL[0]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
        )
    return tokenizer
