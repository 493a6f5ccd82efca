"""The miniatures: `python -m tools.miniature PART ...`; `--help` lists the parts.

`random` writes the checkpoints of random weights that tests and demo use. The others make the
trained family, one part each (docs/miniature.md).
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.miniature import miniature
from tools.miniature.claims.figure import EXTENTS
from tools.miniature.claims.kept import write_reached
from tools.miniature.claims.music import written
from tools.miniature.claims.plots import draw_plots
from tools.miniature.claims.table import GROUPS, measured
from tools.miniature.codec.build import constructed, write_vae
from tools.miniature.codec.figures import print_figures
from tools.miniature.embedded import embedded
from tools.miniature.evaluation.calibration import print_calibration
from tools.miniature.language import figures as language_figures
from tools.miniature.recordings import FOLDER, write_recordings
from tools.miniature.trained import TRAINED, family
from tools.miniature.training.parts import (
    LANGUAGE_MODEL,
    MAKERS,
    MINUTES,
    STATES,
    Training,
    make_all,
)
from tools.miniature.world.export import write_piece
from tools.miniature.world.request import at_tempo, draw

TRAINED_PARTS = {  # what each does, for the help
    "text-encoder": "train the text encoder",
    "base": "train the base diffusion model, and its audio codes first",
    "turbo": "teach the turbo model by the base model",
    "language-model": "train the language model",
    "all": "make every part, one after another: --minutes are those of all",
}


def main(arguments: Sequence[str]) -> None:
    chosen = _parser().parse_args(arguments)
    if chosen.part in ("random", "family", "recordings"):
        _write_files(chosen.part, chosen.out)
    elif chosen.part == "piece":
        _write_piece(chosen)
    elif chosen.part == "vae":
        write_vae(chosen.out)
        print(chosen.out)
    elif chosen.part in TRAINED_PARTS:
        _train(chosen)
    elif chosen.part == "measures":
        print_calibration(chosen.pieces, print)
    elif chosen.part == "language-figures":
        language_figures.print_figures(language_figures.load(chosen.lm), chosen.pieces, print)
    elif chosen.part == "figures":
        _figures(chosen)
    else:
        print_figures(constructed(), chosen.pieces, chosen.seconds, print)


def _train(chosen: argparse.Namespace) -> None:
    training = Training(chosen.minutes, chosen.threads, family=chosen.family, states=chosen.states)
    if chosen.part == "all":
        make_all(training)
    else:
        MAKERS[chosen.part](training)
    print(chosen.family)


def _figures(chosen: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.INFO)
    form = "quick" if chosen.quick else "whole"
    extent = EXTENTS[form]
    with tempfile.TemporaryDirectory() as out:
        whole = written(Path(out), chosen.family)
        found = measured(whole, extent, chosen.repeats, chosen.only, print)
        if chosen.keep is not None:
            write_reached(chosen.keep, form, found)
        if chosen.plots is not None:
            for path in draw_plots(whole, extent, chosen.plots):
                print(path)


def _write_files(part: str, out: Path) -> None:
    if part == "random":
        print(miniature(out).root)
    elif part == "recordings":
        for path in write_recordings(out):
            print(path)
    else:
        try:
            print(family(out).root)
        except FileNotFoundError as error:
            sys.exit(str(error))
        for line in embedded().lines():
            print(line)


def _write_piece(chosen: argparse.Namespace) -> None:
    request = draw(chosen.seed, chosen.seconds)
    if chosen.bpm is not None:
        request = at_tempo(request, chosen.bpm)
        if request.bpm != chosen.bpm:
            print(f"The world has no {chosen.bpm:g} BPM: the nearest it can play is {request.bpm}.")
    for path in write_piece(request, chosen.out):
        print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.miniature", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    part = parts.add_parser("random", help="all layouts of the miniature of random weights")
    part.add_argument("out", type=Path, help="folder that becomes the host's folder of models")
    part = parts.add_parser("family", help="all layouts of the trained family")
    part.add_argument("out", type=Path, help="folder that becomes the host's folder of models")
    part = parts.add_parser("piece", help="a composed piece: audio, stems, metadata")
    part.add_argument("seed", type=int)
    part.add_argument("out", type=Path, help="folder for its files")
    part.add_argument("--seconds", type=float, default=30.0)
    part.add_argument("--bpm", type=float, help="instead of the seed's own tempo")
    part = parts.add_parser("recordings", help="the recordings that come with the pack")
    part.add_argument("--out", type=Path, default=FOLDER)
    part = parts.add_parser("vae", help="construct the trained family's VAE")
    part.add_argument("--out", type=Path, default=TRAINED / "vae")
    part = parts.add_parser("vae-figures", help="how well it keeps held-out pieces")
    part.add_argument("--pieces", type=int, default=16)
    part.add_argument("--seconds", type=float, default=10.0)
    for name, text in TRAINED_PARTS.items():
        part = parts.add_parser(name, help=f"{text}; goes on where a run was stopped")
        minutes = MINUTES.get(name, sum(MINUTES.values()))
        part.add_argument("--minutes", type=float, default=minutes, help="of one core, in all")
        part.add_argument("--threads", type=int, default=1)
        part.add_argument("--family", type=Path, default=TRAINED, help="folder of its parts")
        part.add_argument(
            "--states", type=Path, default=STATES, help="what a stopped run goes on from"
        )
    part = parts.add_parser("measures", help="what tempo, key and others come to on its own pieces")
    part.add_argument("--pieces", type=int, default=100)
    part = parts.add_parser("language-figures", help="what it writes and understands")
    part.add_argument("--pieces", type=int, default=48)
    part.add_argument("--lm", type=Path, default=LANGUAGE_MODEL, help="folder of the model")
    part = parts.add_parser("figures", help="what the trained family's music is held to")
    part.add_argument("--family", type=Path, default=TRAINED, help="folder of its parts")
    part.add_argument("--quick", action="store_true", help="on few requests, as CI does")
    part.add_argument("--repeats", type=int, default=1, help="seeds, each with its own requests")
    part.add_argument("--only", action="append", default=[], choices=GROUPS, help="a group")
    part.add_argument("--plots", type=Path, help="folder for the plots")
    part.add_argument("--keep", type=Path, help="file that tests take their bounds from")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
