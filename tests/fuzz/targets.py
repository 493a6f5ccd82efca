"""Fuzzing: each reader of foreign data is a target, which gets generated inputs.

A test of `tests/fuzz` runs each target on a few inputs, the same in each run; `make fuzz` runs them
with new ones for as long as it is told. What once failed is kept as an `@example`.
"""

import os
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ace_core.errors import AceStepError

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "0"))  # per target; 0: a few, the same ones
FEW: Final = 60
INPUTS: Final[Counter[str]] = Counter()  # by target, since the process began

Target = Callable[..., None]


def fuzz(*strategies: st.SearchStrategy[Any]) -> Callable[[Target], Callable[[], None]]:
    """A test of a function with values from `strategies`, counted in `INPUTS`."""

    def decorate(target: Target) -> Any:
        @wraps(target)
        def counted(*values: Any, **named: Any) -> None:
            INPUTS[target.__name__] += 1
            target(*values, **named)

        options = settings(
            max_examples=EXAMPLES or FEW,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        return options(given(*strategies)(counted))

    return decorate


def refuses(run: Callable[[], Any], kind: type[Exception] = AceStepError, names: str = "") -> Any:
    """The result of `run`, or None where it raises a `kind` with a message that can be printed, is
    no longer than a page and has `names` in it."""
    try:
        return run()
    except kind as error:
        message = str(error)
        message.encode()
        assert message
        assert len(message) < 5_000
        assert names in message
        return None


# --- values of which foreign JSON is made ---
TEXTS: Final = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(), max_size=6),  # lone surrogates too
    st.sampled_from(["", "a", "..", "/", "\0", "F32", "9" * 5_000, "1e999", "\ud83c"]),
)
NUMBERS: Final = st.one_of(
    st.integers(),
    st.integers(-3, 70),
    st.floats(),
    st.sampled_from([2**31, 2**63, 2**64, -1, 10**25, 1e-320, 1e308]),
)
SCALARS: Final = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXTS, inside, max_size=4),
    max_leaves=12,
)


def table_of(known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with some of the `known` names, each with a fitting value or any other."""
    fields = {name: fitting | VALUES for name, fitting in known.items()}
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """`content` with some bytes changed, cut out or put in, mostly near its start."""
    damage = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        if not damage:
            break
        near = draw(st.booleans())
        place = draw(st.integers(0, min(len(damage), 200 if near else len(damage)) - 1))
        kind = draw(st.sampled_from(["set", "word", "cut", "put", "end"]))
        if kind == "set":
            damage[place] = draw(st.integers(0, 255))
        elif kind == "word":
            damage[place : place + 4] = draw(st.sampled_from(WORDS))
        elif kind == "cut":
            del damage[place : place + draw(st.integers(1, 64))]
        elif kind == "put":
            damage[place:place] = draw(st.binary(max_size=32))
        else:
            del damage[place:]
    return bytes(damage)


WORDS: Final = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\1\0\0\0"]
