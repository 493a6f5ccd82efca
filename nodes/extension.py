"""The nodes in the order of a graph. Their ids are in users' files and never change."""

from comfy_api.latest import ComfyExtension, io

from . import codes, listen, load, load_lm, plan, sample, samples, song, tasks

NODES: list[type[io.ComfyNode]] = [
    load.AceStepLoadModel,
    load.AceStepLoadTextEncoder,
    load.AceStepLoadVAE,
    load.AceStepLoadCheckpoint,
    load_lm.AceStepLoadLM,
    song.AceStepSong,
    samples.AceStepCreateSample,
    samples.AceStepFormatSample,
    plan.AceStepThink,
    plan.AceStepComposeCodes,
    samples.AceStepUnderstand,
    plan.AceStepSongDetails,
    codes.AceStepEncodeCodes,
    codes.AceStepCodesToText,
    codes.AceStepTextToCodes,
    codes.AceStepSliceCodes,
    codes.AceStepJoinCodes,
    tasks.AceStepTextToMusic,
    sample.AceStepSchedule,
    sample.AceStepSampler,
    listen.AceStepEncodeAudio,
    listen.AceStepDecodeAudio,
    listen.AceStepSaveAudio,
    listen.AceStepPicture,
]


class AceStepExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
