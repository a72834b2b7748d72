"""Redis: what it answers, and what its log says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.members import own_words
from nova_acceptance.components.redis.spec import Redis
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot

_SAID: Final = (
    # As a probe is told that logs in with the Secret's password, or a replica by its primary.
    ("REDIS_WRONG_PASSWORD", re.compile(r"WRONGPASS")),
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
    yield from own_words(snapshot, Redis, _SAID, grace=_CRASHED_TWICE)


LIVE: Final = (redis_says_why,)
