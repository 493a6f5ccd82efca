"""Share weights: a module of ours around the layers of another one, native once.

The host moves, patches and casts weights by the layers that it knows. Ours takes those very
layers, so whatever the host does to them (offload, LoRA, fp8, GGUF) applies here, and nothing is
copied or counted twice. It does not depend on files or on the kind of model.
"""

from typing import TypeVar

from torch import nn

from ...ace_core.errors import CheckpointError

Model = TypeVar("Model", bound=nn.Module)


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shape of each weight; of quantised ones as they are used, not as they are stored."""
    return {name: tuple(weight.shape) for name, weight in module.named_parameters()}


def share_weights(target: Model, native: nn.Module) -> Model:
    """`target`, made on the meta device, with the layers and parameters of `native`.

    Raises:
        CheckpointError: `native` lacks one of them, so it is another model or another version.
    """
    for name, module in list(target.named_modules()):
        own = dict(module.named_parameters(recurse=False))
        if not own:
            continue
        other = _at(native, name)
        _check(name, own, other)
        if next(module.children(), None) is None:
            parent, _, last = name.rpartition(".")
            setattr(target.get_submodule(parent), last, other)
        else:
            # the table itself: the host puts new parameters into it when it patches or moves them
            module._parameters = other._parameters  # type: ignore[reportOptionalMemberAccess]
    return target.eval()


def _check(name: str, own: dict[str, nn.Parameter], other: nn.Module | None) -> None:
    for each, weight in own.items():
        found = getattr(other, each, None)
        if found is None or tuple(found.shape) != tuple(weight.shape):
            weight_name = f"{name}.{each}" if name else each
            has = "no such weight" if found is None else list(found.shape)
            raise CheckpointError(
                f"ComfyUI loaded another model than this pack knows: {weight_name} should be "
                f"{list(weight.shape)}, it has {has}. Load the file with an ACE-Step loader, "
                "which says what it is."
            )


def _at(module: nn.Module, name: str) -> nn.Module | None:
    try:
        return module.get_submodule(name)
    except AttributeError:
        return None
