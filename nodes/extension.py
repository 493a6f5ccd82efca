"""The nodes in the order of a graph. Their ids are in users' files and never change."""

from comfy_api.latest import ComfyExtension, io

from . import load, sample, song, tasks

NODES: list[type[io.ComfyNode]] = [
    load.AceStepLoadModel,
    load.AceStepLoadTextEncoder,
    load.AceStepLoadVAE,
    load.AceStepLoadCheckpoint,
    song.AceStepSong,
    tasks.AceStepTextToMusic,
    sample.AceStepSchedule,
    sample.AceStepSampler,
]


class AceStepExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
