"""What stays of earlier runs: a history kept elsewhere, and how many runs among the reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_acceptance.errors import UsageError
from nova_acceptance.report.kept import KeptHistory, entry_of
from nova_acceptance.report.outcomes import Past
from nova_acceptance.report.pruning import prune


def add(group: pytest.OptionGroup) -> None:
    """Add the options."""
    group.addoption(
        "--history",
        metavar="PATH",
        help="a directory or an archive (.tar.gz, .zip) that keeps what came of runs: the report "
        "shows them as its history, and the run is added to them",
    )
    group.addoption(
        "--keep-runs",
        metavar="N",
        help="keep the newest N runs, this one among them, and remove older ones from the reports "
        "and from --history (default: keep all)",
    )


def check(config: pytest.Config) -> None:
    """Refuse options that cannot be used, and turn `--keep-runs` into a number.

    Raises:
        pytest.UsageError: the message names the option, what is wrong and what would do.
    """
    option = config.option
    if option.keep_runs is not None:
        try:
            keep = int(option.keep_runs)
        except ValueError:
            keep = 0
        if keep < 1:
            raise pytest.UsageError(f"--keep-runs: {option.keep_runs!r} is not a number from 1 on")
        option.keep_runs = keep
    try:
        if history := _history(config):
            history.read()
    except UsageError as error:
        raise pytest.UsageError(f"--history: {error.message}; {error.hint}") from error


class Keeping:
    """Keeps what a run is told to keep, and nothing else.

    Args:
        config: has the options.
        reports: the directory of all runs.

    Attributes:
        failures: what could not be done, a sentence each.
    """

    def __init__(self, config: pytest.Config, reports: Path) -> None:
        self._history = _history(config)
        self._most: int | None = config.option.keep_runs
        self._reports = reports
        self.failures: list[str] = []

    def before(self) -> Iterator[tuple[str, Past]]:
        """Yield what came of the runs before this one, the newest first."""
        try:
            if self._history:
                yield from self._history.pasts()
        except UsageError as error:
            self.failures.append(error.message)

    def remove_old(self, current: Path) -> int:
        """Remove old runs from the reports; return how many.

        Args:
            current: the run's directory.
        """
        try:
            return len(prune(self._reports, self._most, current)) if self._most else 0
        except OSError as error:
            self.failures.append(f"an old run could not be removed: {error}")
            return 0

    def add(self, current: Path) -> None:
        """Add the run to the history.

        Args:
            current: the run's directory.
        """
        try:
            if self._history:
                self._history.add(dict([entry_of(current)]), self._most)
        except UsageError as error:
            self.failures.append(error.message)


def _history(config: pytest.Config) -> KeptHistory | None:
    path = config.option.history
    return KeptHistory(config.invocation_params.dir / path) if path else None
