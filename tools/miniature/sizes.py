"""Sizes of the trained family's networks, and the scale of its latents."""

from typing import Final

from ace_core.models.config import DiTConfig, StackConfig
from tools.miniature.codes.design import LEVELS

STROKE: Final = 5.0  # of a full stroke in the latent
FSQ_LEVELS: Final = LEVELS  # what the digits mean: codes/design.py
ENCODER: Final = StackConfig(
    hidden_size=64, intermediate_size=192, heads=4, kv_heads=2, head_dim=16
)
DECODER: Final = StackConfig(
    hidden_size=192, intermediate_size=320, heads=4, kv_heads=2, head_dim=32
)
DIT: Final = DiTConfig(
    decoder=DECODER,
    encoder=ENCODER,
    layers=6,
    lyric_layers=1,
    timbre_layers=1,
    pooler_layers=2,
    detokenizer_layers=2,
    text_hidden_size=64,
    latent_channels=64,
    context_channels=128,
    patch=2,
    time_features=128,
    frames_per_code=5,
    fsq_levels=FSQ_LEVELS,
    timbre_cls=False,
)
