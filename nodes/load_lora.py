"""Adapters from files: LoRA, LoKr, LoHa and DoRA at the strength they were trained with."""

from comfy_api.latest import io

from . import folders

LORAS = "loras"
_SHOWN = 5  # keys that fit nothing, in the report


class AceStepLoadLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadLoRA",
            display_name="ACE-Step Load LoRA",
            category="audio/ACE-Step/load",
            description="Puts a LoRA, LoKr, LoHa or DoRA on a model at its true strength: alpha "
            "and rank come from adapter_config.json where the file has none.",
            search_aliases=["ace step", "lora loader", "lokr", "loha", "dora", "peft", "adapter"],
            inputs=[
                io.Model.Input("model", tooltip="From ACE-Step Load Model, or another Load LoRA."),
                io.Combo.Input(
                    "file",
                    options=folders.choices(LORAS),
                    tooltip="An adapter's file, or the adapter_model.safetensors of a PEFT folder. "
                    "Files are looked for in models/loras.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-10.0,
                    max=10.0,
                    step=0.05,
                    tooltip="1: as it was trained. 0: not at all. Below 0: its opposite.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model with the adapter."),
                io.String.Output(display_name="report", tooltip="What fitted and what did not."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(LORAS, file) or True

    @classmethod
    def execute(cls, model, file: str, strength: float) -> io.NodeOutput:
        from . import host

        changed, adapter = host.with_adapter(model, folders.model_path(LORAS, file), strength)
        lines = [f"{file}: {len(adapter.changes)} weights changed, strength {strength:g}"]
        lines.append(f"strength 1 is: {adapter.scale}")
        if adapter.strange:
            listed = ", ".join(adapter.strange[:_SHOWN])
            more = ", ..." if len(adapter.strange) > _SHOWN else ""
            lines.append(f"{len(adapter.strange)} keys fit nothing: {listed}{more}")
        return io.NodeOutput(changed, "\n".join(lines))
