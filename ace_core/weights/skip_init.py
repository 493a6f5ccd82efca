"""Building a model whose weights come later: no memory, no initialisation."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from torch import nn
from torch.overrides import TorchFunctionMode

from ..models.ops import TORCH, Ops

AnyConfig = TypeVar("AnyConfig")
AnyModel = TypeVar("AnyModel", bound=nn.Module)


class WithoutInitialisation(TorchFunctionMode):
    """Inside it layers keep their parameters as they were made.

    Drawing them would be wasted, and on the meta device it costs two seconds once: the first
    random fill there makes torch import its compiler.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":  # slots of C have none
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def skip_init(
    build: Callable[[AnyConfig, Ops], AnyModel], config: AnyConfig, ops: Ops = TORCH
) -> AnyModel:
    """A model on the meta device. Of torch's own layers, the default, it names every weight with
    its shape; a host's layers may hold none before they are filled.
    """
    with WithoutInitialisation():
        return build(config, replace(ops, device="meta"))
