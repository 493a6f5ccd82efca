"""Building a model whose weights come later: no memory, no random numbers."""

from collections.abc import Callable, Iterable
from typing import Any

from torch.overrides import TorchFunctionMode


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
