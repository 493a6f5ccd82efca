"""The models that a script holds on to: loaded once, used by every call."""

import torch


class AceStepHandler:
    """The diffusion model with its text encoder and VAE."""

    def initialize_service(
        self,
        project_root: str,
        config_path: str,
        device: str = "auto",
        offload_to_cpu: bool = False,
        quantization: str | None = None,
        dtype: str | torch.dtype | None = None,
    ) -> tuple[str, bool]:
        """Load the models. What was done or what is wrong, and whether they are ready."""
        raise NotImplementedError


class LLMHandler:
    """The 5 Hz language model."""

    @property
    def llm_initialized(self) -> bool:
        """Whether the model is ready."""
        return False

    def initialize(
        self,
        checkpoint_dir: str,
        lm_model_path: str,
        backend: str = "vllm",
        device: str = "auto",
        offload_to_cpu: bool = False,
        dtype: str | torch.dtype | None = None,
    ) -> tuple[str, bool]:
        """Load the model. What was done or what is wrong, and whether it is ready."""
        raise NotImplementedError
