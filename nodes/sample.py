"""The schedule of flow times, and the sampler."""

import logging

import torch
from comfy_api.latest import io

from ..ace_core.constants import SEED_RANGE
from ..ace_core.latents import latent_samples
from ..ace_core.sampling.guidance import Guidance
from ..ace_core.sampling.presets import preset, schedule_warnings
from ..ace_core.sampling.recipe import parse_seeds
from ..ace_core.sampling.schedules import custom_timesteps, parse_times, snap_to_turbo, timesteps
from ..ace_core.types import Variant
from .audio_preview import MIDDLE, OFF, make_preview, preview_inputs
from .dynamic import chosen
from .node_text import node_text, warning_lines
from .run_sampler import format_times, run_sampler
from .seeds import CATEGORY, make_noise, seed_inputs
from .sockets import GuidanceSocket
from .typed import checked

logger = logging.getLogger(__name__)

_AUTO, _CUSTOM, _TIMESTEPS = "auto", "custom", "timesteps"


class AceStepSchedule(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Schedule",
            display_name="ACE-Step Schedule",
            category=CATEGORY,
            description="The flow times (timesteps) of the sampling steps, as stock SIGMAS.",
            search_aliases=["ace step", "sigmas", "scheduler", "steps", "shift", "timesteps"],
            inputs=[
                io.Model.Input("model", tooltip="Its variant decides what auto means."),
                io.DynamicCombo.Input(
                    "settings",
                    options=[
                        io.DynamicCombo.Option(_AUTO, []),
                        io.DynamicCombo.Option(_CUSTOM, [_steps_input(), _shift_input()]),
                        io.DynamicCombo.Option(_TIMESTEPS, [_timesteps_input(), _snap_input()]),
                    ],
                    tooltip="auto: as the model was trained. custom: your own steps and shift. "
                    "timesteps: your own list.",
                ),
            ],
            outputs=[
                io.Sigmas.Output(display_name="sigmas", tooltip="Fits every stock sampler."),
                io.String.Output(display_name="report", tooltip="What was chosen, as text."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model, settings: dict | None = None) -> io.NodeOutput:
        from . import host

        settings = chosen(settings, "settings", (_AUTO, _CUSTOM, _TIMESTEPS))
        variant = (
            host.variant_of(model) if settings["settings"] == _AUTO else host.known_variant(model)
        )
        times, report = _schedule(settings, variant)
        warnings = schedule_warnings(variant, times)
        for warning in warnings:
            logger.warning(warning)
        sigmas = torch.tensor(times, dtype=torch.float32)
        said = warning_lines(warnings)
        return io.NodeOutput(sigmas, "\n".join([*said, *report]), ui=node_text(said))


def _schedule(settings: dict, variant: Variant | None) -> tuple[list[float], list[str]]:
    """The flow times, and the report's lines about them."""
    if settings["settings"] == _TIMESTEPS:
        return _custom_list(settings["timesteps"], settings["snap"], variant)
    if settings["settings"] == _CUSTOM:
        steps, shift, who = settings["steps"], settings["shift"], ""
    else:
        usual = preset(variant)  # pyright: ignore[reportArgumentType]  auto knows its variant
        steps, shift, who = usual.steps, usual.shift, f"{variant.value}: "  # pyright: ignore
    return timesteps(steps, shift), [f"{who}{steps} steps, shift {shift:g}"]


def _custom_list(text: str, snap: bool, variant: Variant | None) -> tuple[list[float], list[str]]:
    given = parse_times(text)
    times = custom_timesteps(given)
    lines = []
    if len(times) > len(given):
        lines.append("The list did not end with 0: it was added.")
    if snap and variant is Variant.TURBO:
        snapped = snap_to_turbo(times)
        times, lines = list(snapped.times), [*lines, *snapped.changes]
        for change in snapped.changes:
            logger.warning(change)
    return times, [f"{len(times) - 1} steps, at t = {format_times(times)}", *lines]


def _steps_input() -> io.Int.Input:
    return io.Int.Input(
        "steps",
        default=8,
        min=1,
        max=200,
        tooltip="Number of sampling steps: 8 for turbo, 32 or more for base and sft.",
    )


def _shift_input() -> io.Float.Input:
    return io.Float.Input(
        "shift",
        default=3.0,
        min=0.1,
        max=10.0,
        step=0.1,
        tooltip="1: even steps. Higher: more of them early, where the song's form is decided.",
    )


def _timesteps_input() -> io.String.Input:
    return io.String.Input(
        "timesteps",
        default="1, 0.95, 0.9, 0.83, 0.75, 0.64, 0.5, 0.3, 0",
        tooltip="Flow times falling from 1 (noise) to 0 (music), separated by commas. A missing 0 "
        "at the end is added.",
    )


def _snap_input() -> io.Boolean.Input:
    return io.Boolean.Input(
        "snap",
        default=True,
        tooltip="Turbo only: move each time to the nearest of the 20 that turbo was trained on, at "
        "most 20 steps. Off for turbo-continuous, which takes any time.",
    )


class AceStepSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15Sampler",
            display_name="ACE-Step Sampler",
            category=CATEGORY,
            description="Samples the music: from noise to a latent, with one seed per item.",
            search_aliases=["ace step", "ksampler", "generate music", "retake", "variation"],
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model, with LoRAs or without."),
                io.Sigmas.Input("sigmas", tooltip="From ACE-Step Schedule or a stock scheduler."),
                io.Conditioning.Input("positive", tooltip="The task, from its node."),
                io.Conditioning.Input("negative", tooltip="The unconditional task, for guidance."),
                io.Latent.Input("latent", tooltip="The latent of the task's node."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    control_after_generate=True,
                    tooltip="Seed of the first item; the others are derived from it and listed in "
                    "the report.",
                ),
                GuidanceSocket.Input(
                    "guidance",
                    optional=True,
                    tooltip="How strongly the song's text steers. Not connected: none for turbo, "
                    "APG at 7 for base and sft.",
                ),
                io.Sampler.Input(
                    "solver",
                    optional=True,
                    tooltip="From ACE-Step Solver, or a stock sampler. Not connected: Euler.",
                ),
                *seed_inputs(),
                *preview_inputs(),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The music, as a latent."),
                io.String.Output(display_name="report", tooltip="What was done, as text."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, seeds: str | None = None) -> bool | str:
        return checked(parse_seeds, seeds)

    @classmethod
    def execute(
        cls,
        model,
        sigmas: torch.Tensor,
        positive: list,
        negative: list,
        latent: dict,
        seed: int,
        guidance: Guidance | None = None,
        solver=None,
        vae=None,
        preview_every: int = OFF,
        preview_at: float = MIDDLE,
        **seeds,
    ) -> io.NodeOutput:
        preview = make_preview(latent, cls.hidden, vae, preview_every, preview_at)
        recipe = make_noise(seed, **seeds).recipe(len(latent_samples(latent)))
        task = positive, negative, latent
        done, lines = run_sampler(model, sigmas, task, recipe, guidance, solver, preview)
        return io.NodeOutput(done, "\n".join(lines), ui=node_text(lines))
