"""PostgreSQL: who leads, who follows, and what the leader's log says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.members import (
    own_words,
    pods_of_component,
    workload_of_component,
)
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.postgres import paused, role_services
from nova_acceptance.components.postgres.role_services import LEADS
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_SAID: Final = (
    # the kernel says the same where shared memory or semaphores run out
    ("DISK_FULL", re.compile(r"^(?!.*(?:shared memory|semaphore)).*No space left on device")),
    (
        "POSTGRES_STRANGER",
        re.compile(r"(?i)system ID (?:mismatch|has changed)|different system ident"),
    ),
    (
        "TIMELINE_DIVERGED",
        re.compile(
            r"requested timeline \d+ is not a child|is ahead of the WAL flush position"
            r"|highest timeline \d+ of the primary is behind"
        ),
    ),
    # said by one who could not connect; the server's own line about a client says nothing of itself
    ("PASSWORD_REFUSED", re.compile(r":\s+FATAL:\s+password authentication failed for user \S")),
    (
        "CONNECTIONS_EXHAUSTED",
        re.compile(r"too many clients already|remaining connection slots are reserved"),
    ),
)
_PERSISTS: Final = 15.0


def postgres_says_why(snapshot: Snapshot) -> Iterator[Finding]:
    """Find members whose own log names what is wrong."""
    yield from own_words(snapshot, Postgres, _SAID, grace=_PERSISTS)


def leaders_by_label(snapshot: Snapshot) -> Iterator[Finding]:
    """Find no leader, or several, by the label that each member's role is kept in."""
    for component in snapshot.system.of(Postgres):
        if component.role_label:
            yield from _leaders_by_label(snapshot, component, component.role_label)


def _leaders_by_label(snapshot: Snapshot, component: Postgres, label: str) -> Iterator[Finding]:
    found = workload_of_component(snapshot, component)
    pods = pods_of_component(snapshot, component)
    roles = {
        pod["metadata"]["name"]: (pod["metadata"].get("labels") or {}).get(label, "")
        for pod in pods
        if is_ready(pod)
    }
    leaders = sorted(name for name, role in roles.items() if role in LEADS)
    if found is None or not pods or len(leaders) == 1:
        return
    where = ref(found)
    seen = tuple(
        f"Pod {pod['metadata']['name']}: "
        + (roles.get(pod["metadata"]["name"], "not ready") or f"no label {label}")
        for pod in pods
    )
    sentence = Phrase(
        "{count} members of {where} are labelled as leader: {leaders}"
        if leaders
        else "no ready member of {where} is labelled as leader",
        count=len(leaders),
        where=where,
        leaders=leaders,
    )
    yield Finding("TWO_LEADERS" if leaders else "NO_LEADER", where, sentence, evidence=seen)


LIVE: Final = (postgres_says_why, leaders_by_label, *role_services.LIVE, *paused.LIVE)
