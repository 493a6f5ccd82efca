"""Scores of a batch's items, and the choice by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io

from ..ace_core.alignment.lyric_tokens import lyric_tokens
from ..ace_core.alignment.score import AlignmentScore, alignment_score
from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.errors import InvalidRequestError
from ..ace_core.latents import latent_samples
from ..ace_core.lm.score_codes import SCALE, CodesScore, score_codes
from ..ace_core.types import Song
from .lyrics import finished_inputs, heads_input
from .sockets import LMInput, ScoresSocket
from .vae import CATEGORY


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one item; at least one of the two is there."""

    singing: AlignmentScore | None  # how well it follows the lyrics
    codes: CodesScore | None  # how well its codes fit the song

    @property
    def total(self) -> float:
        """The mean of what there is."""
        parts = [part.total for part in (self.singing, self.codes) if part is not None]
        return sum(parts) / len(parts)

    def text(self) -> str:
        parts_text = []
        if self.singing is not None:
            parts_text.append(
                f"lyrics {self.singing.total:.4f} (coverage {self.singing.coverage:.2f}, order "
                f"{self.singing.order:.2f}, confidence {self.singing.confidence:.2f})"
            )
        if self.codes is not None:
            parts = ", ".join(f"{name} {value:.2f}" for name, value in self.codes.parts.items())
            parts_text.append(f"codes {self.codes.total:.4f} ({parts})")
        return "; ".join(parts_text)


def ranking(scores: Sequence[Score]) -> list[int]:
    """The indices of the items, the best first; of equals the earlier."""
    return sorted(range(len(scores)), key=lambda item: -scores[item].total)


def ranking_text(scores: Sequence[Score], seeds: Sequence[int] = ()) -> str:
    """One line per item, the best first."""
    lines = []
    for rank, item in enumerate(ranking(scores), start=1):
        seed = f", seed {seeds[item]}" if item < len(seeds) else ""
        score = scores[item]
        lines.append(f"{rank}. item {item + 1}{seed}: {score.total:.4f}; {score.text()}")
    return "\n".join(lines)


class AceStepScore(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15Score",
            display_name="ACE-Step Score",
            category=CATEGORY,
            description="Scores each song of a batch: how well the singing follows the lyrics "
            "and, with a language model, how well the music fits its description.",
            search_aliases=["ace step", "rate", "quality", "lyric alignment", "rank"],
            inputs=[
                *finished_inputs(),
                LMInput.Input(
                    "lm",
                    optional=True,
                    tooltip="Scores caption, lyrics and metadata. Not connected: only the singing "
                    "is scored.",
                ),
                io.Float.Input(
                    "score_scale",
                    default=SCALE,
                    min=0.01,
                    max=10.0,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Scale of the language model's scores of caption and lyrics: smaller "
                    "values spread them further apart.",
                ),
                heads_input(),
            ],
            outputs=[
                ScoresSocket.Output(display_name="scores", tooltip="One per item, 0 to 1."),
                io.String.Output(display_name="report", tooltip="All items, the best first."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model,
        text_encoder,
        song: Song,
        positive: list,
        latent: dict,
        lm: Any = None,
        score_scale: float = SCALE,
        heads: str = "",
    ) -> io.NodeOutput:
        from . import host

        if song.instrumental and lm is None:
            raise InvalidRequestError(
                "Nobody sings in this song, so only the language model can judge it. Connect `lm`, "
                "or give the song lyrics."
            )
        count = len(latent_samples(latent))
        singing: list[AlignmentScore | None] = [None] * count
        codes: list[CodesScore | None] = [None] * count
        if not song.instrumental:
            tokens = lyric_tokens(host.text_encoder_of(text_encoder).tokenizer, song)
            maps = host.lyric_maps(model, positive, latent, tokens, heads)
            singing = [alignment_score(each, tokens.sung) for each in maps]
        if lm is not None:
            music_codes = host.codes_of(model, positive, latent)
            codes = [
                *score_codes(
                    host.language_model_of(lm), music_codes, song, score_scale, host.progress_bar()
                )
            ]
        scores = tuple(Score(*pair) for pair in zip(singing, codes, strict=True))
        return io.NodeOutput(scores, ranking_text(scores, host.seeds_of(latent)))


class AceStepKeepBest(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15KeepBest",
            display_name="ACE-Step Keep Best",
            category=CATEGORY,
            description="Keeps the best of a batch, the best first, and shows the ranking. Before "
            "decoding it saves the time of the others.",
            search_aliases=["ace step", "best of", "best take", "select", "pick", "filter batch"],
            inputs=[
                ScoresSocket.Input("scores", tooltip="From ACE-Step Score, of the same batch."),
                io.Int.Input("keep", default=1, min=1, max=64, tooltip="How many to keep."),
                io.Latent.Input("latent", optional=True, tooltip="The batch, not yet decoded."),
                io.Audio.Input("audio", optional=True, tooltip="The batch as sound."),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The best, if one was connected."),
                io.Audio.Output(display_name="audio", tooltip="The best, if one was connected."),
                io.String.Output(display_name="ranking", tooltip="All items, the best first."),
            ],
        )

    @classmethod
    def execute(
        cls,
        scores: tuple[Score, ...],
        keep: int,
        latent: dict | None = None,
        audio: dict | None = None,
    ) -> io.NodeOutput:
        from . import host

        if latent is None and audio is None:
            raise InvalidRequestError(
                "There is no batch to choose from. Connect `latent` or `audio`."
            )
        if keep > len(scores):
            raise InvalidRequestError(
                f"{keep} are to be kept of {len(scores)} items. Lower `keep`, or raise the batch "
                "size."
            )
        best = torch.tensor(ranking(scores)[:keep])
        seeds = () if latent is None else host.seeds_of(latent)
        if latent is not None:
            _check("latent", len(latent_samples(latent)), len(scores))
            latent = host.select_items(latent, best.tolist())
        if audio is not None:
            waveform, rate = unpack_audio(audio)
            _check("audio", len(waveform), len(scores))
            audio = {**audio, "waveform": waveform[best], "sample_rate": rate}
        return io.NodeOutput(latent, audio, ranking_text(scores, seeds))


def _check(name: str, count: int, scores: int) -> None:
    if count != scores:
        raise InvalidRequestError(
            f"There are {scores} scores, but the {name} has {count} items. Connect the batch that "
            "was scored."
        )
