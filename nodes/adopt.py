"""Models of other loaders, made ready for every task and every sampler."""

from comfy_api.latest import io

from .load import CATEGORY, variant_choice, variant_input


class AceStepAdoptModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15AdoptModel",
            display_name="ACE-Step Adopt Model",
            category=CATEGORY,
            description="Makes a MODEL of ComfyUI's own loader (or of a GGUF loader) hear every "
            "ACE-Step task in every stock sampler. Its weights and LoRAs stay as they are, and "
            "nothing is loaded twice. ACE-Step's own sampler needs this node only to be told the "
            "variant.",
            search_aliases=["ace step", "unet loader", "native model", "gguf", "convert model"],
            inputs=[
                io.Model.Input("model", tooltip="ACE-Step 1.5 from any loader, LoRAs included."),
                variant_input(),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The same weights, for any sampler.")
            ],
        )

    @classmethod
    def execute(cls, model, variant: str) -> io.NodeOutput:
        from . import host

        return io.NodeOutput(host.adopted(model, variant_choice(variant)))
