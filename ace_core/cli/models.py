"""The models that a command line names. Only headers are read here."""

import argparse
from pathlib import Path

from ..batch.models import ModelChoice
from ..errors import CheckpointError
from ..inference.devices import device_of
from ..inference.find_models import find_model
from ..weights import Kind
from .arguments import DIT, LMS
from .options import check_there
from .output import Output


def model_choice(arguments: argparse.Namespace, output: Output, thinks: bool) -> ModelChoice:
    """The models of a command line; the language model only where it `thinks`.

    Raises:
        CheckpointError: one is not there.
        InvalidRequestError: the tokenizer is not there.
    """
    _check_tokenizer(arguments)
    needed = thinks and not arguments.no_lm
    choice = ModelChoice(
        root=arguments.models,
        dit=arguments.checkpoint,
        lm=_lm(arguments) if needed else None,
        device=arguments.device,
        dtype=arguments.dtype,
        quantization=arguments.quantization,
        offload=arguments.offload_to_cpu,
        variant=arguments.variant,
        tokenizer=arguments.tokenizer,
        vae=arguments.vae,
    )
    choice.dit_checkpoint()
    device_of(arguments.device)
    if choice.vae is not None:
        chosen = find_model(arguments.models, choice.vae, Kind.VAE)
        output.note(f"VAE {chosen.path.name}: keys of {chosen.part(Kind.VAE).spelling}.")
    if needed and choice.lm is None:
        output.note(f"No language model is below {choice.root}: going without it.")
    return choice


def lm_choice(arguments: argparse.Namespace) -> ModelChoice:
    """The language model alone.

    Raises:
        CheckpointError: it is not there.
        InvalidRequestError: the tokenizer is not there.
    """
    _check_tokenizer(arguments)
    lm = _lm(arguments)
    if lm is None:
        find_model(arguments.models, LMS[0], Kind.LM)  # raises an error that names what is there
    device_of(arguments.device)
    return ModelChoice(
        root=arguments.models,
        dit=DIT,
        lm=lm,
        device=arguments.device,
        dtype=arguments.dtype,
        quantization=arguments.quantization,
        offload=arguments.offload_to_cpu,
        tokenizer=arguments.tokenizer,
    )


def _check_tokenizer(arguments: argparse.Namespace) -> None:
    if arguments.tokenizer is not None:
        check_there(Path(arguments.tokenizer), folder=True)


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
