"""Guidance, solvers and DCW: for our sampler, and as stock GUIDER, SAMPLER and MODEL for others."""

from typing import Any

from comfy_api.latest import io

from ..ace_core.sampling.dcw import DCW, DCW_OFF, DCWMode
from ..ace_core.sampling.guidance import Guidance, GuidanceKind
from ..ace_core.sampling.solvers import Solver
from .dynamic import chosen
from .seeds import CATEGORY
from .sockets import GuidanceSocket

_KINDS = (
    GuidanceKind.APG,
    GuidanceKind.ADG,
    GuidanceKind.CFG,
    GuidanceKind.ADG_W_NORM,
    GuidanceKind.ADG_WO_CLIP,
)


class AceStepGuidance(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Guidance",
            display_name="ACE-Step Guidance",
            category=CATEGORY,
            description="How strongly the song's text steers base and sft. Turbo needs none.",
            search_aliases=["ace step", "cfg", "apg", "adg", "guidance scale", "cfg interval"],
            inputs=[
                io.Combo.Input(
                    "kind",
                    options=[kind.value for kind in _KINDS],
                    default=GuidanceKind.APG.value,
                    tooltip="apg: adaptive projected guidance, free of saturation, the official "
                    "default. adg: guidance by angles, stays near the model's unguided sound. "
                    "cfg: classifier-free guidance. adg_w_norm: adg over wider angles at the "
                    "unguided level. adg_wo_clip: adg with no limit of the angle.",
                ),
                io.Float.Input(
                    "scale",
                    default=7.0,
                    min=1.0,
                    max=30.0,
                    step=0.1,
                    tooltip="1: none. 7 is usual.",
                ),
                _flow_time_input(
                    "start", 0.0, "Lowest flow time that is guided; 0 is the last step."
                ),
                _flow_time_input(
                    "end", 1.0, "Highest flow time that is guided; 1 is the first step."
                ),
                io.Float.Input(
                    "norm_threshold",
                    default=0.0,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    advanced=True,
                    tooltip="Largest norm of the velocity, in norms of the latent; 2 is usual. 0: "
                    "off.",
                ),
                io.Float.Input(
                    "velocity_ema",
                    default=0.0,
                    min=0.0,
                    max=0.99,
                    step=0.01,
                    advanced=True,
                    tooltip="Share of the previous step's velocity that is kept; 0.1 is usual. 0: "
                    "off.",
                ),
            ],
            outputs=[
                GuidanceSocket.Output(
                    display_name="guidance", tooltip="For ACE-Step Sampler and ACE-Step Guider."
                )
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        kind: str,
        scale: float,
        start: float,
        end: float,
        norm_threshold: float,
        velocity_ema: float,
    ) -> io.NodeOutput:
        guidance = Guidance(
            GuidanceKind(kind), scale, (start, end), norm_threshold or None, velocity_ema
        )
        return io.NodeOutput(guidance)


def _flow_time_input(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.01, tooltip=tooltip)


class AceStepGuider(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Guider",
            display_name="ACE-Step Guider",
            category=CATEGORY,
            description="ACE-Step Guidance as a stock GUIDER, for SamplerCustomAdvanced.",
            search_aliases=["ace step", "cfg guider", "apg guider", "basic guider"],
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model, with LoRAs or without."),
                io.Conditioning.Input("positive", tooltip="The task, from its node."),
                io.Conditioning.Input("negative", tooltip="The unconditional task, for guidance."),
                GuidanceSocket.Input(
                    "guidance", optional=True, tooltip="Not connected: none, one forward per step."
                ),
            ],
            outputs=[io.Guider.Output(display_name="guider", tooltip="A stock GUIDER.")],
        )

    @classmethod
    def execute(
        cls, model, positive: list, negative: list, guidance: Guidance | None = None
    ) -> io.NodeOutput:
        from . import host

        return io.NodeOutput(host.guider(model, positive, negative, guidance))


class AceStepSolver(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Solver",
            display_name="ACE-Step Solver",
            category=CATEGORY,
            description="The solver of the flow's equation, from noise to music, as a stock "
            "SAMPLER; keeps what a repaint keeps and corrects the steps (DCW).",
            search_aliases=["ace step", "euler", "heun", "sde", "ksampler select", "dcw"],
            inputs=[
                io.Combo.Input(
                    "solver",
                    options=[solver.value for solver in Solver],
                    default=Solver.EULER.value,
                    tooltip="euler: one forward per step. heun: two, more exact. sde: adds new "
                    "noise in each step, seeded per item.",
                ),
                _dcw_input(
                    optional=True,
                    tooltip="Correction of each step in the wavelet domain. auto: on for turbo, as "
                    "officially, off for base and sft. off: turbo's songs of before. low, high, "
                    "double: the bands to correct. pix: without a transform.",
                ),
            ],
            outputs=[io.Sampler.Output(display_name="sampler", tooltip="A stock SAMPLER.")],
        )

    @classmethod
    def execute(cls, solver: str, dcw: dict[str, Any] | None = None) -> io.NodeOutput:
        from . import host

        return io.NodeOutput(host.ace_solver(Solver(solver), _chosen_dcw(dcw)))


class AceStepDCW(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15DCW",
            display_name="ACE-Step DCW",
            category=CATEGORY,
            description="Corrects each step in the wavelet domain under stock samplers (KSampler "
            "with euler), as ACE-Step Solver does by itself.",
            search_aliases=["ace step", "dcw", "wavelet", "model patch", "correction"],
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model, with LoRAs or without."),
                _dcw_input(
                    tooltip="auto: on for turbo, as officially, off for base and sft. off: none. "
                    "low, high, double: the bands to correct. pix: without a transform.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="model",
                    tooltip="For stock samplers. ACE-Step Solver keeps to its own setting.",
                ),
                io.String.Output(display_name="report", tooltip="What was chosen, as text."),
            ],
        )

    @classmethod
    def execute(cls, model, dcw: dict[str, Any] | None = None) -> io.NodeOutput:
        from . import host

        dcw = chosen(dcw, "dcw", (_AUTO, _OFF, *(mode.value for mode in DCWMode)))
        return io.NodeOutput(*host.with_dcw(model, _chosen_dcw(dcw)))


_AUTO, _OFF = "auto", "off"


def _chosen_dcw(values: dict[str, Any] | None) -> DCW | None:
    """The value of `_dcw_input`; None: the variant decides."""
    name = _AUTO if values is None else values["dcw"]
    if name in (_AUTO, _OFF):
        return None if name == _AUTO else DCW_OFF
    given = {} if values is None else {key: values.get(key) for key in ("scaler", "high_scaler")}
    scalers = {key: value for key, value in given.items() if value is not None}
    return DCW(DCWMode(name), **scalers)


def _dcw_input(tooltip: str, optional: bool = False) -> io.DynamicCombo.Input:
    usual = DCW()
    scaler = _scaler_input(
        "scaler", usual.scaler, "How far it is moved; of two bands the low one. 0: not at all."
    )
    high = _scaler_input(
        "high_scaler", usual.high_scaler, "How far the high band is moved. 0: not at all."
    )
    inputs = {mode: [scaler, high] if mode is DCWMode.DOUBLE else [scaler] for mode in DCWMode}
    return io.DynamicCombo.Input(
        "dcw",
        options=[
            io.DynamicCombo.Option(_AUTO, []),
            io.DynamicCombo.Option(_OFF, []),
            *(io.DynamicCombo.Option(mode.value, own) for mode, own in inputs.items()),
        ],
        optional=optional,
        tooltip=tooltip,
    )


def _scaler_input(name: str, default: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=default, min=-1.0, max=1.0, step=0.01, optional=True, tooltip=tooltip
    )
