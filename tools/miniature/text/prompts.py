"""Text prompts of the world, on the product's own template, and what each of them says."""

import random
from dataclasses import dataclass
from typing import Final

from ace_core import prompts
from ace_core.types import Song
from tools.miniature.world.captions import (
    NAMED,
    Caption,
    free_caption,
    written_key,
    written_tempo,
)
from tools.miniature.world.channels import STEMS
from tools.miniature.world.request import Request

TASKS: Final = ("text2music", "cover", "repaint", "extract", "lego", "complete")
GIVEN: Final = 0.7  # how often each line of the metadata is filled in


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and what can be known from it."""

    text: str
    request: Request
    task: str
    tracks: tuple[str, ...]  # named by the instruction
    facts: frozenset[str]  # said by caption or metadata


def instruction(task: str, tracks: tuple[str, ...]) -> str:
    if task == "extract":
        return prompts.extract_instruction(tracks[0])
    if task == "lego":
        return prompts.lego_instruction(tracks[0])
    if task == "complete":
        return prompts.complete_instruction(tracks)
    plain = {"cover": prompts.COVER, "repaint": prompts.REPAINT}
    return plain.get(task, prompts.TEXT_TO_MUSIC)


def draw_tracks(task: str, choose: random.Random) -> tuple[str, ...]:
    """Tracks that an instruction of the task may name."""
    if task in ("extract", "lego"):
        return (choose.choice(tuple(STEMS)),)
    if task == "complete":
        count = choose.choice((1, 2, 2, 3))
        return tuple(choose.sample(tuple(STEMS), count))
    return ()


def prompt(
    request: Request,
    task: str,
    tracks: tuple[str, ...],
    choose: random.Random,
    named: float = NAMED,
) -> Prompt:
    """One of many prompts for the request. A caption that names no instruments, and metadata left
    open, are among them; `named` is how often a caption names them."""
    bpm, key = written_tempo(request, choose), written_key(request, choose)
    said: Caption = free_caption(request, bpm, choose, named)
    given = {fact for fact in ("bpm", "key", "meter") if choose.random() < GIVEN}
    song = Song(
        caption=said.text,
        bpm=bpm if "bpm" in given else None,
        key=key if "key" in given else None,
        time_signature=request.meter if "meter" in given else None,
    )
    text = prompts.text_prompt(song, instruction(task, tracks), request.seconds)
    return Prompt(text, request, task, tracks, said.facts | given)
