"""Write down what users' workflows hold of every node: `python -m tools.docs.make_released`.

Done at each release. The tests then refuse whatever would make a saved workflow wrong: a node, an
input or an output that is gone, a new input that must be filled, or widgets in another order (the
page stores their values by place). What has to be renamed nevertheless is registered as a
replacement in the extension's `on_load`.
"""

import json
from collections.abc import Mapping
from typing import Any

from tools.hosts.checkout import ROOT
from tools.hosts.pack import pack_on_standin
from tools.workflows.graph import DYNAMIC, Socket, inputs_of, outputs_of, sub_sockets

RELEASED = ROOT / "tests" / "nodes" / "released.json"
OPTIONAL = "?"  # after the name of an input that may be left out


def released() -> dict[str, dict[str, Any]]:
    """What was written down."""
    return json.loads(RELEASED.read_text(encoding="utf-8"))


def faces(nodes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs, name: type in the order of the page, and the types of the outputs, by node id."""
    return {
        name: {
            "inputs": _named(inputs_of(node)),
            "outputs": [each.kind for each in outputs_of(node)],
        }
        for name, node in sorted(nodes.items())
    }


def _named(sockets: list[Socket], prefix: str = "") -> dict[str, str]:
    named: dict[str, str] = {}
    for socket in sockets:
        name = prefix + socket.name
        named[name + OPTIONAL * socket.optional] = socket.kind
        if socket.kind == DYNAMIC:
            for option in socket.settings["options"]:
                named |= _named(sub_sockets(socket, option["key"]), f"{name}.")
    return named


def main() -> None:
    with pack_on_standin() as pack:
        text = json.dumps(faces(pack.nodes), indent=1)
    RELEASED.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
