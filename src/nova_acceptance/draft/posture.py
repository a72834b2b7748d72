"""What the pods of a workload may do beyond what they need, by their template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from nova_acceptance.components.candidate import Candidate
from nova_acceptance.components.kubernetes.checks import security
from nova_acceptance.components.kubernetes.workloads import template
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Workload

Check = Callable[[Snapshot, Workload], Iterable[Finding]]

_CHECKS: Final[tuple[Check, ...]] = (
    security.root_containers,
    security.writable_roots,
    security.privileged_containers,
    security.capable_containers,
    security.unfiltered_containers,
    security.unlimited_containers,
    security.exposed_pods,
)


_AT_ANY_LEVEL: Final[tuple[Check, ...]] = (
    security.privileged_containers,
    security.capable_containers,
    security.unfiltered_containers,
)
"""What the level `baseline` asks for as well."""
_LEVEL: Final = "baseline"


def level(candidate: Candidate, workload: Workload) -> str | None:
    """Return the level below the usual one that a workload's pods keep to; None for no other."""
    seen, lower = _as_a_pod(candidate), workload.model_copy(update={"pod_security": _LEVEL})
    keeps = not any(found for check in _CHECKS[:5] for found in check(seen, workload))
    falls = any(found for check in _AT_ANY_LEVEL for found in check(seen, lower))
    return None if keeps or falls else _LEVEL


def findings(candidate: Candidate, workload: Workload) -> Iterator[Finding]:
    """Yield what a verification will find of a workload's pods."""
    seen = _as_a_pod(candidate)
    checks = _CHECKS if workload.pod_security != _LEVEL else (*_AT_ANY_LEVEL, *_CHECKS[5:])
    for check in checks:
        yield from check(seen, workload)


def _as_a_pod(candidate: Candidate) -> Snapshot:
    """Return a workload with one pod as its template makes it, whether one runs or not."""
    made = template(candidate.workload)
    name = candidate.workload["metadata"]["name"]
    labels = (made.get("metadata") or {}).get("labels")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": candidate.namespace, "labels": labels},
        "spec": made["spec"],
    }
    return Snapshot.of([candidate.workload, pod])
