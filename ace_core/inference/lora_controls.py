"""The adapters that a handler keeps between calls, by the official handler's methods.

Each method answers with a sentence that begins with ✅, ⚠️ (nothing to do) or ❌, as callers of the
official handler expect. Nothing of a model is changed here: a call of `generate_music` whose `lora`
is `None` takes these adapters, and its model is as it was afterwards.
"""

from typing import Any, Final

from ..errors import AceStepError, InvalidRequestError
from ..texts import home_path
from .adapters import LoraChoice, ReadAdapter, check_strength

NONE_LOADED: Final = "⚠️ No LoRA adapter loaded."
VOICE: Final = "voice"  # the name that `add_voice_lora` gives


class LoraControls:
    """Adapters by name, each with its strength. All of them act together.

    Whoever inherits from it reads adapters by `_read_adapter`.
    """

    def __init__(self) -> None:
        self._adapters: dict[str, LoraChoice] = {}
        self._used = True
        self._active: str | None = None  # whose strength is meant where none is named

    def _read_adapter(self, choice: LoraChoice) -> ReadAdapter:
        """
        Raises:
            AceStepError: there is no model, no such file, or they do not fit.
        """
        raise NotImplementedError

    @property
    def loras(self) -> tuple[LoraChoice, ...]:
        """The adapters of a call that names none of its own."""
        return tuple(self._adapters.values()) if self._used else ()

    def load_lora(self, lora_path: str) -> str:
        """Add an adapter at strength 1 under the name of its file or folder."""
        return self.add_lora(lora_path)

    def add_lora(self, lora_path: str, adapter_name: str | None = None) -> str:
        """Add an adapter at strength 1; it is read and checked now."""
        if not str(lora_path or "").strip():
            return "❌ Please provide a LoRA path."
        name = (adapter_name or "").strip() or home_path(lora_path).stem
        if name in self._adapters:
            return f"❌ The name {name} is in use. Give another one, or remove that adapter first."
        try:
            read = self._read_adapter(LoraChoice(str(lora_path).strip()))
        except AceStepError as error:
            return f"❌ {error}"
        self._adapters[name] = read.choice
        self._used, self._active = True, name
        return f"✅ LoRA {name!r} loaded. {' '.join(read.notes)}"

    def add_voice_lora(self, lora_path: str, scale: float = 1.0) -> str:
        """Add an adapter under the name `voice` at the strength `scale`."""
        added = self.add_lora(lora_path, VOICE)
        return self.set_lora_scale(VOICE, scale) if added.startswith("✅") else added

    def remove_lora(self, adapter_name: str) -> str:
        """Remove one adapter by its name."""
        if not self._adapters:
            return NONE_LOADED
        if adapter_name not in self._adapters:
            return self._unknown(adapter_name)
        del self._adapters[adapter_name]
        if self._active == adapter_name:
            self._active = next(iter(self._adapters), None)
        return f"✅ LoRA {adapter_name!r} removed."

    def unload_lora(self) -> str:
        """Remove every adapter."""
        if not self._adapters:
            return NONE_LOADED
        self._forget_adapters()
        return "✅ LoRA unloaded, using the base model."

    def set_use_lora(self, use_lora: bool) -> str:
        """Turn the adapters on or off without removing them."""
        if use_lora and not self._adapters:
            return "❌ No LoRA adapter loaded. Load one first."
        self._used = use_lora
        return f"✅ LoRA {'enabled' if use_lora else 'disabled'}."

    def set_lora_scale(self, adapter_name_or_scale: str | float, scale: float | None = None) -> str:
        """`set_lora_scale(scale)` for the active adapter, `set_lora_scale(name, scale)` for one."""
        if not self._adapters:
            return NONE_LOADED
        name = self._active if scale is None else str(adapter_name_or_scale)
        if name not in self._adapters:
            return self._unknown(str(name))
        try:
            value = float(adapter_name_or_scale if scale is None else scale)
            check_strength(value)
        except (TypeError, ValueError, InvalidRequestError) as error:
            return f"❌ {error}"
        self._adapters[name] = self._adapters[name]._replace(strength=value)
        disabled = "" if self._used else " (LoRA disabled)"
        return f"✅ LoRA scale ({name}): {value:g}{disabled}"

    def set_active_lora_adapter(self, adapter_name: str) -> str:
        """Choose whose strength `set_lora_scale(scale)` sets. The others stay on."""
        if adapter_name not in self._adapters:
            return self._unknown(adapter_name)
        self._active = adapter_name
        return f"✅ Active LoRA adapter: {adapter_name}"

    def get_lora_status(self) -> dict[str, Any]:
        """What is loaded, under the official names."""
        scales = {name: choice.strength for name, choice in self._adapters.items()}
        return {
            "loaded": bool(scales),
            "active": self._used and bool(scales),
            "scale": scales.get(self._active or "", 1.0),
            "scales": scales,
            "active_adapter": self._active,
            "adapters": list(scales),
        }

    def _forget_adapters(self) -> None:
        self._adapters, self._used, self._active = {}, True, None

    def _unknown(self, name: str) -> str:
        loaded = ", ".join(self._adapters) or "none"
        return f"❌ Unknown adapter: {name}. Loaded: {loaded}."
