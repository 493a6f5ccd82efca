"""Work in threads beside other work: FFmpeg, torch and the disk let other threads run."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

import torch

MOST: Final = 4  # threads: measuring ten minutes takes 0.7 GB in each
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def in_parallel(pieces: Sequence[Callable[[], _Made]]) -> list[_Made]:
    """What each of the pieces returns, in their order. The first errors are raised when all ended.

    They run in the caller's inference mode, which threads do not inherit.
    """
    count = min(len(pieces), MOST, os.cpu_count() or 1)
    if count < 2:
        return [piece() for piece in pieces]
    inference = torch.is_inference_mode_enabled()
    with ThreadPoolExecutor(count) as pool:
        try:
            made = [pool.submit(_in_mode, inference, piece) for piece in pieces]
            wait(made)
            return [each.result() for each in made]
        except BaseException:  # Ctrl-C: what has begun is ended
            pool.shutdown(cancel_futures=True)
            raise


def _in_mode(inference: bool, piece: Callable[[], _Made]) -> _Made:
    with torch.inference_mode(inference):
        return piece()


class Behind(Generic[_Item]):
    """Calls `work` with one item after the other in a thread of its own, while the caller goes on.

    At most one item is under way: the next one waits for it. An error of `work` is raised at the
    next item, or at the end of the block, where everything is done.
    """

    def __init__(self, work: Callable[[_Item], object]) -> None:
        self.work = work
        self._pool = ThreadPoolExecutor(1)
        self._under_way: Future[object] | None = None

    def __call__(self, item: _Item) -> None:
        self.wait()
        self._under_way = self._pool.submit(self.work, item)

    def wait(self) -> None:
        """Wait for the item that is under way, and raise its error."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def __enter__(self) -> "Behind[_Item]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        try:
            if error is None:
                self.wait()
        finally:
            self._pool.shutdown()
