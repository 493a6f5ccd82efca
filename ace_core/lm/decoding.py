"""The decoding loop: prompts and a grammar in, tokens out.

Each different prompt is run once, and then every row writes a token a step into memory set aside
beforehand. Rows stand as [item 1 .. item n, unconditional 1 .. unconditional n]. Nothing that one
item writes depends on another: each has its own positions, grammar and generator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from ..errors import InvalidRequestError
from ..models.cache import Cache, FixedCache, cache_bytes, whole_blocks
from .grammar import Allowed, Place
from .language_model import LONGEST_TEXT, LanguageModel
from .masking import few, places
from .picking import Picking, guided, pick
from .replay import Replay


@dataclass(frozen=True, slots=True)
class Request:
    """One item to write: at most `longest` tokens after `prompt`, as `place` allows."""

    prompt: tuple[int, ...]
    place: Place
    seed: int
    longest: int
    unconditional: tuple[int, ...] | None = None  # the prompt that guidance leads away from


@dataclass(frozen=True, slots=True)
class Step:
    """What was just written; an item that has ended wrote `None`."""

    done: int
    longest: int
    tokens: tuple[int | None, ...]
    names: tuple[str | None, ...]  # of the fields or phases that the tokens belong to


OnStep = Callable[[Step], None]  # may raise, which ends the run


@torch.inference_mode()
def decode(
    lm: LanguageModel,
    requests: Sequence[Request],
    picking: Picking,
    guidance: float = 1.0,
    on_step: OnStep | None = None,
) -> list[list[int]]:
    """The tokens of each request. Guidance above 1 needs every request's unconditional prompt.

    Raises:
        InvalidRequestError: guidance is below 1, there is nothing to write, or it is too long.
    """
    _check(requests, guidance)
    lm.make_room(needed_bytes(lm, requests, guidance))
    run = _Run(lm, [_Item(request) for request in requests], picking, guidance)
    for step in range(1, run.steps + 1):
        tokens, names = run.write()
        if on_step is not None:
            on_step(Step(step, run.steps, tokens, names))
        if run.ended:
            break
        run.read()
    return [item.written for item in run.items]


def needed_bytes(lm: LanguageModel, requests: Sequence[Request], guidance: float = 1.0) -> int:
    """Memory that `decode` takes beside the weights: keys, values, and the head's work."""
    rows = len(requests) * (2 if guidance > 1 else 1)
    prompts = max(max(len(r.prompt), len(r.unconditional or ())) for r in requests)
    slots = prompts + max(request.longest for request in requests)
    if lm.recorder is not None:
        slots = whole_blocks(slots)
    size = torch.empty((), dtype=lm.dtype).element_size()
    head = len(head_range(lm, [request.place for request in requests]))
    table = head * lm.model.config.hidden_size * size  # torch's layers share it, a host's copy it
    logits = rows * head * 4 * 6  # float32, and what picking makes of it
    return cache_bytes(lm.model.config, rows, slots, size) + table + logits


def head_range(lm: LanguageModel, places: Sequence[Place | None]) -> range:
    """The tokens that may be drawn, as one range: the head is cut to it for the whole run."""
    vocabulary = lm.vocabulary
    sets = [place.allowed for place in places if place is not None]
    if not any(max(allowed) in vocabulary.codes for allowed in sets):
        return vocabulary.text
    return range(min(map(min, sets)), max(map(max, sets)) + 1)


def _check(requests: Sequence[Request], guidance: float) -> None:
    if not requests:
        raise InvalidRequestError("There is nothing to write. Ask for at least one item.")
    if not guidance >= 1:
        raise InvalidRequestError(
            f"Guidance of the language model is {guidance:g}, but must be 1 (off) or above."
        )
    if guidance > 1 and any(request.unconditional is None for request in requests):
        raise ValueError("guidance needs an unconditional prompt for every request")
    for request in requests:
        prompt = max(len(request.prompt), len(request.unconditional or ()))
        if request.longest < 1 or prompt + request.longest > LONGEST_TEXT:
            raise InvalidRequestError(
                f"The prompt has {prompt} tokens and {request.longest} are to be written, but the "
                f"language model reads at most {LONGEST_TEXT} together, and writes at least 1. "
                "Shorten the text, or change what is asked for."
            )


class _Item:
    """What one request has come to."""

    def __init__(self, request: Request) -> None:
        self.place: Place | None = request.place
        self.longest = request.longest
        self.written: list[int] = []
        if request.unconditional is None:
            self._write_what_is_fixed()
        self.prompt = (*request.prompt, *self.written)
        self.unconditional = request.unconditional or ()
        generator = torch.Generator().manual_seed(request.seed % 2**64)
        # one key a token, all at once: no device has to be waited for
        self.keys = torch.empty(request.longest, dtype=torch.int64).random_(generator=generator)

    def _write_what_is_fixed(self) -> None:
        """What the grammar fixes at the start needs no step: it goes into the prompt."""
        while self.place is not None and len(self.place.allowed) == 1:
            (token,) = self.place.allowed
            if self.place.after(token) is None or len(self.written) + 1 >= self.longest:
                break
            self.write(token)

    @property
    def ended(self) -> bool:
        return self.place is None or len(self.written) >= self.longest

    def write(self, token: int) -> None:
        if self.place is not None:
            self.written.append(token)
            self.place = self.place.after(token)


class _Run:
    """Items on their way: the cache, the last states, the head's rows."""

    def __init__(
        self, lm: LanguageModel, items: list[_Item], picking: Picking, guidance: float
    ) -> None:
        self.lm, self.items, self.picking = lm, items, picking
        self.guidance = guidance
        self.steps = max(item.longest - len(item.written) for item in items)
        self.head = head_range(lm, [item.place for item in items])
        self.table = lm.model.head_rows(self.head, lm.device, lm.dtype)  # [R, E]
        self.masks = lm.masks(self.head)
        keys = pad_sequence([item.keys for item in items], batch_first=True)
        self.keys = keys.to(lm.device)  # [items, longest]
        self.ids = torch.arange(self.head.start, self.head.stop, device=lm.device)  # [R]
        self.seen: Tensor | None = None
        if picking.repetition_penalty != 1:
            shape = (len(items), len(self.head))
            self.seen = torch.zeros(shape, dtype=torch.bool, device=lm.device)
            for row, item in enumerate(items):
                self._saw(row, item.written)
        self._prefill()

    @property
    def ended(self) -> bool:
        return all(item.ended for item in self.items)

    def _prefill(self) -> None:
        """Runs each different prompt once, and keeps it for all rows that begin with it."""
        lm, prompts = self.lm, [item.prompt for item in self.items]
        if self.guidance > 1:
            prompts += [item.unconditional for item in self.items]
        like = torch.empty((), device=lm.device, dtype=lm.dtype)
        sizes, lengths = lm.model.config, list(map(len, prompts))
        self.replay: Replay | None = None
        if lm.recorder is None:
            self.cache = Cache(sizes, lengths, self.steps, like)
        else:
            self.cache = FixedCache(sizes, lengths, self.steps, like)
            self.replay = Replay(lm.model, self.table, self.cache, lm.recorder)
        self.hidden = like.new_empty(len(prompts), lm.model.config.hidden_size)  # [rows, E]
        for prompt in dict.fromkeys(prompts):
            shared = [row for row, other in enumerate(prompts) if other == prompt]
            ids = torch.tensor([prompt], device=lm.device)
            states = lm.model(lm.model.embed(ids, lm.dtype), self.cache.prefill(shared))
            self.hidden[shared] = states[0, -1]

    def write(self) -> tuple[tuple[int | None, ...], tuple[str | None, ...]]:
        """Each item's next token, and the name of what it belongs to."""
        writing = [row for row, item in enumerate(self.items) if not item.ended]
        places = {row: self.items[row].place for row in writing}
        tokens = self._tokens({row: place.allowed for row, place in places.items() if place})
        for row in writing:
            self.items[row].write(tokens[row])
            self._saw(row, [tokens[row]])
        rows = range(len(self.items))
        names = {row: place.name for row, place in places.items() if place}
        return tuple(map(tokens.get, rows)), tuple(map(names.get, rows))

    def _saw(self, row: int, tokens: list[int]) -> None:
        if self.seen is not None:
            self.seen[row, places(tokens, self.head).to(self.lm.device)] = True

    def read(self) -> None:
        """Runs what was just written through the model."""
        # an item that has ended reads anything: nobody looks at what comes of it
        ids = [0 if item.ended else item.written[-1] - self.head.start for item in self.items]
        index = torch.tensor(ids * (2 if self.guidance > 1 else 1), device=self.lm.device)
        if self.replay is None:
            embedded = self.table[index][:, None]  # [rows, 1, E]
            self.hidden = self.lm.model(embedded, self.cache)[:, 0]  # [rows, E]
        else:
            self.hidden = self.replay(index)

    def _tokens(self, allowed: dict[int, Allowed]) -> dict[int, int]:
        """The next token of each row that is still writing."""
        tokens: dict[int, int] = {}
        wide: list[int] = []
        for row, legal in allowed.items():
            if len(legal) == 1:
                (tokens[row],) = legal
            elif few(legal):
                tokens[row] = self._pick_few(row, legal)
            else:
                wide.append(row)
        if wide:
            mask = self.masks.of([allowed[row] for row in wide])
            picked = self._pick(wide, self._logits(wide, self.table), self.ids, mask)
            tokens.update((row, self.head[place]) for row, place in zip(wide, picked, strict=True))
        return tokens

    def _pick_few(self, row: int, legal: Allowed) -> int:
        """Scores only the legal tokens, each row by itself whatever its neighbours write."""
        rows = places(legal, self.head).to(self.lm.device)
        (picked,) = self._pick([row], self._logits([row], self.table[rows]), self.ids[rows])
        return self.head[int(rows[picked])]

    def _logits(self, rows: list[int], table: Tensor) -> Tensor:
        """[rows, R] in float32, guided if there is guidance."""
        items, states = len(self.items), self.hidden
        if len(rows) < items:
            states = states[rows + [items + row for row in rows if self.guidance > 1]]
        logits = F.linear(states, table)
        if self.guidance <= 1:
            return logits.float()
        return guided(logits[: len(rows)], logits[len(rows) :], self.guidance)

    def _pick(
        self, rows: list[int], logits: Tensor, ids: Tensor, mask: Tensor | None = None
    ) -> list[int]:
        """Columns of the logits, whose tokens are `ids`. Reading them is the step's one wait for
        the device."""
        at = [len(self.items[row].written) for row in rows]
        if len(rows) == len(self.items) and len(set(at)) == 1:
            keys = self.keys[:, at[0]]
        else:
            keys = self.keys[rows, at]
        place = self.items[rows[0]].place
        picking = self.picking
        if len(rows) == 1 and place is not None and place.greedy:
            picking = replace(picking, temperature=0.0)
        seen = None
        if self.seen is not None:
            seen = self.seen[rows]
            seen = seen if len(ids) == seen.shape[1] else seen[:, ids - self.head.start]
        return pick(logits, keys, picking, mask, seen, ids).tolist()
