"""`codes RECORDING`: the audio codes of a recording, as text that other commands take."""

import argparse
from pathlib import Path

from ..batch.models import ModelChoice
from .models import model_choice
from .options import check_there
from .output import Output, usage_errors


def run(arguments: argparse.Namespace, output: Output) -> int:
    recording: Path = arguments.recording
    with usage_errors():
        check_there(recording)
        choice = model_choice(arguments, output, thinks=False)
    codes = codes_of_recording(recording, choice, output)
    output.result({"success": True, "audio_codes": codes}, codes)
    return 0


def codes_of_recording(recording: Path, choice: ModelChoice, output: Output) -> str:
    """The codes by the chosen diffusion model.

    Raises:
        AceStepError: the model or the recording cannot be read.
    """
    output.bar(0.0, "Loading the models")
    dit = choice.load_dit()
    output.bar(0.4, "Encoding the recording")
    return dit.convert_src_audio_to_codes(recording)
