"""How the language model writes: the widgets that its nodes share, and what they stand for."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.constants import SEED_RANGE
from ..ace_core.lm.functions import TextOptions
from ..ace_core.lm.metadata import NAMES, Metadata
from ..ace_core.lm.sampling import DEFAULT, SamplingParams
from .sockets import LMInput


def lm_input() -> io.Input:
    return LMInput.Input(
        "lm",
        tooltip="The 5 Hz language model, from ACE-Step Load LM. ComfyUI's own CLIP of type ace "
        "fits, too.",
    )


def connected_lm(lm: Any) -> Any:
    """The language model that is connected, or the one inside a CLIP."""
    from . import host

    return host.language_model_of(lm)


def seed_input(tooltip: str) -> io.Int.Input:
    smallest, largest = SEED_RANGE
    return io.Int.Input(
        "seed",
        default=0,
        min=smallest,
        max=largest,
        control_after_generate=True,
        tooltip=tooltip,
    )


def sampling_inputs(usual: SamplingParams = DEFAULT) -> list[io.Input]:
    """Widgets for `sampling_params`, in its order."""
    return [
        io.Float.Input(
            "temperature",
            default=usual.temperature,
            min=0.0,
            max=2.0,
            step=0.01,
            tooltip="0: always the most likely token. Higher: more random.",
        ),
        io.Float.Input(
            "top_p",
            default=usual.top_p,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Samples only from the most likely tokens that together hold this "
            "probability. 1: off.",
        ),
        io.Int.Input(
            "top_k",
            default=usual.top_k,
            min=0,
            max=100_000,
            advanced=True,
            tooltip="Samples only from this many of the most likely tokens. 0: off.",
        ),
        io.Float.Input(
            "min_p",
            default=usual.min_p,
            min=0.0,
            max=0.99,
            step=0.01,
            advanced=True,
            tooltip="Drops tokens less likely than this share of the most likely one. 0: off.",
        ),
        io.Float.Input(
            "repetition_penalty",
            default=usual.repetition_penalty,
            min=0.1,
            max=10.0,
            step=0.01,
            advanced=True,
            tooltip="Above 1: tokens that were generated before become less likely. 1: off.",
        ),
    ]


def text_inputs(usual: SamplingParams = DEFAULT) -> list[io.Input]:
    """Widgets for `text_options`, in its order."""
    return [
        seed_input("Seed of the text; the same seed gives the same text."),
        *sampling_inputs(usual),
        io.Boolean.Input(
            "constrained_decoding",
            default=True,
            advanced=True,
            tooltip="Constrains the model to fields and values that exist. Off: it writes freely.",
        ),
        trace_input(),
    ]


def trace_input() -> io.Boolean.Input:
    return io.Boolean.Input(
        "trace",
        default=False,
        advanced=True,
        tooltip="Logs each token and its field to ComfyUI's log.",
    )


def sampling_params(given: dict[str, Any]) -> SamplingParams:
    """What the widgets of `sampling_inputs` stand for, out of all that a node was given."""
    names = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
    return SamplingParams(**{name: given[name] for name in names})


def text_options(lm: Any, given: dict[str, Any]) -> TextOptions:
    """What the widgets of `text_inputs` stand for."""
    from . import host

    return TextOptions(
        sampling=sampling_params(given),
        seed=given["seed"],
        constrained=given["constrained_decoding"],
        on_step=host.token_progress(lm, given["trace"]),
    )


def report(metadata: Metadata, warnings: tuple[str, ...] = (), lyrics: str = "") -> str:
    """What was found and what could not be read, a line each."""
    found = [
        f"{name}: {value}"
        for field, name in NAMES.items()
        if (value := getattr(metadata, field)) is not None
    ]
    lines = found + [f"not understood: {warning}" for warning in warnings]
    return "\n".join([*lines, "", lyrics] if lyrics else lines)
