"""What differs between the versions, or will, and what this pack does about it."""

from typing import Final

CHANGES: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "0.33",
        "`ops.Linear` and `ops.Embedding` hold no weight before they are filled where "
        "`aimdo_enabled` (0.20.1: on Windows only)",
        "expected names and shapes come from torch's own layers on the meta device",
    ),
    (
        "0.33",
        "`PromptExecutor` reads `ram_inactive` from its `cache_args`; the cache that frees under "
        "RAM pressure is the default",
        "the executor of the tests is given both sizes; nothing of ours relies on a cached output",
    ),
    (
        "0.33",
        "PreviewImage, PreviewAudio, SaveAudio and SaveVideo hand their input on as an output",
        "workflows wire none of these outputs and load on both; the tests let a newer node add to "
        "ours and never take away",
    ),
    (
        "0.33",
        "SaveAudio, SaveAudioMP3 and SaveAudioOpus are deprecated for SaveAudioAdvanced, which "
        "0.20.1 lacks",
        "our workflows save with ACE-Step Save Audio; the deprecated nodes run on every version",
    ),
    (
        "0.33",
        "SaveVideo's `format` is a dynamic choice that brings `format.codec`, beside a hidden "
        "`codec`; CreateVideo has `bit_depth`",
        "a workflow says `format` and `codec` and leaves out `bit_depth`: every version takes that",
    ),
    (
        "0.33",
        "ImageCompositeMasked needs `destination`, which stands before `source`",
        "our workflow wires both; the page finds inputs by name",
    ),
    (
        "0.33",
        "`ModelPatcher.clone(force_deepcopy)` and `deepclone_multigpu` load anew by "
        "`cached_patcher_init`",
        "our loaders set it where their model may be loaded again",
    ),
    (
        "0.33",
        "LATENT may say `downscale_ratio_temporal`; `scale_latent_inpaint` is given the mask",
        "ours says nothing, and the base class's own is used",
    ),
    (
        "0.38",
        "`VAE.encode` and `encode_tiled` take `not_video`, second in `encode`",
        "ours takes and ignores it; `seed`, which stood there, is by name only",
    ),
    (
        "0.38",
        "the sampler's estimate passes `memory_efficient_attention` towards `memory_required`",
        "ours takes it and estimates without",
    ),
    (
        "0.38",
        "YuE2's VAE has ACE-Step's rate, channels and hop, with six blocks for five",
        "told apart by the number of blocks, and refused",
    ),
    (
        "0.38",
        "CreateVideo's `bit_depth` is auto, 8 or 10; `color_space` and `codec` are new",
        "none of them is in our workflow, so their defaults hold",
    ),
    (
        "0.38",
        "`validate_prompt` checks loops by `Schema.loop_boundary` and names cycles of nodes",
        "our schemas leave it empty, and no workflow has a cycle",
    ),
    (
        "0.38",
        "`PromptExecutor` takes an `asset_manager`, and works without",
        "the executor of the tests gives none",
    ),
    (
        "0.38",
        "`ModelPatcher(fast_disk)`: pinned memory is kept differently for files on a fast disk",
        "ours leaves it False, which costs nothing but that choice",
    ),
    (
        "0.38",
        "the format `awq_w4a16` of quantised weights",
        "not tried: the host's layers read it if its package does",
    ),
    (
        "0.38",
        "a weight cache around a run (`--npu-w4a4-cache-mib`), off by default",
        "it works on the patcher; nothing of ours is asked",
    ),
)
NOT_READ: Final = (
    "Of 0.38.1 no tree was at hand, only single files, each the newest of its kind: a name says "
    "`not read` where its file was not among them. Nothing of this pack was run on 0.38.1."
)
