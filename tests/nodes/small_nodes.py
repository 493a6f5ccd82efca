"""Nodes of the tests' own, for what an executor does with any node."""

from typing import Any

from tools.hosts.host import Host

COUNT: list[str] = []  # which nodes ran, in order


def registered(host: Host) -> dict[str, Any]:  # noqa: C901  four classes, no branches
    """Four small nodes, registered with the host."""
    from comfy_api.latest import io, ui

    choice = io.DynamicCombo.Input(
        "task",
        options=[
            io.DynamicCombo.Option("whole", []),
            io.DynamicCombo.Option(
                "part", [io.Float.Input("start", default=0.0, min=0.0), io.Float.Input("end")]
            ),
        ],
    )

    class Number(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(
                node_id="ToyNumber",
                inputs=[
                    io.Int.Input("value", default=1, min=0, max=10),
                    io.Combo.Input("unit", options=["s", "ms"]),
                    io.Combo.Input("track", options=["drums", "bass"], optional=True),
                ],
                outputs=[io.Int.Output("number"), io.String.Output("text")],
            )

        @classmethod
        def execute(cls, value, unit, track=None):
            COUNT.append("number")
            return io.NodeOutput(value, f"{value} {unit} {track}")

    class Work(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(
                node_id="ToyWork",
                inputs=[io.Int.Input("steps", default=1), choice],
                outputs=[io.String.Output()],
                hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            )

        @classmethod
        def execute(cls, steps, task):
            import comfy.utils

            COUNT.append("work")
            if steps == 7:
                raise ValueError("seven is not allowed")
            bar = comfy.utils.ProgressBar(steps, node_id=cls.hidden.unique_id)
            for step in range(steps):
                bar.update_absolute(step + 1)
            said = {
                "id": cls.hidden.unique_id,
                "task": dict(sorted(task.items())),
                "png": cls.hidden.extra_pnginfo,
            }
            return io.NodeOutput(f"{said} {sorted(cls.hidden.prompt)}")

    class Judge(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            inputs = [io.Int.Input("odd", min=0, max=3), io.Int.Input("other", max=3)]
            return io.Schema(node_id="ToyJudge", inputs=inputs, outputs=[io.String.Output()])

        @classmethod
        def validate_inputs(cls, odd):
            return True if odd is None or odd % 2 else f"{odd} is even"

        @classmethod
        def execute(cls, odd, other):
            return io.NodeOutput(str(odd))

    class Show(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(
                node_id="ToyShow", inputs=[io.String.Input("text")], is_output_node=True
            )

        @classmethod
        def execute(cls, text):
            COUNT.append("show")
            return io.NodeOutput(ui=ui.PreviewText(text))

    classes = {each.GET_SCHEMA().node_id: each for each in (Number, Work, Judge, Show)}
    host.nodes.update(classes)
    return classes
