"""What a file says of its song: as people's players show it, and whole as JSON."""

import json
from dataclasses import asdict

from ..types import Song


def song_tags(song: Song) -> dict[str, str]:
    """Tags for `files.save`."""
    shown = {"description": song.caption, "lyrics": song.lyrics, "bpm": song.bpm, "key": song.key}
    tags = {name: str(value) for name, value in shown.items() if value}
    given = {name: value for name, value in asdict(song).items() if value is not None}
    return {**tags, "ace_step_song": json.dumps(given)}
