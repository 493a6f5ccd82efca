"""Errors that a user can fix. A message says what was given, what is allowed and what to do.

AceStepError
├── InvalidSongError       a caption, length, bpm, key, time signature or language out of range
├── InvalidRequestError    a task, region, strength, track or source that cannot be carried out
├── InvalidScheduleError   steps, shift, timesteps, guidance or seed that cannot be sampled with
├── InvalidAudioError      a waveform of the wrong shape, length, rate or content
├── InvalidCodesError      audio codes that cannot be read or decoded
├── NonFiniteError         a model that computes NaN or infinity
├── CheckpointError        a file that is missing, broken or of another model
├── SaveError              an output that cannot be written
├── NotEnoughMemoryError   the smallest part of the work does not fit (in `memory.py`)
└── BatchError             a folder of many songs that cannot be used or resumed
    └── PromptsError       a file of many songs with lines that cannot be carried out
"""

from typing import Any


class AceStepError(Exception):
    """Base of the errors of this library; programming errors raise built-in ones.

    ComfyUI's page begins its message with the module of the class, which in a node pack starts with
    the path of the pack. Here the module is that of the library wherever it was imported from.
    """

    __module__ = "ace_core.errors"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _, package, module = cls.__module__.rpartition("ace_core")
        cls.__module__ = package + module


class InvalidSongError(AceStepError):
    """A song asks for something outside the range of the models."""


class InvalidRequestError(AceStepError):
    """A task cannot be carried out with these inputs."""


class InvalidScheduleError(AceStepError):
    """The sampler cannot run with these steps, times or seeds."""


class InvalidAudioError(AceStepError):
    """A waveform cannot be used."""


class InvalidCodesError(AceStepError):
    """Audio codes cannot be read or decoded."""


class NonFiniteError(AceStepError):
    """A model has computed values that are no numbers."""


class CheckpointError(AceStepError):
    """A model file is missing, broken, or of another model."""


class SaveError(AceStepError):
    """A result cannot be written."""


class BatchError(AceStepError):
    """A batch of songs cannot be started or resumed."""


class PromptsError(BatchError):
    """Lines of a prompts file cannot be carried out."""
