"""The nodes in the order of a graph. Their ids are in users' files and never change."""

from comfy_api.latest import ComfyExtension, io

from ..ace_core.versions import warn_outdated
from . import (
    adopt,
    board,
    codes,
    edit,
    envelope,
    listen,
    load,
    load_lm,
    load_lora,
    lyrics,
    make_stems,
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
    adopt.AceStepAdoptModel,
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
    make_stems.AceStepMakeStems,
    board.AceStepAddStem,
    board.AceStepStemLevel,
    board.AceStepMixdown,
    board.AceStepTakeStem,
    board.AceStepSaveStems,
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
    envelope.AceStepEnvelope,
]


class AceStepExtension(ComfyExtension):
    async def on_load(self) -> None:
        """One line in the log where a package is too old; the nodes are there nevertheless."""
        warn_outdated()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES
