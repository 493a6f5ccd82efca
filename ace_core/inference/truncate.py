"""A text that the model wrote, made short enough to be given back to it."""

import re


def truncate(name: str, text: str, most: int) -> tuple[str, list[str]]:
    """`text` cut behind its last whole line, sentence or word within `most` characters, and a note
    if something was cut."""
    if len(text) <= most:
        return text, []
    start = text[:most]
    ends = [match.end() for match in re.finditer(r"\n|[.!?。！？](?=\s|$)", start)]
    words = [match.start() for match in re.finditer(r"\s", start)]
    end = next((places[-1] for places in (ends, words) if places and places[-1] > most // 2), most)
    note = f"The model's {name} had {len(text)} characters and was cut to {most}."
    return start[:end].rstrip(), [note]
