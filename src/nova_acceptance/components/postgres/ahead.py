"""What is asked of PostgreSQL as its roles, in the background, ahead of the tests that read it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.logins import Parts, rounds
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.trials import Trials
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.outcomes import Outcome, outcome_of
from nova_acceptance.vantage.transcript import Transcript


class Ahead:
    """Keeps the connections as roles of each PostgreSQL, and asks on them what is wanted.

    Args:
        background: where it is asked.
        transcript: shows each reader what was asked.
        connect: makes the connections as the roles of one PostgreSQL.
    """

    def __init__(
        self,
        background: Background,
        transcript: Transcript,
        connect: Callable[[Spec], RoleConnections],
    ) -> None:
        self._background = background
        self._transcript = transcript
        self._connect = connect
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._kept: dict[str, Outcome[Trials]] = {}

    def trials(self, spec: Spec) -> Trials:
        """Return what tries deeds in a PostgreSQL, on the connections as its roles.

        Raises:
            NovaError: it cannot be reached; the next one who asks tries it again.
            FindingError: it is closed.
        """
        return self._of(spec).told(self._transcript)

    def begin(self, spec: Spec, tests: Sequence[Parts]) -> None:
        """Ask what tests of a PostgreSQL will read.

        Args:
            spec: what nova.yaml says of it.
            tests: what each of them is about.
        """
        self._background.run(lambda: self._begin(spec, tests))

    def close(self) -> None:
        """Close what is open."""
        for each in self._kept.values():
            each.answer().close()

    def _begin(self, spec: Spec, tests: Sequence[Parts]) -> None:
        made = self._of(spec)
        if made.error:
            return  # each of the tests meets it
        trials = made.answer()
        trials.foresee(parts["denial"] for parts in tests if "denial" in parts)
        others = [parts for parts in tests if "denial" not in parts]
        connections = trials.connections
        if not connections.server.route.instead_of:
            for attempts in rounds(connections, others):
                connections.attempts.foresee(self._background, attempts)

    def _of(self, spec: Spec) -> Outcome[Trials]:
        with self._lock:
            lock = self._locks[spec.name]
        with lock:
            if made := self._kept.get(spec.name):
                return made
            made = outcome_of(lambda: Trials(self._connect(spec), self._background))
            if not made.error:
                self._kept[spec.name] = made
            return made
