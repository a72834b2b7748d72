"""The shards of one run, waited for and put together where they all left their records."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nova_acceptance.errors import UsageError
from nova_acceptance.report.merging import merge
from nova_acceptance.report.record import new_name, point
from nova_acceptance.report.shards import Shard, Shards, every


@dataclass(frozen=True, slots=True)
class Gathered:
    """A run that was merged from its shards.

    Attributes:
        directory: its own, among those of all runs.
        unfinished: the shards that did not end in time.
        shards: the directory of what they left.
    """

    directory: Path
    unfinished: tuple[Shard, ...]
    shards: Path

    def tidy(self) -> None:
        """Remove what the shards left, all of which the merged run holds.

        It stays where a shard has not ended, which may write still.
        """
        if not self.unfinished:
            shutil.rmtree(self.shards, ignore_errors=True)


def gather(reports: Path, identifier: str, number: int, within: float) -> Gathered:
    """Wait for the shards of a run and merge their records into a new run.

    Args:
        reports: the directory of all runs, in which the shards have left theirs.
        identifier: what the shards have in common.
        number: how many there are.
        within: seconds to wait for those that have not ended.

    Raises:
        UsageError: none has left a record, or they are not of one run.
        NovaError: the merged run cannot be written.
    """
    shards = Shards(reports, identifier)
    unfinished = shards.await_end(every(number), within)
    found = shards.begun(number)
    if not found:
        raise UsageError(
            f"no shard of the run {identifier} has left a record in {reports}",
            hint="every shard takes the same --run-id, --shard I/N and directory of reports",
        )
    # The name that its time gives it: when it is put together, with which it ends.
    directory = reports / new_name()
    merge(directory, found)
    point(reports, directory.name)
    return Gathered(directory, tuple(unfinished), shards.directory)
