"""The decode loop: prompts and grammars in, tokens out.

    hidden = prefill()                 each distinct prompt once
    repeat: tokens = sample(hidden)    masks, guidance, filters, Gumbel-max: sampling.py
            hidden = forward(tokens)   one position, perhaps as a CUDA graph: cuda_graph.py

Rows are [sequence 1 .. n] and, with guidance, [uncond prompt 1 .. n]. No sequence depends on
another: each has its own positions, grammar and random keys, whatever else is in the batch.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..errors import InvalidRequestError
from ..memory import memory_for
from ..models.kv_cache import KVCache, StaticKVCache, kv_cache_bytes, whole_blocks
from ..models.onednn import linear
from ..models.packed import PackedWeight, packed_layers, pays
from ..precision import all_finite, non_finite
from .cuda_graph import GraphedStep
from .grammar import Allowed, State
from .language_model import MAX_LENGTH, LanguageModel
from .sampling import SMALL_SET, SamplingParams, apply_cfg, logit_indices, sample_token

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """At most `max_tokens` tokens after `prompt`, as the grammar, its first state, allows."""

    prompt: tuple[int, ...]
    grammar: State
    seed: int
    max_tokens: int
    uncond_prompt: tuple[int, ...] | None = None  # for classifier-free guidance


class Sequence:
    """A request, the tokens generated for it, and the grammar's state after them."""

    def __init__(self, request: Request) -> None:
        self.state: State | None = request.grammar  # None: finished
        self.max_tokens = request.max_tokens
        self.tokens: list[int] = []
        if request.uncond_prompt is None:
            self._append_forced()
        self.prompt = (*request.prompt, *self.tokens)
        self.uncond_prompt = request.uncond_prompt or ()
        generator = torch.Generator().manual_seed(request.seed % 2**64)
        # one random key per token, all at once: no step waits for the device
        self.keys = torch.empty(request.max_tokens, dtype=torch.int64).random_(generator=generator)

    def _append_forced(self) -> None:
        """First tokens that the grammar leaves no choice of need no step: they join the prompt."""
        while self.state is not None and len(self.state.allowed) == 1:
            (token,) = self.state.allowed
            if self.state.advance(token) is None or len(self.tokens) + 1 >= self.max_tokens:
                break
            self.append(token)

    def append(self, token: int) -> None:
        self.tokens.append(token)
        if self.state is not None:
            at_end = len(self.tokens) >= self.max_tokens
            self.state = None if at_end else self.state.advance(token)


@dataclass(frozen=True, slots=True)
class Step:
    """The tokens of one step; `None` for a sequence that had finished before."""

    done: int
    total: int
    tokens: tuple[int | None, ...]
    names: tuple[str | None, ...]  # the fields or phases that the tokens belong to


OnStep = Callable[[Step], None]  # may raise, which ends the run


@memory_for("The language model", "Make fewer variations at once, or a shorter song.")
@torch.inference_mode()
def decode(
    lm: LanguageModel,
    requests: list[Request],
    params: SamplingParams,
    cfg_scale: float = 1.0,
    on_step: OnStep | None = None,
) -> list[list[int]]:
    """The tokens of each request. A `cfg_scale` above 1 needs every request's `uncond_prompt`.

    Raises:
        InvalidRequestError: `cfg_scale` is below 1, there are no requests, or one is too long.
        NotEnoughMemoryError: the requests do not fit together.
        NonFiniteError: the model computes NaN or infinity.
    """
    _check(requests, cfg_scale)
    lm.reserve_memory(decode_bytes(lm, requests, cfg_scale))
    sequences = [Sequence(request) for request in requests]
    batch = Batch(lm, sequences, params, cfg_scale)
    hidden = batch.prefill()
    with batch.packed_weights():
        for done in range(1, batch.steps + 1):
            names = tuple(seq.state.name if seq.state else None for seq in sequences)
            tokens = batch.sample(hidden)
            if on_step is not None:
                on_step(Step(done, batch.steps, tokens, names))
            if all(seq.state is None for seq in sequences):
                break
            hidden = batch.forward(tokens)
    return [seq.tokens for seq in sequences]


class Batch:
    """Sequences that decode together: their kv cache, and the rows of the lm_head they need."""

    def __init__(
        self,
        lm: LanguageModel,
        sequences: list[Sequence],
        params: SamplingParams,
        cfg_scale: float,
    ) -> None:
        self.lm, self.sequences, self.params = lm, sequences, params
        self.cfg_scale = cfg_scale
        self.steps = max(seq.max_tokens - len(seq.tokens) for seq in sequences)
        self.vocab_range = vocab_range(lm, [seq.state for seq in sequences])
        self.lm_head = lm.model.head_rows(self.vocab_range, lm.device, lm.dtype)  # [R, E]
        self.packed_head: PackedWeight | None = None
        first, stop = self.vocab_range.start, self.vocab_range.stop
        self.token_ids = torch.arange(first, stop, device=lm.device)  # [R]
        self.masks = lm.mask_cache(self.vocab_range)
        keys = pad_sequence([seq.keys for seq in sequences], batch_first=True)
        self.keys = keys.to(lm.device)  # [sequences, max_tokens]
        self.repeated: Tensor | None = None
        if params.repetition_penalty != 1:
            shape = (len(sequences), len(self.vocab_range))
            self.repeated = torch.zeros(shape, dtype=torch.bool, device=lm.device)
            for row, seq in enumerate(sequences):
                self.repeated[row, logit_indices(seq.tokens, self.vocab_range)] = True

    def prefill(self) -> Tensor:
        """Runs each distinct prompt once, and stores its kv in every row that has it.

        Returns the last hidden state of each row, [rows, E].
        """
        lm, prompts = self.lm, [seq.prompt for seq in self.sequences]
        if self.cfg_scale > 1:
            prompts += [seq.uncond_prompt for seq in self.sequences]
        config, lengths = lm.model.config, [len(prompt) for prompt in prompts]
        hidden = self.lm_head.new_empty(len(prompts), config.hidden_size)
        self.graph: GraphedStep | None = None
        if lm.capture is None:
            self.cache = KVCache(config, lengths, self.steps, hidden)
        else:
            self.cache = StaticKVCache(config, lengths, self.steps, hidden)
            self.graph = GraphedStep(lm.model, self.lm_head, self.cache, lm.capture)
        for prompt in dict.fromkeys(prompts):
            rows = [row for row, other in enumerate(prompts) if other == prompt]
            embedded = lm.model.embed(torch.tensor([prompt], device=lm.device), lm.dtype)
            hidden[rows] = lm.model(embedded, self.cache.prefill(rows))[0, -1]
        return hidden

    @contextmanager
    def packed_weights(self) -> Iterator[None]:
        """Within it steps compute with packed weights, if they are many enough."""
        layers = self.lm.plain_layers()
        weights = [*(layer.weight for layer in layers), self.lm_head]
        if self.graph is not None or not pays(weights, self.steps, len(self.cache.lengths)):
            yield
            return
        with packed_layers(layers):
            self.packed_head = PackedWeight(self.lm_head)
            yield

    def sample(self, hidden: Tensor) -> tuple[int | None, ...]:
        """Appends to each unfinished sequence its next token."""
        tokens: dict[int, int] = {}
        large: dict[int, Allowed] = {}
        for row, seq in enumerate(self.sequences):
            if seq.state is None:
                continue
            allowed = seq.state.allowed
            if len(allowed) == 1:
                (tokens[row],) = allowed
            elif len(allowed) <= SMALL_SET:  # row by row, whatever the others' states allow
                columns = logit_indices(allowed, self.vocab_range)
                params = replace(self.params, temperature=0.0) if seq.state.greedy else self.params
                (drawn,) = self._draw([row], hidden, params, columns=columns.to(self.lm.device))
                tokens[row] = self.vocab_range[int(columns[drawn])]
            else:
                large[row] = allowed
        if large:
            mask = self.masks.stack(list(large.values()))
            columns = self._draw(list(large), hidden, self.params, mask)
            tokens |= {row: self.vocab_range[i] for row, i in zip(large, columns, strict=True)}
        for row, token in tokens.items():
            self.sequences[row].append(token)
            if self.repeated is not None:
                self.repeated[row, logit_indices([token], self.vocab_range)] = True
        return tuple(tokens.get(row) for row in range(len(self.sequences)))

    def forward(self, tokens: tuple[int | None, ...]) -> Tensor:
        """Runs one token per sequence; the hidden states that follow, [rows, E]."""
        # a finished row gets any token: its hidden state is not used
        ids = [0 if token is None else token - self.vocab_range.start for token in tokens]
        index = torch.tensor(ids * (2 if self.cfg_scale > 1 else 1), device=self.lm.device)
        if self.graph is not None:
            return self.graph(index)
        return self.lm.model(self.lm_head[index][:, None], self.cache)[:, 0]

    def _draw(
        self,
        rows: list[int],
        hidden: Tensor,
        params: SamplingParams,
        mask: Tensor | None = None,
        columns: Tensor | slice = slice(None),
    ) -> list[int]:
        """One of `columns` of the logits for each of `rows`. To read it is the step's one wait for
        the device."""
        count, cfg = len(self.sequences), self.cfg_scale > 1
        if len(rows) < count:
            hidden = hidden[rows + [count + row for row in rows if cfg]]
        logits = self._logits(hidden, columns)
        if cfg:
            cond, uncond = logits.chunk(2)
            logits = apply_cfg(cond, uncond, self.cfg_scale)
        lengths = [len(self.sequences[row].tokens) for row in rows]
        aligned = len(rows) == count and len(set(lengths)) == 1
        keys = self.keys[:, lengths[0]] if aligned else self.keys[rows, lengths]
        repeated = None if self.repeated is None else self.repeated[rows][:, columns]
        token_ids = self.token_ids[columns]
        drawn = sample_token(logits, keys, params, mask, repeated, token_ids)
        finite = logits.sum(dtype=torch.float32).isfinite()
        *drawn, sum_is_finite = torch.cat([drawn, finite[None].to(drawn)]).tolist()
        if not (sum_is_finite or all_finite(logits)):
            raise non_finite(f"language model, at token {max(lengths) + 1} of its reply,")
        return drawn

    def _logits(self, hidden: Tensor, columns: Tensor | slice) -> Tensor:
        """[rows, E] to [rows, R], or to those of its columns."""
        if self.packed_head is not None and isinstance(columns, slice):
            return self.packed_head(hidden)
        return linear(hidden, self.lm_head[columns])


def vocab_range(lm: LanguageModel, states: Iterable[State | None]) -> range:
    """The tokens that a run may generate, as one range: its lm_head has these rows only."""
    vocabulary = lm.vocabulary
    sets = [state.allowed for state in states if state is not None]
    if not any(max(allowed) in vocabulary.codes for allowed in sets):
        return vocabulary.text
    return range(min(map(min, sets)), max(map(max, sets)) + 1)


def decode_bytes(lm: LanguageModel, requests: list[Request], cfg_scale: float = 1.0) -> int:
    """Memory that `decode` takes beside the weights: kv cache, lm_head and logits."""
    rows = len(requests) * (2 if cfg_scale > 1 else 1)
    prompt = max(max(len(r.prompt), len(r.uncond_prompt or ())) for r in requests)
    slots = prompt + max(request.max_tokens for request in requests)
    if lm.capture is not None:
        slots = whole_blocks(slots)
    size = torch.empty((), dtype=lm.dtype).element_size()
    tokens = len(vocab_range(lm, [request.grammar for request in requests]))
    # torch's own embedding layer shares its rows, a host's layer copies them
    lm_head = tokens * lm.model.config.hidden_size * size
    logits = rows * tokens * 4 * 6  # float32, and the copies that sampling makes
    return kv_cache_bytes(lm.model.config, rows, slots, size) + lm_head + logits


def _check(requests: list[Request], cfg_scale: float) -> None:
    if not requests:
        raise InvalidRequestError("There is nothing to write. Ask for at least one item.")
    if not cfg_scale >= 1:
        raise InvalidRequestError(
            f"Guidance of the language model is {cfg_scale:g}, but must be 1 (off) or above."
        )
    if cfg_scale > 1 and any(request.uncond_prompt is None for request in requests):
        raise ValueError("guidance needs an unconditional prompt for every request")
    for request in requests:
        prompt = max(len(request.prompt), len(request.uncond_prompt or ()))
        if request.max_tokens < 1 or prompt + request.max_tokens > MAX_LENGTH:
            raise InvalidRequestError(
                f"The prompt has {prompt} tokens and {request.max_tokens} are to be written, but "
                f"the language model reads at most {MAX_LENGTH} together, and writes at least 1. "
                "Shorten the text, or change what is asked for."
            )


def log_tokens(lm: LanguageModel, step: Step) -> None:
    """Each sequence's token in the log, with the field or phase it belongs to."""
    for item, (token, name) in enumerate(zip(step.tokens, step.names, strict=True)):
        if token is not None:
            text = lm.vocabulary.decode([token])
            logger.info("token %d, item %d, %s: %d %r", step.done, item, name, token, text)
