"""Shards of one run: which there are, where each leaves its record, and whether it has ended.

Shards that have a run's identifier and a directory of reports in common leave their records beside
one another, apart from the runs whose history is read:

    reports/shards/IDENTIFIER/weights.json     seconds of each module, by which all of them split
    reports/shards/IDENTIFIER/2-of-3/run.jsonl
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Self

from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.report.history import MOST_READ, directories
from nova_acceptance.report.outcomes import FILE_NAME as OUTCOMES
from nova_acceptance.report.outcomes import read as outcomes_of
from nova_acceptance.report.record import FILE_NAME

DIRECTORY: Final = "shards"
"""The directory of all of them, in that of the reports."""
WEIGHTS: Final = "weights.json"
MOST: Final = 100
"""Shards of one run at most: no suite has as many modules."""
EVERY: Final = 1.0
"""Seconds between two looks at whether a shard has ended."""
LARGEST: Final = 5_000_000
"""Octets of a file of weights beyond which it is none."""

_SHARD: Final = re.compile(r"(\d{1,3})/(\d{1,3})", re.ASCII)
_LAST_LINE: Final = 4096
"""Octets at the end of a record that hold the line which ends it."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, order=True, slots=True)
class Shard:
    """One of the parts that a suite is split into; the first has number 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard that a text such as `2/3` names.

        Raises:
            UsageError: it names none.
        """
        found = _SHARD.fullmatch(text)
        number, of = (int(part) for part in found.groups()) if found else (0, 0)
        if not 1 <= number <= of <= MOST:
            raise UsageError(
                f"{text!r} names no shard",
                hint=f"the second of three is 2/3; they are counted from 1, up to {MOST}",
            )
        return cls(number, of)

    @property
    def is_last(self) -> bool:
        """Whether it is the one that runs what has to run alone."""
        return self.number == self.of

    @property
    def others(self) -> tuple[Shard, ...]:
        """The other ones."""
        return tuple(each for each in every(self.of) if each != self)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def every(of: int) -> tuple[Shard, ...]:
    """Return all shards of so many."""
    return tuple(Shard(number, of) for number in range(1, of + 1))


def check_identifier(text: str) -> str:
    """Return a run's identifier if it can be a directory's name and a label's value.

    Raises:
        UsageError: it cannot.
    """
    if _IDENTIFIER.fullmatch(text):
        return text
    raise UsageError(
        f"{text!r} cannot be a run's identifier",
        hint="take at most 64 letters and digits, with . _ or - between them",
    )


class Shards:
    """The shards of one run, in a directory of reports that all of them see.

    Args:
        reports: the directory of all reports.
        identifier: the run's.
    """

    def __init__(self, reports: Path, identifier: str) -> None:
        self._reports = reports
        self.directory = reports / DIRECTORY / check_identifier(identifier)

    def place(self, shard: Shard) -> Path:
        """Return the directory of a shard's record."""
        return self.directory / f"{shard.number}-of-{shard.of}"

    def begun(self, of: int) -> list[Path]:
        """Return the directories of those that have a record."""
        return [
            self.place(shard) for shard in every(of) if (self.place(shard) / FILE_NAME).exists()
        ]

    def await_end(self, shards: Sequence[Shard], within: float) -> list[Shard]:
        """Wait until shards have ended.

        Args:
            shards: which.
            within: seconds after which it is given up.

        Returns:
            Those that did not.
        """
        deadline = time.monotonic() + within
        waiting = list(shards)
        while True:
            waiting = [shard for shard in waiting if not _has_ended(self.place(shard))]
            if not waiting or time.monotonic() >= deadline:
                return waiting
            time.sleep(min(EVERY, max(0.0, deadline - time.monotonic())))

    def weights(self) -> dict[str, float]:
        """Return how many seconds each module took in the last runs, the same to every shard.

        The first to ask reads the history; what it finds holds for all, whichever run ends
        meanwhile. Without a history it is empty.

        Raises:
            NovaError: the directory cannot be written to.
        """
        file = self.directory / WEIGHTS
        fresh = file.with_name(f".{WEIGHTS}-{secrets.token_hex(6)}")
        try:
            if not file.exists():
                self.directory.mkdir(parents=True, exist_ok=True)
                fresh.write_text(json.dumps(seconds_by_module(self._reports)), encoding="utf-8")
                with suppress(FileExistsError):
                    os.link(fresh, file)  # whole, and never in place of another's
            if file.stat().st_size > LARGEST:
                raise OSError(f"{file} is too large")
            found = json.loads(file.read_text(encoding="utf-8"))
            return {str(module): float(seconds) for module, seconds in found.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise NovaError(
                f"{self.directory}: the shards cannot agree here: {error}",
                hint="the directory of the reports has to be one that every shard can write to",
            ) from error
        finally:
            fresh.unlink(missing_ok=True)


def module_of(nodeid: str) -> str:
    """Return the module of a test, whose tests stay together."""
    return nodeid.partition("::")[0]


def seconds_by_module(reports: Path, most: int = 3) -> dict[str, float]:
    """Return the seconds that each module took when it was last run.

    Args:
        reports: the directory of all reports.
        most: runs to look at, the newest first; a run of one layer knows few modules.
    """
    found: dict[str, float] = {}
    looked_at = 0
    for directory in islice(directories(reports), MOST_READ):
        if looked_at == most:
            break
        if not (directory / OUTCOMES).is_file():
            continue
        try:
            tests = outcomes_of(directory).tests
        except (OSError, UsageError):
            continue
        looked_at += 1
        mine: dict[str, float] = {}
        for nodeid, taken in tests.items():
            module = module_of(nodeid)
            mine[module] = mine.get(module, 0.0) + taken.seconds
        found = mine | found
    return {module: round(seconds, 3) for module, seconds in found.items()}


def split(tests: Mapping[str, int], of: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Return the number of the shard that each module belongs to.

    The longest first, each to the shard that has least (Graham, "Bounds on Multiprocessing Timing
    Anomalies", 1969). Of a module that has no weight each test counts as an average one.

    Args:
        tests: how many tests each module has.
        of: how many shards.
        weights: the seconds of each module, as far as they are known.
    """
    known = [module for module in tests if module in weights]
    counted = sum(tests[module] for module in known)
    each = sum(weights[module] for module in known) / counted if counted else 1.0
    taking = {module: weights.get(module, each * tests[module]) for module in tests}
    loads = [0.0] * of
    found = {}
    for module in sorted(tests, key=lambda module: (-taking[module], module)):
        # an empty one first, so that none is left without a test where modules take no time
        number = min(range(of), key=lambda number: (loads[number], number))
        loads[number] += max(taking[module], 0.001)
        found[module] = number + 1
    return found


def _has_ended(directory: Path) -> bool:
    """Tell whether a record's last line says that its run has come to its end."""
    try:
        with (directory / FILE_NAME).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_LINE))
            last = file.read().splitlines()[-1:]
        return bool(last) and json.loads(last[0]).get("type") == "run-finished"
    except (OSError, ValueError, AttributeError):
        return False
