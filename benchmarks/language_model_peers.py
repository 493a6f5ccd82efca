"""The same Qwen3 weights in transformers and in ComfyUI, each generating codes in its own loop.

Tensors are shared, not copied. ComfyUI executes in the weights' dtype here, which on a CPU it
would not do by itself: it would cast every weight to float32 at every token.
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ace_core.models.qwen3 import Qwen3, Qwen3Config

from .peers import import_comfy

Stamp = Callable[[], None]  # called once per code, at the same point of every loop
Write = Callable[[int, Stamp], object]  # that many codes


class Loop(NamedTuple):
    """A way to generate codes, and the rows of the lm_head that it reads per code."""

    write: Write
    rows: int  # of the head, the embedding table, that it reads for a code


PAD, END = 151_643, 151_645
CODES = range(151_669, 215_669)
TEMPERATURE, TOP_P, GUIDANCE = 0.85, 0.9, 2.0


def transformers_loop(model: Qwen3, prompt: list[int], other: list[int], songs: int) -> Loop:
    """`generate` on both prompts, the shorter one padded on its left, with guidance in a logits
    processor; one pair of rows per song."""
    from transformers import LogitsProcessorList, Qwen3ForCausalLM
    from transformers import Qwen3Config as TheirConfig

    size = model.config
    with torch.device("meta"):
        peer: Any = Qwen3ForCausalLM(TheirConfig(**_their_sizes(size), tie_word_embeddings=True))
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    peer.load_state_dict({**weights, "lm_head.weight": weights["model.embed_tokens.weight"]},
                         assign=True)  # fmt: skip
    peer.model.rotary_emb = type(peer.model.rotary_emb)(peer.config)  # its buffers, off meta
    ids, mask = (rows.repeat_interleave(songs, dim=0) for rows in _padded(prompt, other))
    stamps: list[Stamp] = []

    def guide(_: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        stamps[-1]()
        codes = scores[:, CODES.start : CODES.stop]
        result = torch.full_like(scores, -torch.inf)
        cond, uncond = codes.chunk(2)
        guided = uncond + GUIDANCE * (cond - uncond)
        result[:, CODES.start : CODES.stop] = guided.repeat(2, 1)
        return result

    def write(count: int, stamp: Stamp) -> object:
        stamps.append(stamp)
        return peer.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=count,
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=0,
            top_p=TOP_P,
            pad_token_id=PAD,
            eos_token_id=END,
            logits_processor=LogitsProcessorList([guide]),  # type: ignore[list-item]
        )

    return Loop(write, model.config.vocab_size)


def host_loop(model: Qwen3, prompt: list[int], other: list[int], checkout: Path) -> Loop:
    """ComfyUI's loop for this model, with its own classes of the sizes of `model`.

    Its newer versions keep a fixed cache and record CUDA graphs on a GPU only; what is measured
    here is what they do on a CPU.
    """
    import_comfy(checkout)
    from comfy import sd1_clip
    from comfy.text_encoders import ace15, llama

    dtype = model.embed_tokens.weight.dtype
    peer = sd1_clip.SDClipModel(
        textmodel_json_config=_host_sizes(model.config),
        dtype=dtype,
        special_tokens={"pad": PAD},
        layer_norm_hidden_state=False,
        model_class=llama.Qwen3_2B_ACE15_lm,
        enable_attention_masks=True,
        return_attention_masks=True,
    )
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    peer.transformer.load_state_dict(weights, assign=True)
    peer.set_clip_options({"execution_device": torch.device("cpu")})
    longest = max(len(prompt), len(other))
    ids = [[PAD] * (longest - len(text)) + text for text in (prompt, other)]
    starts: list[Stamp] = []  # called at a forward; the code before it is sampled by then
    peer.transformer.register_forward_pre_hook(lambda *_: starts[-1]())

    def write(codes: int, stamp: Stamp) -> object:
        starts.append(_all_but_first(stamp))
        with torch.inference_mode():
            written = ace15.sample_manual_loop_no_classes(
                peer,
                ids,
                execution_dtype=dtype,
                cfg_scale=GUIDANCE,
                temperature=TEMPERATURE,
                top_p=TOP_P,
                min_tokens=codes,
                max_new_tokens=codes,
            )
        stamp()
        return written

    audio_rows = hasattr(ace15, "_audio_logits")  # from 0.33, the whole vocabulary before
    return Loop(write, len(CODES) if audio_rows else model.config.vocab_size)


def _all_but_first(stamp: Stamp) -> Stamp:
    calls = count()
    return lambda: None if next(calls) == 0 else stamp()


def _padded(prompt: list[int], other: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(prompt), len(other))
    texts = [[PAD] * (longest - len(text)) + text for text in (prompt, other)]
    masks = [[0] * (longest - len(text)) + [1] * len(text) for text in (prompt, other)]
    return torch.tensor(texts), torch.tensor(masks)


def _host_sizes(size: Qwen3Config) -> dict[str, Any]:
    return {
        "vocab_size": size.vocab_size,
        "hidden_size": size.hidden_size,
        "intermediate_size": size.intermediate_size,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.kv_heads,
    }


def _their_sizes(size: Qwen3Config) -> dict[str, Any]:
    rope = {"rope_type": "default", "rope_theta": size.rope_theta}
    return {**_host_sizes(size), "head_dim": size.head_dim, "rope_parameters": rope}
