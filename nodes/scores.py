"""Scores of a batch's items, and the choice by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io

from ..ace_core.alignment.lyric_tokens import lyric_tokens
from ..ace_core.alignment.score import AlignmentScore, alignment_score
from ..ace_core.audio.audio_dict import unpack_audio
from ..ace_core.errors import InvalidRequestError
from ..ace_core.latents import latent_samples
from ..ace_core.lm.score_codes import SCALE, CodesScore, score_codes
from ..ace_core.measure.criteria import (
    ASKED,
    CRITERIA,
    SCORED,
    Weights,
    check_asked,
    parse_preference,
)
from ..ace_core.measure.fit import Fit, judge, ranked
from ..ace_core.measure.measurement import measure
from ..ace_core.types import Song
from .lyrics import finished_inputs, heads_input
from .sockets import LMInput, ScoresSocket, SongSocket
from .takes import fit_lines
from .typed import checked
from .vae import CATEGORY


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one item; at least one of the two is there."""

    singing: AlignmentScore | None  # how well it follows the lyrics
    codes: CodesScore | None  # how well its codes fit the song

    @property
    def total(self) -> float:
        """The mean of what there is."""
        parts = self.criteria.values()
        return sum(parts) / len(parts)

    @property
    def criteria(self) -> dict[str, float]:
        """By the names of the criteria, 0 to 1."""
        parts = {"lyrics": self.singing, "quality": self.codes}
        return {name: part.total for name, part in parts.items() if part is not None}

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
    return ranked([score.total for score in scores])


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
            description="Keeps the best of a batch, by its scores or by any mix of what was asked "
            "and is measured, such as tempo and key, and shows the ranking and why.",
            search_aliases=["ace step", "best of", "best take", "select", "pick", "filter batch"],
            inputs=[
                ScoresSocket.Input(
                    "scores",
                    optional=True,
                    tooltip="From ACE-Step Score, of the same batch. Needed where prefer is empty "
                    "or names lyrics or quality.",
                ),
                io.Int.Input(
                    "keep", default=1, min=1, max=64, optional=True, tooltip="How many to keep."
                ),
                io.Latent.Input("latent", optional=True, tooltip="The batch, not yet decoded."),
                io.Audio.Input("audio", optional=True, tooltip="The batch as sound."),
                SongSocket.Input(
                    "song",
                    optional=True,
                    tooltip="What was asked for, where prefer names tempo, key, meter or length.",
                ),
                io.String.Input(
                    "prefer",
                    default="",
                    optional=True,
                    placeholder="tempo:2, key",
                    tooltip="What decides, separated by commas, each with a weight or without, as "
                    f"in tempo:2, key. Choose from {', '.join(CRITERIA)}. Empty: the scores.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="The best, if one was connected."),
                io.Audio.Output(display_name="audio", tooltip="The best, if one was connected."),
                io.String.Output(display_name="ranking", tooltip="All items, the best first."),
                io.Audio.Output(
                    display_name="ranked",
                    tooltip="All items, the best first, if audio was connected.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, prefer: str | None = None) -> bool | str:
        return checked(parse_preference, (prefer or "").strip() or None)

    @classmethod
    def execute(
        cls,
        scores: tuple[Score, ...] | None = None,
        keep: int = 1,
        latent: dict | None = None,
        audio: dict | None = None,
        song: Song | None = None,
        prefer: str = "",
    ) -> io.NodeOutput:
        from . import host

        counts = _counts(scores, latent, audio)
        if keep > counts[0]:
            raise InvalidRequestError(
                f"{keep} are to be kept of {counts[0]} items. Lower `keep`, or raise the batch "
                "size."
            )
        seeds = () if latent is None else host.seeds_of(latent)
        if prefer.strip():
            fits = _fits(parse_preference(prefer), song, audio, scores)
            order = ranked([fit.score for fit in fits])
            text = "\n".join([*fit_lines(fits, seeds), *_unused(prefer, scores)])
        elif scores is None:
            raise InvalidRequestError(
                "Nothing says which item is the best. Write into `prefer` what decides, as in "
                "tempo, key, or connect `scores`."
            )
        else:
            order, text = ranking(scores), ranking_text(scores, seeds)
        best = None if latent is None else host.select_items(latent, order[:keep])
        kept, all_ranked = (_items(audio, part) for part in (order[:keep], order))
        return io.NodeOutput(best, kept, text, all_ranked)


def _counts(scores: Any, latent: dict | None, audio: dict | None) -> list[int]:
    """How many items each of what is connected has, which is the same number.

    Raises:
        InvalidRequestError: there is no batch, or the numbers differ.
    """
    if latent is None and audio is None:
        raise InvalidRequestError("There is no batch to choose from. Connect `latent` or `audio`.")
    found = {
        "scores": None if scores is None else len(scores),
        "latent": None if latent is None else len(latent_samples(latent)),
        "audio": None if audio is None else len(unpack_audio(audio)[0]),
    }
    given = {name: count for name, count in found.items() if count is not None}
    if len(set(given.values())) > 1:
        said = ", ".join(f"{name}: {count}" for name, count in given.items())
        raise InvalidRequestError(
            f"The numbers of items differ ({said}). Connect the scores, the latent and the audio "
            "of one batch."
        )
    return list(given.values())


def _items(audio: dict | None, items: Sequence[int]) -> dict | None:
    if audio is None:
        return None
    waveform, rate = unpack_audio(audio)
    return {**audio, "waveform": waveform[list(items)], "sample_rate": rate}


def _fits(
    weights: Weights, song: Song | None, audio: dict | None, scores: tuple[Score, ...] | None
) -> list[Fit]:
    """How well each item keeps what was asked.

    Raises:
        InvalidRequestError: something is not connected that is needed, or is not asked for.
    """
    from . import host

    compared = [name for name in weights if name in ASKED]
    if song is None and compared:
        raise InvalidRequestError(
            f"`prefer` names {compared[0]}, which is compared with what was asked. Connect the "
            "song that the task node was given to `song`."
        )
    if song is not None:
        check_asked(weights, song, "prefer")
    song = song or Song()
    given = _given_scores(weights, scores)
    measured = [name for name in weights if name not in SCORED]
    if not measured:
        return [judge(weights, song, None, each) for each in given]
    if audio is None:
        raise InvalidRequestError(
            f"`prefer` names {measured[0]}, which is measured on the sound. Connect the decoded "
            "batch to `audio`."
        )
    (waveform, rate), report = unpack_audio(audio), host.progress_bar("song")
    fits: list[Fit] = []
    for item, own in zip(waveform, given or [{}] * len(waveform), strict=True):
        fits.append(judge(weights, song, measure(item, rate), own))
        report(len(fits), len(waveform))
    return fits


def _unused(prefer: str, scores: tuple[Score, ...] | None) -> list[str]:
    names = parse_preference(prefer)
    if scores is None or any(name in SCORED for name in names):
        return []
    return [f"scores is not used: `prefer` names neither {' nor '.join(SCORED)}."]


def _given_scores(weights: Weights, scores: tuple[Score, ...] | None) -> list[dict[str, float]]:
    """By the names of their criteria, one for each item; none where no criterion is a score."""
    names = [name for name in SCORED if name in weights]
    if names and scores is None:
        raise InvalidRequestError(
            f"`prefer` names {names[0]}, which ACE-Step Score finds out. Connect its `scores`."
        )
    found = [score.criteria for score in scores or ()] if names else []
    for name in names:
        if any(name not in each for each in found):
            needs = "a language model" if name == "quality" else "a song with lyrics"
            raise InvalidRequestError(
                f"`prefer` names {name}, but these scores have none: ACE-Step Score needs {needs}."
            )
    return found
