"""Names for checkpoints that are not ours, so that a refusal can say what was chosen instead."""

import re
from collections.abc import Iterable
from typing import Final

# (what it is, a pattern that some key matches); the first match wins
SIGNS: Final = (
    ("a LoRA", r"\.lora_(A|B|up|down)\b|\.lokr_w[12]"),
    ("a model that GPTQ or AWQ quantised", r"\.(qweight|qzeros)$"),
    ("an ACE-Step 1.0 checkpoint", r"(^|\.)(genre_embedder|speaker_embedder|lyric_embs)\."),
    ("a Stable Audio checkpoint", r"^(model\.model\.transformer|pretransform)\."),
    ("a Stable Diffusion UNet", r"(^|\.)(input_blocks\.0\.0|down_blocks\.0\.resnets\.0)\."),
    ("a Flux diffusion model", r"(^|\.)double_blocks\.0\."),
    ("a Stable Diffusion 3 diffusion model", r"(^|\.)joint_blocks\.0\."),
    ("a Wan video model", r"(^|\.)blocks\.0\.cross_attn\.(q|k)\.weight$"),
    ("an image VAE", r"(^|\.)decoder\.(up|up_blocks)\.0\.(block|resnets)\.0\."),
    ("an Oobleck VAE of another family", r"(^|\.)decoder\.(layers\.1\.layers\.0\.beta|block\.0\.)"),
    ("a T5 text encoder", r"(^|\.)encoder\.block\.0\.layer\.0\.SelfAttention\."),
    ("a CLIP model", r"(^|\.)text_model\.encoder\.layers\.0\."),
    ("a part of an ACE-Step diffusers folder", r"\.self_attn\.(to_q|norm_q)\.weight$"),
    ("a language model of another family", r"(^|\.)layers\.0\.self_attn\.q_proj\.(weight|bias)$"),
    ("a language model of another family", r"(^|\.)h\.0\.attn\."),
    ("a Whisper model", r"(^|\.)encoder\.conv1\.weight$"),
)


def looks_like(keys: Iterable[str]) -> str:
    """What a file with these keys seems to be, for the end of "it looks like …"."""
    names = list(keys)
    for what, pattern in SIGNS:
        if any(re.search(pattern, name) for name in names):
            return what
    if not names:
        return "an empty file"
    return f"a model that is not known here ({len(names)} tensors, the first {names[0]!r})"
