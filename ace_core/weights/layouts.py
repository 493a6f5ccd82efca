"""Maps between the keys of each layout and the official names.

Official names are those of model.safetensors for the DiT (`decoder.…`, `encoder.…`, `tokenizer.…`,
`detokenizer.…`, `null_condition_emb`) and those without `model.` for Qwen3. No files are read.
"""

from dataclasses import dataclass
from typing import Final

# diffusers -> official, with dots on both sides, so that only whole components match
ATTENTION: Final = (
    (".to_q.", ".q_proj."),
    (".to_k.", ".k_proj."),
    (".to_v.", ".v_proj."),
    (".to_out.0.", ".o_proj."),
    (".norm_q.", ".q_norm."),
    (".norm_k.", ".k_norm."),
)
PATCHES: Final = ((".proj_in_conv.", ".proj_in.1."), (".proj_out_conv.", ".proj_out.1."))


@dataclass(frozen=True, slots=True)
class KeyMap:
    """Keys of a file are `prefix` + renamed name; official names are `root` + name."""

    prefix: str = ""
    root: str = ""
    renames: tuple[tuple[str, str], ...] = ()  # (in the file, official)
    rootless: tuple[str, ...] = ()  # official names of this file that lack `root`
    ignored: tuple[str, ...] = ()  # endings of keys that are not weights of the model

    def to_official(self, key: str) -> str | None:
        """The official name of a key, or None when the key is not of this model."""
        if not key.startswith(self.prefix) or key.endswith(self.ignored):
            return None
        name = key.removeprefix(self.prefix)
        if name in self.rootless:
            return name
        for theirs, ours in self.renames:
            name = f".{name}".replace(theirs, ours)[1:]
        return self.root + name

    def to_key(self, name: str) -> str | None:
        """The key of an official name, or None when this file does not hold it."""
        if name in self.rootless:
            return self.prefix + name
        if not name.startswith(self.root):
            return None
        key = name.removeprefix(self.root)
        for theirs, ours in self.renames:
            key = f".{key}".replace(ours, theirs)[1:]
        return self.prefix + key


DIT_PREFIXES: Final = ("", "model.diffusion_model.", "diffusion_model.", "model.")
SILENCE_KEY: Final = "silence_latent"  # [1, S, 64] in diffusers' condition encoder, [S, 64] in GGUF
DIT_KEY_MAPS: Final = tuple(KeyMap(prefix, ignored=(SILENCE_KEY,)) for prefix in DIT_PREFIXES)
DIT_MARKS: Final = (  # a DiT has both
    "decoder.layers.0.self_attn.q_proj.weight",
    "encoder.lyric_encoder.embed_tokens.weight",
)

DIFFUSERS_DIT: Final = {  # folder -> spelling of its file
    "transformer": KeyMap(root="decoder.", renames=(*ATTENTION, *PATCHES)),
    "condition_encoder": KeyMap(
        root="encoder.",
        renames=ATTENTION,
        rootless=("null_condition_emb",),
        ignored=(SILENCE_KEY,),
    ),
    "audio_tokenizer": KeyMap(root="tokenizer.", renames=ATTENTION),
    "audio_token_detokenizer": KeyMap(root="detokenizer.", renames=ATTENTION),
}

# the output head of Qwen3 is its embedding table, and its rotary table is computed
QWEN_IGNORED: Final = ("lm_head.weight", "rotary_emb.inv_freq")
QWEN_PREFIXES: Final = ("", "model.")
QWEN_BUNDLED: Final = r"text_encoders\.[\w-]+\.(?:transformer\.)?(?:model\.)?"  # all-in-one files
QWEN_MARKS: Final = ("embed_tokens.weight", "layers.0.self_attn.q_norm.weight", "norm.weight")

STABLE_AUDIO: Final = "pretransform.model."  # a VAE inside a diffusion model of stable-audio-tools
VAE_PREFIXES: Final = (
    "",
    "vae.",
    "first_stage_model.",
    "autoencoder_ema.ema_model.",  # a training checkpoint: its average is what an export takes
    "autoencoder.",
    STABLE_AUDIO,
)
