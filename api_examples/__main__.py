"""`python -m api_examples`: all ten, one after the other."""

import sys
from importlib import import_module

from .stage import play

NAMES = (
    "text_to_music",
    "song_with_lyrics",
    "custom_timesteps",
    "shift_for_turbo",
    "song_from_an_idea",
    "polished_draft",
    "style_cover",
    "chosen_seeds",
    "high_quality_base",
    "understand_codes",
)
WANT_BASE = ("high_quality_base",)


def main(arguments: list[str]) -> int:
    modules = [(name, import_module(f"api_examples.{name}")) for name in NAMES]
    return play([(name, made.main, name in WANT_BASE) for name, made in modules], arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
