"""A recording of the user's, or one that comes with the pack, to AUDIO."""

from comfy_api.latest import io

from ..ace_core.audio.decoded import ENTRY, decoded
from ..ace_core.audio.files import read_audio
from ..ace_core.audio.waveform import resample
from ..ace_core.constants import SAMPLE_RATE
from . import folders, kept_latents
from .typed import checked
from .vae import CATEGORY


class AceStepLoadRecording(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadRecording",
            display_name="ACE-Step Load Recording",
            category=CATEGORY,
            description="Loads a recording: your own file, or one of the short examples that come "
            "with the pack, so that a workflow runs before you have chosen one.",
            search_aliases=[
                "ace step",
                "audio",
                "load audio",
                "import audio",
                "open file",
                "example",
            ],
            inputs=[
                io.Combo.Input(
                    "audio",
                    options=folders.recordings(),
                    upload=io.UploadType.audio,
                    tooltip="A sound or a video in ComfyUI's input folder. Those marked as an "
                    "example come with the pack: four bars at 125 BPM in A minor.",
                )
            ],
            outputs=[
                io.Audio.Output(
                    display_name="audio",
                    tooltip="At the rate and with the channels of the file; an example at 48 kHz.",
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, audio: str | None = None) -> bool | str:  # None: wired
        return checked(folders.recording_path, audio)

    @classmethod
    def fingerprint_inputs(cls, audio: str | None = None) -> str:
        """Another one when the file was replaced."""
        if audio is None:
            return ""
        found = folders.recording_path(audio).stat()
        return f"{found.st_size} {found.st_mtime_ns}"

    @classmethod
    def execute(cls, audio: str) -> io.NodeOutput:
        path = folders.recording_path(audio)
        waveform, rate = read_audio(path)
        if audio.endswith(folders.EXAMPLE):  # stored at a low rate, to be small
            waveform, rate = resample(waveform, rate, SAMPLE_RATE), SAMPLE_RATE
        made = {"waveform": waveform, "sample_rate": rate}
        kept = kept_latents.find(path)
        if kept is not None:
            made[ENTRY] = decoded(kept.latents[None], waveform, kept.vae)
        return io.NodeOutput(made)
