"""`batch PROMPTS --out DIR`: a song for every line, in this process or on a Ray cluster."""

import argparse
from functools import partial
from pathlib import Path

from .. import __version__
from ..batch.cluster import Cluster, on_ray
from ..batch.folder import Folder
from ..batch.lines import read_lines
from ..batch.lock import locked
from ..batch.making import here, load_maker
from ..batch.manifest import Record
from ..batch.models import ModelChoice
from ..batch.orders import Makers, Order
from ..batch.request import Rules, seeds_of
from ..batch.resume import Left, left_to_do
from ..batch.run import run as run_orders
from ..errors import SaveError
from .exits import Exit
from .models import chosen
from .output import Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    choice = chosen(arguments, output, thinks=True)
    rules = Rules(choice.trained_as(), arguments.prompts.parent.absolute())
    lines = read_lines(arguments.prompts, rules.faults)
    makers = _makers(arguments, choice, rules.base, output)
    with locked(_folder(arguments.out)):
        folder = Folder(arguments.out)
        left = left_to_do(folder, lines, arguments.retry_failed)
        _greet(left, output)
        songs = _Songs(left, output)
        if left.pending:
            common = {"ace_core": __version__, "models": choice.facts()}
            _tell_other_models(folder, common, output)
            orders = [Order(line, seeds_of(line, folder.salt)) for line in left.pending]
            for record in run_orders(folder, orders, makers, common):
                songs.add(record)
    return songs.total()


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(
            f"{path}: no songs can be saved here ({error.strerror}). Choose a folder that may be "
            "written to with --out."
        ) from error
    return path


def _makers(
    arguments: argparse.Namespace, choice: ModelChoice, base: Path, output: Output
) -> Makers:
    if arguments.ray is None:
        return here(partial(load_maker, choice, base, output.bar))
    cluster = Cluster(arguments.ray or None, arguments.workers)
    return on_ray(partial(load_maker, choice, base), cluster)


def _greet(left: Left, output: Output) -> None:
    if left.finished or left.failed:
        failed = f" and {left.failed} failed (--retry-failed makes them again)"
        output.note(
            f"Going on: {left.finished} songs are finished{failed if left.failed else ''}, "
            f"{len(left.pending)} are left."
        )
    for note in left.notes:
        output.note(f"Note: {note}.")


def _tell_other_models(folder: Folder, common: Record, output: Output) -> None:
    """Songs of one folder may come from several models, but not without a word."""
    made = [record["models"] for record in folder.manifest.last.values() if "models" in record]
    if any(models != common["models"] for models in made):
        output.note("Note: other models made some of the songs that are here; see the manifest.")


class _Songs:
    """Tells of every song as it comes, and what came of all."""

    def __init__(self, left: Left, output: Output) -> None:
        self.output = output
        self.done, self.failed = left.finished, left.failed
        self.all = left.finished + left.failed + len(left.pending)
        self._title()

    def add(self, record: Record) -> None:
        self.done += record["status"] == "done"
        self.failed += record["status"] == "failed"
        names = " ".join(file["name"] for file in record.get("files", ()))
        told = names or f"failed: {record.get('error')}"
        self.output.result(record, f"{record['id']}  {told}")
        self._title()

    def total(self) -> Exit:
        told = {"finished": self.done, "failed": self.failed, "songs": self.all}
        self.output.result(
            told, f"{self.done} of {self.all} songs are finished, {self.failed} failed."
        )
        return Exit.SOME_FAILED if self.failed else Exit.DONE

    def _title(self) -> None:
        self.output.bar.title = f"[{self.done + self.failed}/{self.all}] "
        self.output.bar(0.0)
