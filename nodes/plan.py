"""The language model's nodes: a song's plan, its audio codes, songs from ideas and from codes."""

from collections.abc import Sequence
from typing import Any

from comfy_api.latest import io

from ..ace_core.cleaning import clean
from ..ace_core.constants import BATCH_RANGE, LANGUAGES, SECONDS_RANGE
from ..ace_core.errors import InvalidRequestError
from ..ace_core.lm import functions
from ..ace_core.lm.functions import CodesOptions
from ..ace_core.lm.plan import CotFields, Sample
from ..ace_core.lm.sampling import DESCRIBING
from ..ace_core.sampling.recipe import seeds_for
from ..ace_core.section_tags import tag_notes
from ..ace_core.types import AudioCodes, Song
from .lm_inputs import (
    connected_lm,
    lm_input,
    report,
    sampling_inputs,
    sampling_params,
    seed_input,
    text_inputs,
    text_options,
    trace_input,
)
from .sockets import CodesSocket, SongSocket
from .song import AUTO, CATEGORY, check_seconds, plan_of, with_plan, without_plan
from .task_inputs import batch_input
from .typed import checked


class AceStepThink(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Think",
            display_name="ACE-Step Think",
            category=CATEGORY,
            description="Lets the language model fill in what the song leaves open and rewrite "
            "its caption. What the song states stays as it is.",
            search_aliases=["ace step", "plan", "chain of thought", "metadata", "rewrite caption"],
            inputs=[
                lm_input(),
                SongSocket.Input("song", tooltip="The song to plan."),
                io.Boolean.Input(
                    "metadata",
                    default=True,
                    tooltip="Chooses tempo, length, key and time signature where they are open.",
                ),
                io.Boolean.Input(
                    "caption",
                    default=True,
                    tooltip="Rewrites the caption: more detailed, in the form that the models "
                    "were trained on.",
                ),
                io.Boolean.Input(
                    "language",
                    default=True,
                    tooltip="Chooses the language of the lyrics where it is open.",
                ),
                *text_inputs(),
            ],
            outputs=[
                SongSocket.Output(display_name="song", tooltip="The song with its plan."),
                io.String.Output(display_name="report", tooltip="The chosen values, as text."),
                io.String.Output(
                    display_name="thoughts", tooltip="The model's chain of thought, as text."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, lm, song: Song, metadata: bool, caption: bool, language: bool, **text: Any
    ) -> io.NodeOutput:
        lm, cot = connected_lm(lm), CotFields(metadata, caption, language)
        plan = functions.think(lm, without_plan(song), cot, text_options(lm, text))
        return io.NodeOutput(with_plan(plan), report(plan.metadata, plan.warnings), plan.text)


class AceStepComposeCodes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15ComposeCodes",
            display_name="ACE-Step Compose Codes",
            category=CATEGORY,
            description="Lets the language model generate the song's audio codes, five per "
            "second: its melody and arrangement, for the diffusion model to render.",
            search_aliases=[
                "ace step",
                "melody",
                "audio codes",
                "semantic tokens",
                "generate codes",
            ],
            inputs=[
                lm_input(),
                SongSocket.Input("song", tooltip="The song, best with its plan from Think."),
                batch_input("How many variations to generate at once, each from its own seed."),
                seed_input(
                    "Seed of the first variation; the others are derived from it and "
                    "listed in the report."
                ),
                io.Float.Input(
                    "cfg",
                    default=2.0,
                    min=1.0,
                    max=10.0,
                    step=0.1,
                    tooltip="Classifier-free guidance scale: how strongly the codes follow the "
                    "song. 1: off, twice as fast.",
                ),
                *sampling_inputs(),
                *_advanced_inputs(),
            ],
            outputs=[
                CodesSocket.Output(display_name="codes", tooltip="One piece per variation."),
                io.String.Output(display_name="report", tooltip="What was done, as text."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        lm,
        song: Song,
        batch_size: int,
        seed: int,
        cfg: float,
        negative_prompt: str,
        legacy_prompt: bool,
        chunk_size: int,
        trace: bool,
        **given: Any,
    ) -> io.NodeOutput:
        from . import host

        lm, seeds = connected_lm(lm), seeds_for(batch_size, [seed], rng_seed=seed)
        options = CodesOptions(
            seeds=seeds,
            sampling=sampling_params(given),
            cfg_scale=cfg,
            negative_prompt=negative_prompt,
            legacy_prompt=legacy_prompt,
            chunk=chunk_size,
            on_step=host.token_progress(lm, trace, "code", open_end=False),
        )
        codes = functions.compose_codes(lm, [plan_of(song)] * batch_size, options)
        lines = [
            f"{len(each)} codes, {each.seconds:g} s, seed {own}"
            for each, own in zip(codes, seeds, strict=True)
        ]
        return io.NodeOutput(tuple(codes), "\n".join(lines))


def _advanced_inputs() -> list[io.Input]:
    return [
        io.String.Input(
            "negative_prompt",
            multiline=True,
            default="",
            dynamic_prompts=False,
            advanced=True,
            tooltip="What to steer away from. Empty: the unconditional prompt.",
        ),
        io.Boolean.Input(
            "legacy_prompt",
            default=False,
            advanced=True,
            tooltip="The prompt layout of early releases and of ComfyUI's own node.",
        ),
        io.Int.Input(
            "chunk_size",
            default=BATCH_RANGE[1],
            min=1,
            max=BATCH_RANGE[1],
            advanced=True,
            tooltip="How many variations to generate in one batch; fewer need less memory.",
        ),
        trace_input(),
    ]


class AceStepCreateSample(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15CreateSample",
            display_name="ACE-Step Create Sample",
            category=CATEGORY,
            description="Makes a whole song from an idea: caption, lyrics, tempo, key and the "
            "rest.",
            search_aliases=["ace step", "inspiration", "idea", "simple mode", "write lyrics"],
            inputs=[
                lm_input(),
                io.String.Input(
                    "query",
                    multiline=True,
                    default="",
                    tooltip="The idea, in a sentence or two. Empty: the model chooses one.",
                    placeholder="a song for a rainy Sunday morning",
                ),
                io.Boolean.Input("instrumental", default=False, tooltip="No vocals."),
                io.Combo.Input(
                    "language",
                    options=[AUTO, *LANGUAGES],
                    default=AUTO,
                    tooltip="Language of the lyrics, by its code.",
                ),
                io.Float.Input(
                    "seconds",
                    default=0.0,
                    min=0.0,
                    max=SECONDS_RANGE[1],
                    step=0.1,
                    tooltip=f"Length, {SECONDS_RANGE[0]:g} to {SECONDS_RANGE[1]:g} seconds. 0: the "
                    "model chooses it.",
                ),
                *text_inputs(DESCRIBING),
            ],
            outputs=_sample_outputs("The whole song."),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, seconds: float | None) -> bool | str:
        return checked(check_seconds, seconds)

    @classmethod
    def execute(
        cls,
        lm,
        query: str,
        instrumental: bool,
        language: str,
        seconds: float,
        **text: Any,
    ) -> io.NodeOutput:
        lm = connected_lm(lm)
        idea = clean(query)
        sample = functions.create_sample(
            lm,
            idea.text,
            instrumental,
            None if language == AUTO else language,
            text_options(lm, text),
            seconds or None,
        )
        return _sample_output(sample, idea.notes("query"))


class AceStepFormatSample(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15FormatSample",
            display_name="ACE-Step Format Sample",
            category=CATEGORY,
            description="Rewrites a draft in the form that the models were trained on: a more "
            "detailed caption, lyrics with section tags, and values for what was left open. What "
            "the song states stays as it is.",
            search_aliases=["ace step", "polish", "enhance prompt", "structure lyrics"],
            inputs=[
                lm_input(),
                SongSocket.Input("song", tooltip="The draft."),
                *text_inputs(DESCRIBING),
            ],
            outputs=_sample_outputs("The song, polished."),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, lm, song: Song, **text: Any) -> io.NodeOutput:
        lm = connected_lm(lm)
        draft = without_plan(song)
        sample = functions.format_sample(lm, draft, text_options(lm, text))
        return _sample_output(sample, tag_notes(draft.lyrics))


class AceStepUnderstand(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = BATCH_RANGE
        return io.Schema(
            node_id="AceStep15Understand",
            display_name="ACE-Step Understand",
            category=CATEGORY,
            description="Describes the music of audio codes: style, tempo, key, language and "
            "lyrics.",
            search_aliases=["ace step", "analyse", "transcribe", "caption audio", "detect bpm"],
            inputs=[
                lm_input(),
                CodesSocket.Input("codes", tooltip="The music, from Encode Codes."),
                *text_inputs(DESCRIBING),
                io.Int.Input(
                    "item",
                    default=smallest,
                    min=smallest,
                    max=largest,
                    advanced=True,
                    tooltip="Which of several pieces to describe.",
                ),
            ],
            outputs=_sample_outputs("The description, as a song."),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, lm, codes: tuple[AudioCodes, ...], item: int, **text: Any) -> io.NodeOutput:
        if item > len(codes):
            raise InvalidRequestError(
                f"Piece {item} was asked for, but there are {len(codes)}. Set `item` to 1 to "
                f"{len(codes)}."
            )
        lm = connected_lm(lm)
        return _sample_output(functions.understand(lm, codes[item - 1], text_options(lm, text)))


def _sample_outputs(tooltip: str) -> list[io.Output]:
    return [
        SongSocket.Output(display_name="song", tooltip=tooltip),
        io.String.Output(display_name="report", tooltip="Metadata and lyrics, as text."),
        io.String.Output(display_name="text", tooltip="The model's output, unparsed."),
    ]


def _sample_output(sample: Sample, notes: Sequence[str] = ()) -> io.NodeOutput:
    """`notes` are of what the sample was made from."""
    found = sample.reply
    words = report(found.metadata, found.warnings, sample.song.lyrics)
    return io.NodeOutput(sample.song, "\n".join([*notes, words]), sample.text)
