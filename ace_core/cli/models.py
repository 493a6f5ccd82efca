"""Which models a command uses: the folder they lie in, their names, where and how they run."""

import argparse
from typing import Final

from ..batch.models import ModelChoice
from ..errors import CheckpointError
from ..inference.places import find_model
from ..types import Variant
from ..weights import Kind
from .output import Output

DIT: Final = "acestep-v15-turbo"
LMS: Final = ("acestep-5Hz-lm-1.7B", "acestep-5Hz-lm-0.6B", "acestep-5Hz-lm-4B")  # as preferred


def add_models(parser: argparse.ArgumentParser, dit: bool = True) -> None:
    """The options of the models; `dit` False for commands that need the language model alone."""
    group = parser.add_argument_group("models")
    group.add_argument(
        "--models", default=".", metavar="DIR", help="folder the models lie in (default: this one)"
    )
    if dit:
        group.add_argument(
            "--checkpoint",
            default=DIT,
            metavar="NAME",
            help=f"diffusion model, by name or path (default {DIT})",
        )
        group.add_argument(
            "--variant",
            choices=[variant.value for variant in Variant],
            help="what it was trained as, if neither its config nor its name tells",
        )
        group.add_argument("--no-lm", action="store_true", help="do without the language model")
    group.add_argument(
        "--lm", metavar="NAME", help=f"language model (default: the first of {', '.join(LMS)})"
    )
    group.add_argument("--device", default="auto", help="cuda, cuda:1, mps, xpu or cpu")
    group.add_argument("--dtype", default="auto", help="bf16 or fp32")
    group.add_argument(
        "--offload-to-cpu", action="store_true", help="keep models off the device while they rest"
    )


def chosen(arguments: argparse.Namespace, output: Output, thinks: bool) -> ModelChoice:
    """The models of a command line; the language model only if something `thinks`.

    Raises:
        CheckpointError: one is not there.
    """
    needed = thinks and not arguments.no_lm
    choice = ModelChoice(
        root=arguments.models,
        dit=arguments.checkpoint,
        lm=_lm(arguments) if needed else None,
        device=arguments.device,
        dtype=arguments.dtype,
        offload=arguments.offload_to_cpu,
        variant=arguments.variant,
    )
    choice.dit_checkpoint()
    if needed and choice.lm is None:
        output.note(f"No language model is below {choice.root}: going without it.")
    return choice


def chosen_lm(arguments: argparse.Namespace) -> ModelChoice:
    """The language model alone.

    Raises:
        CheckpointError: it is not there.
    """
    lm = _lm(arguments)
    if lm is None:
        find_model(arguments.models, LMS[0], Kind.LM)  # says what is there
    return ModelChoice(
        root=arguments.models,
        dit=DIT,
        lm=lm,
        device=arguments.device,
        dtype=arguments.dtype,
        offload=arguments.offload_to_cpu,
    )


def _lm(arguments: argparse.Namespace) -> str | None:
    """The language model asked for, or the first of the published ones that is there."""
    if arguments.lm is not None:
        find_model(arguments.models, arguments.lm, Kind.LM)
        return arguments.lm
    return next((name for name in LMS if _present(arguments.models, name)), None)


def _present(root: str, name: str) -> bool:
    try:
        find_model(root, name, Kind.LM)
    except CheckpointError:
        return False
    return True
