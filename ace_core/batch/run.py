"""A batch from its first order to its last record. It knows no model: makers are handed in."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from .folder import Folder
from .manifest import Record
from .orders import Makers, Order


def run(
    folder: Folder, orders: Sequence[Order], makers: Makers, common: Record
) -> Iterator[Record]:
    """Make every order and yield its record as soon as it is on the disk.

    `common` goes into each record: what made the songs.

    Raises:
        SaveError: the folder cannot be written to. What was finished before stays.
    """
    try:
        folder.clear()
        for outcome in makers(orders, folder.partial):
            finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
            record = folder.keep(outcome, {**common, "finished": finished})
            folder.clear()
            yield record
    finally:
        folder.leave()
