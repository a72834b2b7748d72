"""Containers started with what was right before; with what is wrong now, none should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes import checks, configuration
from nova_acceptance.components.urls import rules
from nova_acceptance.components.urls.values import passwords_of
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot


def outdated_containers(snapshot: Snapshot) -> Iterator[Finding]:
    """Find containers that were started before what they are given was changed."""
    if snapshot.outdated:
        pods = list(snapshot.of_kind("Pod"))
        yield from checks.started.outdated_containers(snapshot, pods, wrong_holders(snapshot))


def wrong_holders(snapshot: Snapshot) -> frozenset[Ref]:
    """Return the ConfigMaps and Secrets that are told to be wrong themselves.

    A password that differs from all URLs is right where it was changed a moment ago.
    """
    return snapshot.once(wrong_holders, lambda: _wrong_holders(snapshot))


def _wrong_holders(snapshot: Snapshot) -> frozenset[Ref]:
    homes = {home for home, _ in passwords_of(snapshot)}
    every = (*configuration.BEFOREHAND, *rules.BEFOREHAND)
    found = (it for rule in every for it in snapshot.told_by(rule))
    return frozenset(
        it.subject
        for it in found
        if it.subject.kind in ("ConfigMap", "Secret")
        and not (it.cause == "URL_PASSWORD_WRONG" and it.subject in homes)
    )


LIVE: Final = (outdated_containers,)
