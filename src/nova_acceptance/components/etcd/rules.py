"""etcd: its members, their quorum, and whether they belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.etcd.words import in_words
from nova_acceptance.components.kubernetes.members import (
    is_hindered,
    own_words,
    pods_of_component,
    workload_of_component,
)
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_SAID: Final = (
    (
        "ETCD_STRANGER",
        re.compile(
            r"(?i)cluster[ _-]?id mismatch|permanently removed|member count is unequal"
            r"|unmatched member"
        ),
    ),
    (
        "ETCD_DATA_LOST",
        re.compile(r"(?i)has already been bootstrapped|tocommit\(\d+\) is out of range"),
    ),
    ("ETCD_NO_SPACE", re.compile(r"(?i)database space exceeded|alarm[^\n]{0,40}NOSPACE")),
)
_OVER: Final = re.compile(r"alarm disarmed")
_PERSISTS: Final = 10.0


def etcd_says_why(snapshot: Snapshot) -> Iterator[Finding]:
    """Find members whose own log names what is wrong."""
    yield from own_words(snapshot, Etcd, _SAID, grace=_PERSISTS, over=_OVER, telling=in_words)


def members_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find a quorum or a member that is lost for want of members that are ready.

    Where all that are missing are kept from running by something else, or so many that no quorum is
    left, that is the cause, and the other families name it: the rest only wait for them.
    """
    for component in snapshot.system.of(Etcd):
        if workload_of_component(snapshot, component):
            yield from _members_missing(snapshot, component)


def _members_missing(snapshot: Snapshot, component: Etcd) -> Iterator[Finding]:
    wanted = component.runs.replicas
    pods = pods_of_component(snapshot, component)
    ready = [pod for pod in pods if is_ready(pod)]
    hindered = [pod for pod in pods if not is_ready(pod) and is_hindered(snapshot, pod)]
    if len(ready) >= wanted or len(ready) + len(hindered) >= wanted:
        return
    if wanted - len(hindered) < component.quorum:
        return
    cause = "ETCD_MEMBER_LOST" if len(ready) >= component.quorum else "ETCD_QUORUM_LOST"
    yield Finding(
        cause,
        component.workload.ref,
        Phrase(
            "{ready} of {wanted} members of etcd are ready ({there}); a quorum is {quorum}",
            ready=len(ready),
            wanted=wanted,
            there=[pod["metadata"]["name"] for pod in ready] or Phrase("none"),
            quorum=component.quorum,
        ),
        _why_not_ready(component, [pod for pod in pods if not is_ready(pod)]),
        evidence=tuple(
            f"Pod {pod['metadata']['name']}: {'ready' if is_ready(pod) else 'not ready'}"
            for pod in pods
        ),
    )


def _why_not_ready(component: Etcd, ill: Sequence[Object]) -> Phrase:
    """Return where it stands why members are missing."""
    workload = component.workload.ref
    if not ill:
        return Phrase(
            "see why {workload} has no more pods: `kubectl -n {namespace} describe {kind} {name}`",
            workload=workload,
            namespace=workload.namespace,
            kind=workload.kind.lower(),
            name=workload.name,
        )
    names = [pod["metadata"]["name"] for pod in ill]
    return Phrase(
        "see what keeps {pods} from being ready: `kubectl -n {namespace} describe pods {names}`, "
        "`kubectl -n {namespace} logs --previous` with each",
        pods=names,
        namespace=workload.namespace,
        names=" ".join(names),
    )


LIVE: Final = (etcd_says_why, members_missing)
