"""What is wrong with a namespace of nova.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes import endings
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
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
        yield terminating(found, endings.held_in(snapshot, name))


def terminating(namespace: Object, held: Iterable[Object] = ()) -> Finding:
    """Return the finding of a namespace that is being deleted.

    Args:
        namespace: as the API has it.
        held: those of its objects that are known to be deleted and kept by a finalizer.
    """
    held = [*held]
    return Finding(
        "NAMESPACE_TERMINATING",
        ref(namespace),
        Phrase("namespace {name} is being removed", name=namespace["metadata"]["name"]),
        endings.ending(namespace, held),
        evidence=(*endings.conditions(namespace), *map(endings.told, held)),
    )
