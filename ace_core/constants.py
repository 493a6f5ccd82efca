"""Constants of the ACE-Step 1.5 checkpoints: rates, limits, trained ranges. None is a setting."""

import math
from typing import Final

# --- audio and latent geometry (AutoencoderOobleck, strides 2*4*4*6*10) ---
SAMPLE_RATE: Final = 48_000  # Hz
CHANNELS: Final = 2  # stereo
LATENT_HOP: Final = 1_920  # audio samples per latent frame
LATENT_RATE: Final = SAMPLE_RATE // LATENT_HOP  # 25 frames per second
LATENT_CHANNELS: Final = 64
LONGEST_SECONDS: Final = 600.0  # length of the published silence latent
SHORTEST_FRAMES: Final = 128  # the official code pads every canvas to this: 5.12 s

# --- audio codes (FSQ, Source: modeling_acestep_v15_*.py, AceStepAudioTokenizer) ---
FRAMES_PER_CODE: Final = 5
CODE_RATE: Final = LATENT_RATE // FRAMES_PER_CODE  # 5 codes per second
FSQ_LEVELS: Final = (8, 8, 8, 5, 5, 5)
CODEBOOK_SIZE: Final = math.prod(FSQ_LEVELS)  # 64_000

# --- condition encoder ---
TIMBRE_FRAMES: Final = 750  # 30 s of reference audio
SLIDING_WINDOW: Final = 128  # |i - j| <= 128 in even layers
ROPE_THETA: Final = 1_000_000.0
NORM_EPS: Final = 1e-6

# --- text (Qwen3 tokenizer) ---
TEXT_TOKENS: Final = 256  # tokens of the text prompt, the appended end token included
LYRIC_TOKENS: Final = 2_048  # likewise for the lyrics
END_OF_TEXT: Final = "<|endoftext|>"  # id 151643 in the published tokenizer

# --- ranges of a song's fields (the LM's vocabulary; Source: constrained_logits_processor.py) ---
SECONDS_RANGE: Final = (10.0, 600.0)
BPM_RANGE: Final = (30, 300)
TIME_SIGNATURES: Final = (2, 3, 4, 6)  # numerators; 6 stands for 6/8
NOTES: Final = tuple("ABCDEFG")
ACCIDENTALS: Final = ("", "#", "b", "♯", "♭")
MODES: Final = ("major", "minor")
KEYS: Final = tuple(
    f"{note}{accidental} {mode}" for note in NOTES for accidental in ACCIDENTALS for mode in MODES
)
LANGUAGES: Final = tuple(
    "ar az bg bn ca cs da de el en es fa fi fr he hi hr ht hu id is it ja ko la lt ms ne nl no pa "
    "pl pt ro ru sa sk sr sv sw ta te th tl tr uk ur vi yue zh unknown".split()
)
CAPTION_CHARACTERS: Final = 512  # documented limit; more is cut by TEXT_TOKENS
LYRIC_CHARACTERS: Final = 4_096
INSTRUMENTAL: Final = "[Instrumental]"  # the lyrics of a song without a singer
TRACKS: Final = (
    "vocals",
    "backing_vocals",
    "drums",
    "bass",
    "guitar",
    "keyboard",
    "percussion",
    "strings",
    "synth",
    "fx",
    "brass",
    "woodwinds",
)
INT8: Final = ("int8", "int8_weight_only")  # two names of one quantization
SEED_RANGE: Final = (0, 2**64 - 1)
BATCH_RANGE: Final = (1, 8)  # items made at once, as the official API documents it
TRIES_RANGE: Final = (1, 32)  # takes until one fits; all of them stay in memory
ADAPTER_STRENGTHS: Final = (-10.0, 10.0)  # 1: as it was trained
