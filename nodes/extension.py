"""The nodes in the order of a graph. Their ids are in users' files and never change."""

from comfy_api.latest import ComfyExtension, io

from . import (
    codes,
    edit,
    listen,
    load,
    load_lm,
    load_lora,
    lyrics,
    plan,
    region,
    sample,
    samples,
    score,
    song,
    steer,
    stems,
    tasks,
)

NODES: list[type[io.ComfyNode]] = [
    load.AceStepLoadModel,
    load.AceStepLoadTextEncoder,
    load.AceStepLoadVAE,
    load.AceStepLoadCheckpoint,
    load_lm.AceStepLoadLM,
    load_lora.AceStepLoadLoRA,
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
    edit.AceStepCover,
    edit.AceStepAudioToAudio,
    edit.AceStepRepaint,
    stems.AceStepLego,
    stems.AceStepExtract,
    stems.AceStepComplete,
    edit.AceStepReferenceAudio,
    region.AceStepRegionMask,
    sample.AceStepSchedule,
    steer.AceStepGuidance,
    steer.AceStepSolver,
    sample.AceStepSampler,
    steer.AceStepGuider,
    steer.AceStepNoise,
    listen.AceStepEncodeAudio,
    listen.AceStepDecodeAudio,
    lyrics.AceStepLyricTimes,
    lyrics.AceStepLyricsText,
    lyrics.AceStepSaveLyrics,
    score.AceStepScore,
    score.AceStepKeepBest,
    listen.AceStepSaveAudio,
    listen.AceStepPicture,
]


class AceStepExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
