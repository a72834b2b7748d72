"""The rules that find what is wrong by looking at a snapshot alone.

A room of a component has two groups of them, each rule a function of the snapshot that yields
findings:

    BEFOREHAND   look at specifications and at the cluster's abilities alone, so that they hold for
                 rendered manifests before the first write as well as for a live system
    LIVE         look at what the cluster says of itself
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.components.kubernetes.earlier_versions import with_still_serving
from nova_acceptance.components.registry import rules
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot


def beforehand(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what is wrong with what is wanted, given what the cluster can do."""
    return _found(snapshot, "BEFOREHAND")


def examine(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield all that is wrong, in no particular order."""
    for found in (*beforehand(snapshot), *_found(snapshot, "LIVE")):
        yield with_still_serving(snapshot, found)


def _found(snapshot: Snapshot, group: str) -> Iterator[Finding]:
    for rule in rules(group):
        yield from rule(snapshot)
