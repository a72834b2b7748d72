"""Redis: what it answers, and what its log says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.members import of_kind, pods_of_component, said
from nova_acceptance.components.redis.spec import Redis
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_SAID: Final = (
    (
        "REDIS_APPEND_FILE_DAMAGED",
        re.compile(r"(?i)bad file format reading the append only|AOF.*corrupt"),
    ),
    ("REDIS_CLIENTS_EXHAUSTED", re.compile(r"(?i:max number of clients reached)")),
    (
        "REDIS_WRITE_FAILS",
        re.compile(r"MISCONF|(?i:error writing to the AOF|write error saving DB)"),
    ),
)
_CRASHED_TWICE: Final = 10.0


def redis_says_why(snapshot: Snapshot) -> Iterator[Finding]:
    """Find what Redis itself names: in its log, or in the answer to its readiness probe."""
    pods = [pod for it in of_kind(snapshot, Redis) for pod in pods_of_component(snapshot, it)]
    for pod in pods:
        for cause, pattern in _SAID:
            if found := said(snapshot, pod, pattern):
                where, line = found
                yield Finding(
                    cause,
                    where,
                    Phrase("{where} says: {line}", where=where, line=line),
                    evidence=(line,),
                    grace=_CRASHED_TWICE,
                )


LIVE: Final = (redis_says_why,)
