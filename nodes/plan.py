"""From a song to its plan, and from the plan to audio codes; and a song taken apart."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.constants import BATCH_RANGE
from ..ace_core.lm import functions
from ..ace_core.lm.functions import CodesOptions
from ..ace_core.lm.plan import Wanted
from ..ace_core.sampling.noise import seeds_for
from ..ace_core.types import Song
from .planned import plain, plan_of, planned
from .sockets import CodesSocket, SongSocket
from .song import AUTO, METERS
from .tasks import batch_input
from .writing import (
    lm_input,
    picking,
    picking_inputs,
    report,
    seed_input,
    text_inputs,
    text_options,
    trace_input,
    writer,
)

CATEGORY = "audio/ACE-Step/plan"


class AceStepThink(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Think",
            display_name="ACE-Step Think",
            category=CATEGORY,
            description="Lets the language model fill what the song leaves open, and word its "
            "caption anew. What the song states stays as it is.",
            search_aliases=["ace step", "plan", "chain of thought", "metadata", "rewrite caption"],
            inputs=[
                lm_input(),
                SongSocket.Input("song", tooltip="What is asked for."),
                io.Boolean.Input(
                    "metadata",
                    default=True,
                    tooltip="Chooses tempo, length, key and time signature where they are open.",
                ),
                io.Boolean.Input(
                    "caption",
                    default=True,
                    tooltip="Words the caption anew, richer and as the models were trained.",
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
                io.String.Output(display_name="report", tooltip="What was settled, in words."),
                io.String.Output(display_name="thoughts", tooltip="What the model wrote."),
            ],
        )

    @classmethod
    def execute(
        cls, lm, song: Song, metadata: bool, caption: bool, language: bool, **writing: Any
    ) -> io.NodeOutput:
        lm, wanted = writer(lm), Wanted(metadata, caption, language)
        plan = functions.think(lm, plain(song), wanted, text_options(lm, writing))
        return io.NodeOutput(planned(plan), report(plan.metadata, plan.unread), plan.text)


class AceStepComposeCodes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15ComposeCodes",
            display_name="ACE-Step Compose Codes",
            category=CATEGORY,
            description="Lets the language model write the song down as audio codes, five a "
            "second: its melody and arrangement, for the diffusion model to play.",
            search_aliases=["ace step", "audio codes", "semantic tokens", "generate codes"],
            inputs=[
                lm_input(),
                SongSocket.Input("song", tooltip="The song, best with its plan from Think."),
                batch_input("How many variations to write at once, each from its own seed."),
                seed_input("Of the first variation; the others' are drawn from it and reported."),
                io.Float.Input(
                    "cfg",
                    default=2.0,
                    min=1.0,
                    max=10.0,
                    step=0.1,
                    tooltip="How strongly the song steers its codes. 1: off, twice as fast.",
                ),
                *picking_inputs(),
                *_advanced_inputs(),
            ],
            outputs=[
                CodesSocket.Output(display_name="codes", tooltip="One piece a variation."),
                io.String.Output(display_name="report", tooltip="What was done, in words."),
            ],
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
        chunk: int,
        trace: bool,
        **given: Any,
    ) -> io.NodeOutput:
        from . import host

        lm, seeds = writer(lm), seeds_for(batch_size, [seed], rng_seed=seed)
        options = CodesOptions(
            seeds=seeds,
            picking=picking(given),
            guidance=cfg,
            negative=negative_prompt,
            legacy=legacy_prompt,
            chunk=chunk,
            on_step=host.watched(lm, trace),
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
            tooltip="What to lead away from. Empty: from no song in particular.",
        ),
        io.Boolean.Input(
            "legacy_prompt",
            default=False,
            advanced=True,
            tooltip="The prompt layout of early releases and of ComfyUI's own node.",
        ),
        io.Int.Input(
            "chunk",
            default=BATCH_RANGE[1],
            min=1,
            max=BATCH_RANGE[1],
            advanced=True,
            tooltip="How many variations to write side by side; fewer need less memory.",
        ),
        trace_input(),
    ]


class AceStepSongDetails(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15SongDetails",
            display_name="ACE-Step Song Details",
            category=CATEGORY,
            description="Takes a song apart into plain values, which fit the widgets of ACE-Step "
            "Song. What is open comes out as 0 or auto.",
            search_aliases=["ace step", "split song", "metadata", "unpack"],
            inputs=[SongSocket.Input("song", tooltip="The song to take apart.")],
            outputs=[
                io.String.Output(display_name="caption", tooltip="Style, mood, instruments."),
                io.String.Output(display_name="lyrics", tooltip="Words and section tags."),
                io.Float.Output(display_name="seconds", tooltip="Length. 0: open."),
                io.Int.Output(display_name="bpm", tooltip="Beats per minute. 0: open."),
                io.Combo.Output(display_name="key", tooltip="Key and mode."),
                io.Combo.Output(display_name="time_signature", tooltip="Beats in a bar."),
                io.Combo.Output(display_name="language", tooltip="Language, by its code."),
            ],
        )

    @classmethod
    def execute(cls, song: Song) -> io.NodeOutput:
        meters = {numerator: written for written, numerator in METERS.items()}
        return io.NodeOutput(
            song.caption,
            song.lyrics,
            song.seconds or 0.0,
            song.bpm or 0,
            song.key or AUTO,
            AUTO if song.time_signature is None else meters[song.time_signature],
            song.language or AUTO,
        )
