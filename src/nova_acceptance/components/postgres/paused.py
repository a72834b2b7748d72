"""A Patroni that somebody has paused, where that is why a trouble stays.

Source: https://patroni.readthedocs.io/en/latest/pause.html: a paused Patroni neither fails over nor
starts PostgreSQL again. While all is well it is nobody's trouble, and no cause.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.members import (
    pods_of_component,
    workload_of_component,
)
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.postgres.role_services import LEADS
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_PAUSED: Final = re.compile(r"\bPAUSE: ")
_ROUND: Final = re.compile(r"no action|I am \(|the leader with the lock|PAUSE: ")
"""A line in which Patroni says what it did in a round, of which there is one in ten seconds."""
_HOLDERS: Final = ("ConfigMap", "Endpoints")
"""Where a Patroni keeps its configuration that has Kubernetes for its store: in an annotation."""


def patroni_paused(snapshot: Snapshot) -> Iterator[Finding]:
    """Find a Patroni that is paused while a member is not ready, or not exactly one leads."""
    for component in snapshot.system.of(Postgres):
        found = workload_of_component(snapshot, component)
        pods = pods_of_component(snapshot, component)
        if component.patroni is None or found is None or not pods:
            continue
        source = _source(snapshot, pods)
        if source is None or not _is_ill(component, pods):
            continue
        running = next((it for it in pods if is_ready(it)), pods[0])
        yield Finding(
            "PATRONI_PAUSED",
            ref(found),
            Phrase(
                "Patroni of {workload} is paused, so that nothing fails over and nothing is "
                "started again, by {source}",
                workload=ref(found),
                source=source,
            ),
            Phrase(
                "once whoever paused it agrees: `kubectl -n {namespace} exec {pod} -- patronictl "
                "resume`",
                namespace=component.namespace,
                pod=running["metadata"]["name"],
            ),
            evidence=tuple(
                f"{ref(pod)}: {'ready' if is_ready(pod) else 'not ready'}" for pod in pods
            ),
        )


def _is_ill(component: Postgres, pods: list[Object]) -> bool:
    if len(pods) < component.runs.replicas or not all(map(is_ready, pods)):
        return True
    label = component.role_label
    roles = [(pod["metadata"].get("labels") or {}).get(label) for pod in pods] if label else []
    return bool(label) and sum(role in LEADS for role in roles) != 1


def _source(snapshot: Snapshot, pods: list[Object]) -> Phrase | str | None:
    """Return by what a Patroni is known to be paused; None where nothing says so."""
    homes = {(pod["metadata"].get("namespace", ""), pod["metadata"]["name"]) for pod in pods}
    labels = [pod["metadata"].get("labels") or {} for pod in pods]
    for kind in _HOLDERS:
        for obj in snapshot.of_kind(kind, pods[0]["metadata"].get("namespace", "")):
            own = obj["metadata"].get("labels") or {}
            is_its = own and all(own.items() <= its.items() for its in labels)
            if is_its and _is_paused(obj):
                return str(ref(obj))
    said = sorted(
        name
        for (namespace, name, _), logs in snapshot.logs.items()
        if (namespace, name) in homes
        and any(_ends_paused(log.text) for log in logs if not log.previous)
    )
    return Phrase("the log of {pods}", pods=said) if said else None


def _is_paused(obj: Object) -> bool:
    try:
        config = json.loads((obj["metadata"].get("annotations") or {}).get("config", ""))
    except ValueError:
        return False
    return isinstance(config, dict) and config.get("pause") is True


def _ends_paused(text: str) -> bool:
    rounds = [line for line in text.splitlines() if _ROUND.search(line)]
    return bool(rounds) and bool(_PAUSED.search(rounds[-1]))


LIVE: Final = (patroni_paused,)
