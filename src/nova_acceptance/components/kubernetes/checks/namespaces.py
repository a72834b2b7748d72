"""What is wrong with a namespace of nova.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes import endings
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase


@check
def inactive_namespace(snapshot: Snapshot, name: str) -> Iterator[Finding]:
    """Find a namespace that is not there, or on its way out."""
    where = Ref("Namespace", "", name)
    found = snapshot.at(where)
    status = (found or {}).get("status") or {}
    if found is None:
        sentence = Phrase("the cluster has no namespace {name}", name=name)
        yield Finding("NAMESPACE_MISSING", where, sentence)
    elif status.get("phase", "Active") != "Active":
        held = endings.held_in(snapshot, name)
        yield Finding(
            "NAMESPACE_TERMINATING",
            where,
            Phrase("namespace {name} is being removed", name=name),
            endings.ending(found, held),
            evidence=(*endings.conditions(found), *map(endings.told, held)),
        )
