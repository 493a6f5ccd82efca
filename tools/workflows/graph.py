"""A workflow described once: nodes with their inputs, in groups.

From it come ComfyUI's two formats: `api` here, the page's in `page_format.py`. Inputs and outputs
of a node are read from its schema, so a workflow cannot name an input that does not exist. Nodes
behind one node are a `Subgraph`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DYNAMIC = "COMFY_DYNAMICCOMBO_V3"
PLAYER = "AUDIO_UI"  # a widget that holds nothing of ours
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", DYNAMIC)


@dataclass(frozen=True)
class Out:
    """One output of a node, to be put where another node wants an input."""

    node: "Node"
    name: str


@dataclass
class Node:
    """`inputs` has those that differ from their defaults; `files` are its model downloads."""

    kind: str
    inputs: dict[str, Any]
    files: tuple[Any, ...] = ()  # ace_core.weights.published.ModelFile
    inside: "Subgraph | None" = None
    folded: bool = False  # drawn as its title alone

    def out(self, name: str) -> Out:
        return Out(self, name)


@dataclass
class Group:
    """Nodes under one title, in a column of the page; columns are counted from the left."""

    title: str
    column: int
    nodes: list[Node] = field(default_factory=list)

    def add(self, kind: str, files: tuple[Any, ...] = (), /, **inputs: Any) -> Node:
        node = Node(kind, inputs, files)
        self.nodes.append(node)
        return node

    def fold(self, kind: str, files: tuple[Any, ...] = (), /, **inputs: Any) -> Node:
        """A node that one seldom looks into: its title alone is drawn."""
        node = self.add(kind, files, **inputs)
        node.folded = True
        return node

    def add_subgraph(self, inside: "Subgraph") -> Node:
        node = Node(inside.kind, {}, inside=inside)
        self.nodes.append(node)
        return node


@dataclass
class Flow:
    """A whole workflow; `note` is markdown that stands beside it. `first` numbers its nodes."""

    name: str
    title: str
    note: str
    groups: list[Group] = field(default_factory=list)
    first: int = 1

    def group(self, title: str, column: int = 0) -> Group:
        """The group of that title; the first call says where it stands."""
        for each in self.groups:
            if each.title == title:
                return each
        self.groups.append(Group(title, column))
        return self.groups[-1]

    @property
    def nodes(self) -> list[Node]:
        return [node for group in self.groups for node in group.nodes]

    def number(self, node: Node) -> int:
        """Its id in both formats: nodes are counted in the order of the description."""
        numbered = enumerate(self.nodes, start=self.first)
        return next(number for number, each in numbered if each is node)


@dataclass(frozen=True)
class PromotedWidget:
    """A widget that a subgraph shows on its node. Its value is the one of the node inside."""

    name: str
    node: Node
    widget: str


@dataclass
class Subgraph:
    """A flow behind one node. `name` is what the page calls it."""

    name: str
    flow: Flow
    promoted: tuple[PromotedWidget, ...]
    outputs: dict[str, Out]

    @property
    def kind(self) -> str:
        """The node's type, in place of a class name."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep15/subgraph/{self.flow.name}"))


@dataclass(frozen=True)
class Socket:
    """One input or output, as the host describes it."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False

    @property
    def is_widget(self) -> bool:
        return self.kind in WIDGETS and not self.settings.get("forceInput")


@dataclass(frozen=True)
class SubgraphInterface:
    """The inputs and outputs of a subgraph, used where a node class is."""

    title: str
    inputs: list[Socket]
    outputs: list[Socket]


def with_subgraphs(flow: Flow, classes: Mapping[str, Any]) -> Mapping[str, Any]:
    """`classes`, and the interfaces of the flow's subgraphs under their kinds."""
    subgraphs = {node.kind: _interface(node.inside, classes) for node in flow.nodes if node.inside}
    return {**classes, **subgraphs}


def _interface(inside: Subgraph, classes: Mapping[str, Any]) -> SubgraphInterface:
    inputs = []
    for widget in inside.promoted:
        sockets = {each.name: each for each in inputs_of(classes[widget.node.kind])}
        shown = sockets[widget.widget]
        value = widget_values(widget.node, list(sockets.values()))[widget.widget]
        inputs.append(Socket(widget.name, shown.kind, {**shown.settings, "default": value}))
    outputs = []
    for name, out in inside.outputs.items():
        source = outputs_of(classes[out.node.kind])[slot_of(out, classes)]
        outputs.append(Socket(name, source.kind))
    return SubgraphInterface(inside.name, inputs, outputs)


def inputs_of(node_class: Any) -> list[Socket]:
    """The inputs in the order of the page: required ones first."""
    if isinstance(node_class, SubgraphInterface):
        return node_class.inputs
    types = node_class.INPUT_TYPES()
    return [
        _socket(name, spec, needed == "optional")
        for needed in ("required", "optional")
        for name, spec in types.get(needed, {}).items()
    ]


def slots_of(node_class: Any) -> list[Socket]:
    """The inputs that are drawn as slots: no widgets, and no player."""
    return [each for each in inputs_of(node_class) if not each.is_widget and each.kind != PLAYER]


def connectable_of(node_class: Any) -> list[Socket]:
    """All inputs that a wire can lead to, in the order of the page: slots, then widgets."""
    widgets = [each for each in inputs_of(node_class) if each.is_widget]
    return [*slots_of(node_class), *widgets]


def outputs_of(node_class: Any) -> list[Socket]:
    """The outputs under the names that the page shows."""
    if isinstance(node_class, SubgraphInterface):
        return node_class.outputs
    if hasattr(node_class, "GET_SCHEMA"):
        outputs = node_class.GET_SCHEMA().outputs
        return [Socket(each.display_name or each.io_type, each.io_type) for each in outputs]
    names = getattr(node_class, "RETURN_NAMES", node_class.RETURN_TYPES)
    return [Socket(*pair) for pair in zip(names, node_class.RETURN_TYPES, strict=True)]


def _socket(name: str, spec: Any, optional: bool) -> Socket:
    kind, settings = spec[0], dict(spec[1]) if len(spec) > 1 else {}
    if isinstance(kind, list):  # the old way to write a choice
        kind, settings = "COMBO", settings | {"options": kind}
    # the host's "*" is an enumeration's member that is unequal to nothing
    return Socket(name, getattr(kind, "value", kind), settings, optional)


def widget_values(node: Node, sockets: list[Socket], prefix: str = "") -> dict[str, Any]:
    """The value of each widget by its flat name (`settings.steps`), in the order of the page.

    Raises:
        ValueError: the description names an input that the node does not have.
    """
    values: dict[str, Any] = {}
    for socket in sockets:
        if not socket.is_widget:
            continue
        name = prefix + socket.name
        value = node.inputs.get(name, _default(socket))
        values[name] = _default(socket) if isinstance(value, Out) else value  # wired: unused
        if socket.kind == DYNAMIC:
            values |= widget_values(node, sub_sockets(socket, values[name]), f"{name}.")
    if not prefix:
        known = {*values, *(socket.name for socket in sockets)}
        unknown = sorted(set(node.inputs) - known)
        if unknown:
            raise ValueError(f"{node.kind} has no inputs {unknown}; it has {sorted(known)}")
    return values


def _default(socket: Socket) -> Any:
    if "default" in socket.settings:
        return socket.settings["default"]
    options = socket.settings.get("options", [])
    if socket.kind == DYNAMIC:
        return options[0]["key"]
    return options[0] if options else None


def sub_sockets(socket: Socket, chosen: str) -> list[Socket]:
    """The inputs that a dynamic combo shows for the option that was chosen."""
    for option in socket.settings["options"]:
        if option["key"] == chosen:
            return [
                _socket(name, spec, place == "optional")
                for place in ("required", "optional")
                for name, spec in option["inputs"].get(place, {}).items()
            ]
    raise ValueError(f"{socket.name} has no option {chosen!r}")


def slot_of(out: Out, classes: Mapping[str, Any]) -> int:
    """Which output of its node `out` is."""
    names = [socket.name for socket in outputs_of(classes[out.node.kind])]
    return names.index(out.name)


def api(flow: Flow, classes: Mapping[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """What /prompt takes: every value and every link by name. `path` leads to a flow within."""
    classes = with_subgraphs(flow, classes)
    prompt: dict[str, dict[str, Any]] = {}
    for node in flow.nodes:
        number = f"{path}{flow.number(node)}"
        if node.inside is not None:
            prompt |= api(node.inside.flow, classes, f"{number}:")
            continue
        node_class = classes[node.kind]
        links = {
            name: _reference(flow, value, classes, path)
            for name, value in node.inputs.items()
            if isinstance(value, Out)
        }
        prompt[number] = {
            "class_type": node.kind,
            "inputs": {**widget_values(node, inputs_of(node_class)), **links},
            "_meta": {"title": title_of(node_class, node)},
        }
    return prompt


def _reference(flow: Flow, out: Out, classes: Mapping[str, Any], path: str) -> list[Any]:
    """[number of the node, slot]; of a subgraph it is the node inside."""
    number, inside = f"{path}{flow.number(out.node)}", out.node.inside
    if inside is None:
        return [number, slot_of(out, classes)]
    return _reference(inside.flow, inside.outputs[out.name], classes, f"{number}:")


def title_of(node_class: Any, node: Node) -> str:
    """What stands on the node; of a folded one without the pack's name, for which it is short."""
    kind = node.kind
    if isinstance(node_class, SubgraphInterface):
        return node_class.title
    if not hasattr(node_class, "GET_SCHEMA"):
        return STOCK_TITLES[kind]
    title = STOCK_TITLES.get(kind) or node_class.GET_SCHEMA().display_name or kind
    return title.removeprefix(FAMILY) if node.folded else title


FAMILY = "ACE-Step "  # with which the names of our nodes begin
STOCK_TITLES = {
    "AudioMerge": "Audio Merge",
    "CreateVideo": "Create Video",
    "EmptyImage": "Empty Image",
    "ImageCompositeMasked": "Image Composite Masked",
    "KSampler": "KSampler",
    "KSamplerSelect": "KSamplerSelect",
    "DualCLIPLoader": "DualCLIPLoader",
    "PreviewAny": "Preview as Text",
    "PreviewImage": "Preview Image",
    "SamplerCustomAdvanced": "SamplerCustomAdvanced",
    "SaveVideo": "Save Video",
    "UNETLoader": "Load Diffusion Model",
    "VAELoader": "Load VAE",
}
