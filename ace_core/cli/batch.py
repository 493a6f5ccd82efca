"""`batch PROMPTS --out DIR`: a song for every line, in this process or on a Ray cluster."""

import argparse
from functools import cache, partial
from pathlib import Path

from .. import __version__
from ..batch.cluster import Cluster, ray_executor
from ..batch.folder import Folder, Record, locked
from ..batch.jobs import Executor, Job
from ..batch.local import load_worker, local_executor
from ..batch.models import ModelChoice
from ..batch.prompts import Rules, read_lines, seeds_of
from ..batch.run import Remaining, remaining_lines
from ..batch.run import run as run_jobs
from ..writing import make_folder
from .models import model_choice
from .output import Exit, Output, usage_errors


def run(arguments: argparse.Namespace, output: Output) -> int:
    with usage_errors():
        choice = model_choice(arguments, output, thinks=True)
        base = arguments.prompts.parent.absolute()
        rules = Rules(
            choice.known_variant(), base, cache(choice.check_adapters), choice.lm is not None
        )
    lines = read_lines(arguments.prompts, rules.faults)
    executor = _executor(arguments, choice, rules.base, output)
    with locked(make_folder(arguments.out)):
        folder = Folder(arguments.out)
        remaining = remaining_lines(folder, lines, arguments.retry_failed)
        _announce(remaining, output)
        progress = _Progress(remaining, output)
        if remaining.pending:
            common = {"ace_core": __version__, "models": choice.describe()}
            _note_other_models(folder, common, output)
            jobs = [Job(line, seeds_of(line, folder.salt)) for line in remaining.pending]
            run_jobs(folder, jobs, executor, common, progress.add)
    return progress.total()


def _executor(
    arguments: argparse.Namespace, choice: ModelChoice, base: Path, output: Output
) -> Executor:
    if arguments.ray is None:
        return local_executor(partial(load_worker, choice, base, output.bar))
    cluster = Cluster(arguments.ray or None, arguments.workers)
    return ray_executor(partial(load_worker, choice, base), cluster)


def _announce(remaining: Remaining, output: Output) -> None:
    if remaining.finished or remaining.failed:
        failed = f" and {remaining.failed} failed (--retry-failed makes them again)"
        output.note(
            f"Resuming: {remaining.finished} songs are finished"
            f"{failed if remaining.failed else ''}, {len(remaining.pending)} are left."
        )
    for note in remaining.notes:
        output.note(f"Note: {note}.")


def _note_other_models(folder: Folder, common: Record, output: Output) -> None:
    """A note where songs of the folder were made by other models."""
    used = [record["models"] for record in folder.manifest.last.values() if "models" in record]
    if any(models != common["models"] for models in used):
        output.note("Note: other models made some of the songs that are here; see the manifest.")


class _Progress:
    """Reports every song when it is finished, from whatever thread, and the totals at the end."""

    def __init__(self, remaining: Remaining, output: Output) -> None:
        self.output = output
        self.done, self.failed = remaining.finished, remaining.failed
        self.all = remaining.finished + remaining.failed + len(remaining.pending)
        self.output.bar.retitle(self._title)

    def add(self, record: Record) -> None:
        self.done += record["status"] == "done"
        self.failed += record["status"] == "failed"
        names = " ".join(file["name"] for file in record.get("files", ()))
        text = names or f"failed: {record.get('error')}"
        self.output.result(record, f"{record['id']}  {text}")
        self.output.bar.retitle(self._title)

    def total(self) -> Exit:
        totals = {"finished": self.done, "failed": self.failed, "songs": self.all}
        self.output.result(
            totals, f"{self.done} of {self.all} songs are finished, {self.failed} failed."
        )
        return Exit.SOME_FAILED if self.failed else Exit.DONE

    @property
    def _title(self) -> str:
        return f"[{self.done + self.failed}/{self.all}] "
