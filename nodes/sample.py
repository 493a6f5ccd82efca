"""When to look and how to walk: schedules and the sampler."""

import torch
from comfy_api.latest import io

from ..ace_core.constants import SEED_RANGE
from ..ace_core.sampling.flow import timesteps
from ..ace_core.sampling.guidance import Guidance
from ..ace_core.sampling.noise import seeds_for
from ..ace_core.sampling.presets import preset
from .sockets import GuidanceSocket

_CATEGORY = "audio/ACE-Step/sample"
_AUTO, _CUSTOM = "auto", "custom"


class AceStepSchedule(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Schedule",
            display_name="ACE-Step Schedule",
            category=_CATEGORY,
            description="The flow times at which the model is asked, as stock SIGMAS.",
            search_aliases=["ace step", "sigmas", "scheduler", "steps", "shift"],
            inputs=[
                io.Model.Input("model", tooltip="Its variant decides what auto means."),
                io.DynamicCombo.Input(
                    "settings",
                    options=[
                        io.DynamicCombo.Option(_AUTO, []),
                        io.DynamicCombo.Option(_CUSTOM, [_steps_input(), _shift_input()]),
                    ],
                    tooltip="auto: as the model was trained. custom: your own steps and shift.",
                ),
            ],
            outputs=[
                io.Sigmas.Output(display_name="sigmas", tooltip="Fits every stock sampler."),
                io.String.Output(display_name="report", tooltip="What was chosen, in words."),
            ],
        )

    @classmethod
    def execute(cls, model, settings: dict) -> io.NodeOutput:
        if settings["settings"] == _CUSTOM:
            steps, shift = settings["steps"], settings["shift"]
            report = f"{steps} steps, shift {shift:g}"
        else:
            from . import host

            variant = host.variant_of(model)
            steps, shift = preset(variant).steps, preset(variant).shift
            report = f"{variant.value}: {steps} steps, shift {shift:g}"
        times = torch.tensor(timesteps(steps, shift), dtype=torch.float32)
        return io.NodeOutput(times, report)


def _steps_input() -> io.Int.Input:
    return io.Int.Input(
        "steps",
        default=8,
        min=1,
        max=200,
        tooltip="How often the model is asked: 8 for turbo, 32 or more for base and sft.",
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


class AceStepSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        smallest, largest = SEED_RANGE
        return io.Schema(
            node_id="AceStep15Sampler",
            display_name="ACE-Step Sampler",
            category=_CATEGORY,
            description="Makes the music: from noise to a latent, one seed an item.",
            search_aliases=["ace step", "ksampler", "generate music"],
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model, with LoRAs or without."),
                io.Sigmas.Input("sigmas", tooltip="From ACE-Step Schedule or a stock scheduler."),
                io.Conditioning.Input("positive", tooltip="The task, from its node."),
                io.Conditioning.Input("negative", tooltip="The task without words."),
                io.Latent.Input("latent", tooltip="The canvas, from the task's node."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=smallest,
                    max=largest,
                    control_after_generate=True,
                    tooltip="Of the first item; the seeds of the others are drawn from it and "
                    "written in the report.",
                ),
                GuidanceSocket.Input(
                    "guidance",
                    optional=True,
                    tooltip="How strongly the words steer. Not connected: none for turbo, APG at 7 "
                    "for base and sft.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The music, not yet audible."),
                io.String.Output(display_name="report", tooltip="What was done, in words."),
            ],
        )

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
    ) -> io.NodeOutput:
        from . import host

        guidance = guidance or preset(host.variant_of(model)).guidance
        seeds = seeds_for(len(latent["samples"]), [seed], rng_seed=seed)
        guided = host.guider(model, positive, negative, guidance)
        done = host.sample(guided, latent, sigmas, seeds)
        return io.NodeOutput(done, _report(host.variant_of(model).value, sigmas, seeds, guidance))


def _report(
    variant: str, sigmas: torch.Tensor, seeds: tuple[int, ...], guidance: Guidance | None
) -> str:
    times = ", ".join(f"{t:.4g}" for t in sigmas.tolist())
    steered = "no guidance"
    if guidance is not None:
        steered = f"{guidance.kind.value.upper()} guidance {guidance.scale:g}"
    return "\n".join(
        [
            f"model: {variant}",
            f"steps: {len(sigmas) - 1}, at t = {times}",
            f"guidance: {steered}",
            f"seeds: {', '.join(map(str, seeds))}",
        ]
    )
