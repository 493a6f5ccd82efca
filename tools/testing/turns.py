"""What `.ci/run` pays for with each commit, and what it runs with every other one only.

The stand-in has the nodes' tests that every ComfyUI has run before it, and a page before the newest
differs little from it: one such layer runs with each commit, in turn, and the table names those
that did not. The newest page is visited in both renderers, another in one of them, in the other
when its turn comes again. `make test` runs all of it.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tools.hosts.checkout import ROOT, release_of
from tools.testing.jobs import Job

RENDERERS: Final = ("canvas", "nodes2")  # as tests of the page are named by them


def commits() -> int:
    """How many commits there are; 0 where this is no git checkout."""
    command = ["git", "rev-list", "--count", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else 0


def in_turn(jobs: Sequence[Job], turn: int) -> list[Job]:
    """The jobs of a commit."""
    rounds = turn // max(1, len(taking_turns(jobs)))
    return one_renderer(one_layer(jobs, turn), rounds)


def one_layer(jobs: Sequence[Job], turn: int) -> list[Job]:
    """The jobs, with one of those that take turns: the others say that they wait."""
    waiting = taking_turns(jobs)
    if len(waiting) < 2:
        return list(jobs)
    chosen = waiting.pop(turn % len(waiting))
    reason = f"with this commit it is the turn of {chosen.name}; `make test` runs all"
    return [replace(job, missing=reason, waits=True) if job in waiting else job for job in jobs]


def taking_turns(jobs: Sequence[Job]) -> list[Job]:
    """The stand-in, where a ComfyUI runs the same tests, and pages before the newest."""
    able = [job for job in jobs if not job.missing]
    tested = any(job.host and not job.frontend for job in able)
    older = _pages(able)[:-1]
    return [
        job for job in able if job.frontend in older or (tested and job.name == "nodes (stand-in)")
    ]


def one_renderer(jobs: Sequence[Job], turn: int) -> list[Job]:
    """The jobs, with pages before the newest in one renderer."""
    older = _pages(jobs)[:-1]
    other = RENDERERS[turn % len(RENDERERS)]
    return [
        replace(
            job,
            where=f"{job.where}, not in {other}",
            commands=tuple((*command, "-k", f"not {other}") for command in job.commands),
        )
        if job.frontend in older
        else job
        for job in jobs
    ]


def _pages(jobs: Sequence[Job]) -> list[str]:
    """The pages of jobs, the oldest first."""
    return sorted({job.frontend for job in jobs if job.frontend}, key=release_of)
