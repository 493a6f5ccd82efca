"""Arguments that say which models a command uses, where and how they run."""

import argparse
from typing import Final

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
            metavar="NAME",
            help="what it was trained as, turbo, turbo-continuous, base or sft, if nothing tells",
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
