"""What containers have otherwise than what they are configured with says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.workloads import workload_of
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Outdated, Snapshot
from nova_acceptance.phrase import Phrase


@check
def outdated_containers(
    snapshot: Snapshot, pods: Iterable[Object], but: Collection[Ref] = ()
) -> Iterator[Finding]:
    """Find containers that were started before what they are given was changed.

    Args:
        snapshot: the objects, with what was asked of the containers (`collect.started`).
        pods: those that are meant.
        but: ConfigMaps and Secrets that are wrong now, so that nobody should start anew with them.
    """
    found: dict[tuple[Ref, str], list[tuple[Ref, Outdated]]] = {}
    for pod in pods:
        owner = ref(workload_of(snapshot, pod) or pod)
        for each in snapshot.outdated.get(ref(pod), ()):
            if each.holder in but:
                continue
            found.setdefault((owner, each.container), []).append((ref(pod), each))
    for (where, container), its in found.items():
        yield _outdated(where, container, its)


def _outdated(owner: Ref, container: str, its: list[tuple[Ref, Outdated]]) -> Finding:
    pod, first = its[0]
    pods = list(dict.fromkeys(it.name for it, _ in its))
    names = list(dict.fromkeys(each.name for _, each in its))
    holders = list(dict.fromkeys(each.holder for _, each in its))
    sentence = Phrase(
        "container {container} of {pods} has another value of {names} than {holders} has now: it"
        " was started at {since}, before that was changed",
        container=container,
        pods=pods,
        names=names,
        holders=holders,
        since=first.since,
    )
    cure = (
        Phrase(
            "`kubectl -n {namespace} rollout restart {kind} {name}`, or put the old value back",
            namespace=owner.namespace,
            kind=owner.kind.lower(),
            name=owner.name,
        )
        if owner != pod
        else Phrase(
            "`kubectl -n {namespace} delete pod {name}` and make it anew",
            namespace=owner.namespace,
            name=owner.name,
        )
    )
    evidence = tuple(
        f"{it.name}, {each.container}: {each.name} is not {each.holder}, {each.key}"
        for it, each in its
    )
    return Finding("CONTAINER_OUTDATED", owner, sentence, cure, evidence, container)
