"""`--shard I/N`: one part of the tests, of a run that several processes share.

Modules are split, whose tests stay together as with pytest-xdist. Disruptive tests are the last
shard's: it runs them when the records of all others have an end, which it sees in a directory of
reports that they share. So a disruptive test is alone here as it is in one run, and nobody has to
ask anybody: what has ended is written down.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import NovaError, UnaskedError
from nova_acceptance.phrase import Phrase
from nova_acceptance.plugin import facts, layers
from nova_acceptance.report.record import FILE_NAME
from nova_acceptance.report.shards import Shard, module_of, split
from nova_acceptance.tenancy import shards_of


def place_of(config: pytest.Config) -> Path | None:
    """Return where the record of this shard goes; None where it is that of any new run.

    Raises:
        pytest.UsageError: there is a record already.
    """
    shards = shards_of(config)
    if shards is None:
        return None
    shard = Shard.parse(config.option.shard)
    place = shards.place(shard)
    if (place / FILE_NAME).exists():
        raise pytest.UsageError(
            f"--shard: shard {shard} of run {config.option.run_id} has a record already, and is "
            f"not run again: {place}"
        )
    return place


class Sharding:
    """Leaves out the tests of the other shards, and has disruptive ones wait for their end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._shard = Shard.parse(config.option.shard)
        self._shards = shards_of(config)
        self._lacking: list[Shard] | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep this shard's tests, of those that the command line has not left out.

        Raises:
            pytest.UsageError: a shard would have none, or nothing tells when the others have ended.
        """
        disruptive = [item.nodeid for item in items if layers.is_disruptive(item)]
        if disruptive and self._shards is None and self._shard.of > 1:
            raise pytest.UsageError(
                "--shard: disruptive tests run when the other shards have ended, which is seen in "
                "a directory of reports that they share: give all of them one --run-id, or leave "
                "these tests out: -m 'not disruptive'"
            )
        numbers = self._numbers(items)
        for number in range(1, self._shard.of + 1):
            if number not in numbers.values() and items:
                modules = len({module_of(item.nodeid) for item in items})
                raise pytest.UsageError(
                    f"--shard: {self._shard.of} shards of {modules} modules would leave one "
                    "without a test; take fewer"
                )
        mine = [item for item in items if numbers[item.nodeid] == self._shard.number]
        others = [item for item in items if numbers[item.nodeid] != self._shard.number]
        items[:] = mine
        if others:
            self._config.hook.pytest_deselected(items=others)
        said = "".join(f"{nodeid} {number}\n" for nodeid, number in sorted(numbers.items()))
        self._config.stash[facts.RECORDER].tell(
            "shard",
            number=self._shard.number,
            of=self._shard.of,
            tests=len(numbers),
            split=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest(),
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Wait for the other shards before the first disruptive test; it is none of its time."""
        if self._lacking is None and self._shards and layers.is_disruptive(item):
            self._lacking = self._shards.await_end(self._shard.others, timeouts.SHARDS)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Leave a disruptive test unasked where another shard may still be running.

        Raises:
            UnaskedError: one has not ended.
        """
        if self._lacking and layers.is_disruptive(item):
            raise UnaskedError(
                Phrase(
                    "shard {shards} did not end, beside which nothing may be disturbed",
                    shards=[str(shard) for shard in self._lacking],
                ),
                hint=Phrase(
                    "see what became of it, and run the disruptive tests again by themselves: "
                    "-m disruptive"
                ),
            )

    def _numbers(self, items: list[pytest.Item]) -> dict[str, int]:
        """Return the number of each test's shard."""
        quiet = Counter(module_of(item.nodeid) for item in items if not layers.is_disruptive(item))
        try:
            weights = self._shards.weights() if self._shards else {}
        except NovaError as error:
            raise pytest.UsageError(f"--run-id: {error}") from error
        numbers = split(quiet, self._shard.of, weights)
        return {
            item.nodeid: self._shard.of
            if layers.is_disruptive(item)
            else numbers[module_of(item.nodeid)]
            for item in items
        }
