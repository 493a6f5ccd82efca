"""The nodes in the order of a graph. Their ids are in users' files and never change."""

from comfy_api.latest import ComfyExtension, io

from ..ace_core.versions import warn_outdated
from . import (
    beats,
    codes,
    correct,
    guidance,
    load,
    lyrics,
    make_stems,
    measure,
    memory,
    morph,
    node_text,
    picture,
    plan,
    reference,
    region,
    repaint,
    sample,
    save,
    scores,
    seeds,
    song,
    stem_mixer,
    tasks,
    vae,
)

NODES: list[type[io.ComfyNode]] = [
    load.AceStepLoadModel,
    load.AceStepLoadTextEncoder,
    load.AceStepLoadVAE,
    load.AceStepLoadCheckpoint,
    load.AceStepLoadLM,
    load.AceStepLoadLoRA,
    load.AceStepAdoptModel,
    song.AceStepSong,
    plan.AceStepCreateSample,
    plan.AceStepFormatSample,
    plan.AceStepThink,
    plan.AceStepComposeCodes,
    plan.AceStepUnderstand,
    song.AceStepSongDetails,
    codes.AceStepEncodeCodes,
    codes.AceStepCodesToText,
    codes.AceStepTextToCodes,
    codes.AceStepSliceCodes,
    codes.AceStepJoinCodes,
    tasks.AceStepTextToMusic,
    tasks.AceStepCover,
    tasks.AceStepAudioToAudio,
    morph.AceStepMorph,
    repaint.AceStepRepaint,
    tasks.AceStepLego,
    tasks.AceStepExtract,
    tasks.AceStepComplete,
    make_stems.AceStepMakeStems,
    stem_mixer.AceStepAddStem,
    stem_mixer.AceStepStemLevel,
    stem_mixer.AceStepMixdown,
    stem_mixer.AceStepTakeStem,
    stem_mixer.AceStepSaveStems,
    reference.AceStepReferenceAudio,
    region.AceStepRegionMask,
    sample.AceStepSchedule,
    guidance.AceStepGuidance,
    guidance.AceStepSolver,
    guidance.AceStepDCW,
    sample.AceStepSampler,
    guidance.AceStepGuider,
    seeds.AceStepNoise,
    vae.AceStepEncodeAudio,
    vae.AceStepDecodeAudio,
    lyrics.AceStepLyricTimes,
    lyrics.AceStepLyricsText,
    lyrics.AceStepSaveLyrics,
    scores.AceStepScore,
    scores.AceStepKeepBest,
    save.AceStepSaveAudio,
    measure.AceStepMeasure,
    beats.AceStepCutBars,
    correct.AceStepCorrect,
    picture.AceStepPicture,
    picture.AceStepEnvelope,
]


class AceStepExtension(ComfyExtension):
    async def on_load(self) -> None:
        """One line in the log where a package is too old; the nodes are there nevertheless."""
        warn_outdated()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [memory.explain_memory_errors(node_text.with_notes(node)) for node in NODES]
