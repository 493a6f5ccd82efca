"""A file to the 5 Hz language model."""

from pathlib import Path

from comfy_api.latest import io

from . import folders
from .load import CHECKPOINTS, TEXT_ENCODERS, dtype_input
from .sockets import LMSocket

_PLACES = (TEXT_ENCODERS, CHECKPOINTS)


class AceStepLoadLM(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        files = [name for place in _PLACES for name in folders.choices(place)]
        return io.Schema(
            node_id="AceStep15LoadLM",
            display_name="ACE-Step Load LM",
            category="audio/ACE-Step/load",
            description="Loads ACE-Step 1.5's language model, 0.6B, 1.7B or 4B, which plans songs "
            "and writes their audio codes. Its tokenizer comes from the folder of the file, else "
            "from ComfyUI.",
            search_aliases=["ace step", "language model", "llm", "5hz", "planner"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=list(dict.fromkeys(files)),
                    tooltip="The language model, alone or in an all-in-one file. Files are looked "
                    f"for in models/{TEXT_ENCODERS} and models/{CHECKPOINTS}.",
                ),
                dtype_input(),
                io.Boolean.Input(
                    "cuda_graphs",
                    default=False,
                    optional=True,  # workflows from before it was there still run
                    advanced=True,
                    tooltip="Records a token's work once and replays it, which frees an NVIDIA GPU "
                    "from waiting for the processor. The model must fit the GPU as a whole. "
                    "New and untried on most machines: off by default.",
                ),
            ],
            outputs=[LMSocket.Output(display_name="lm", tooltip="Plans, composes, describes.")],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(_place_of(file), file) or True

    @classmethod
    def execute(cls, file: str, dtype: str, cuda_graphs: bool = False) -> io.NodeOutput:
        from . import host

        path: Path = folders.model_path(_place_of(file), file)
        return io.NodeOutput(host.load_language_model(path, dtype, cuda_graphs))


def _place_of(file: str) -> str:
    """The folder that holds `file`; where it should be, if none does."""
    for place in _PLACES:
        if folders.complaint(place, file) is None:
            return place
    return TEXT_ENCODERS
