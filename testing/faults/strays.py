"""Members of PostgreSQL that find no way back after a fault, and are made anew."""

from __future__ import annotations

import time
from typing import Final

from nova_acceptance.components.kubernetes.status import is_ready
from testing.faults.ground import NAME_LABEL, Ground

STRAY: Final = 20.0
"""Seconds for which a member that is ready follows nobody until it is made anew."""
_CONFIGURATION: Final = "/etc/patroni/patroni.yaml"
_SCOPE: Final = "nova"
"""What Patroni calls the members together."""
_FOLLOWING: Final = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"


class Strays:
    """Ready members that do not follow the leader.

    Two members that did not see each other may each have begun a timeline of the same number. Who
    followed the one that leads no more has another history under the leader's number then, and
    Patroni, which compares the numbers, leaves it as it is.

    Args:
        ground: the cluster, in which nothing is broken on purpose any more.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._since: dict[str, float] = {}

    def look(self) -> None:
        """See who follows, and have Patroni make anew who has not for too long.

        Raises:
            GroundError: nobody leads, or a member could not be asked or made anew.
            ClusterError: the API did not answer.
        """
        [leader] = self._ground.members("leader")
        following = self._ground.psql(leader, "postgres", _FOLLOWING).splitlines()
        astray = [name for name in self._ready() if name not in (leader.name, *following)]
        now = time.monotonic()
        self._since = {name: self._since.get(name, now) for name in astray}
        for name in [each for each, since in self._since.items() if now - since >= STRAY]:
            anew = ["patronictl", "-c", _CONFIGURATION, "reinit", "--force", _SCOPE, name]
            self._ground.run_in(leader, anew)
            del self._since[name]

    def _ready(self) -> list[str]:
        workload = self._ground.postgres.workload
        return [
            pod["metadata"]["name"]
            for pod in self._ground.kube.list("v1", "Pod", namespace=workload.namespace)
            if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == workload.name
            and is_ready(pod)
        ]
