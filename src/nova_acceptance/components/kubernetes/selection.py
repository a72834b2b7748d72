"""What Services select: the pods that they are meant for, others, or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.kubernetes.backends import (
    carriers,
    declared_ports,
    nearly_selected,
    offers,
    same_program,
    selecting,
)
from nova_acceptance.components.kubernetes.graces import AT_ONCE, PLACING
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import (
    KINDS,
    pods_of,
    template,
    workload_of,
    workloads,
)
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase
from nova_acceptance.system import parts


def selectors(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services that select nothing, something else or too much."""
    declared = {it.ref: it.workload.ref for it in parts.fronts(snapshot.system)}
    for service, behind in selecting(snapshot):
        own = declared.get(ref(service))
        if not behind:
            yield from _nothing(snapshot, service, own)
        elif own and own not in map(ref, behind) and snapshot.at(own):
            yield _selects_other(service, behind, own)
        else:
            yield from _too_wide(service, behind, own)


def _nothing(snapshot: Snapshot, service: Object, own: Ref | None) -> Iterator[Finding]:
    namespace = service["metadata"].get("namespace", "")
    if not all(snapshot.knows(kind, namespace) for kind in (*KINDS, "Pod")):
        return
    if carriers(snapshot, service):
        return  # of pods that somebody else makes
    if _are_labelled_by_an_operator(snapshot, service):
        return
    near = [it for it in workloads(snapshot, namespace) if nearly_selected(service, template(it))]
    grace: float | None = AT_ONCE
    if near and not (own and own in map(ref, near) and not _follows_role(snapshot, service)):
        # a label that is put on pods while they run: some pod carries it, or one may yet come
        lacking = service["spec"]["selector"].keys() - set().union(*map(_labels_of, near))
        pods = [pod for each in near for pod in pods_of(snapshot, each) if is_ready(pod)]
        if not pods or any(lacking & (pod["metadata"].get("labels") or {}).keys() for pod in pods):
            return
        grace = PLACING
    if next(workloads(snapshot, namespace), None) is None:
        grace = None  # who makes pods here is not known
    yield Finding(
        "SELECTOR_MATCHES_NOTHING",
        ref(service),
        Phrase(
            "{service} selects {labels}, and no pod of {namespace} has these labels",
            service=ref(service),
            labels=_pairs(service["spec"]["selector"]),
            namespace=namespace,
        ),
        _cure_of_selector(snapshot, service, own),
        evidence=tuple(
            f"labels of {ref(each)}: {_shown(_labels_of(each))}"
            for each in workloads(snapshot, namespace)
        ),
        grace=grace,
    )


def _are_labelled_by_an_operator(snapshot: Snapshot, service: Object) -> bool:
    """Whether pods that no known workload makes carry some of the labels, and keys of all.

    Who makes them labels them by their role, and no pod need be in this one now.
    """
    wanted = service["spec"]["selector"]
    return any(
        wanted.keys() <= labels.keys() and not wanted.items().isdisjoint(labels.items())
        for pod in snapshot.of_kind("Pod", service["metadata"].get("namespace", ""))
        if workload_of(snapshot, pod) is None
        for labels in (pod["metadata"].get("labels") or {},)
    )


def _follows_role(snapshot: Snapshot, service: Object) -> bool:
    """Whether a Service follows the member in a role, as nova.yaml says it should."""
    where, selector = ref(service), service["spec"]["selector"]
    return any(
        each.role and selector.get(component.role_label) == each.role
        for component in snapshot.system.components
        for each in component.services
        if (component.namespace, each.name) == (where.namespace, where.name)
    )


def _selects_other(service: Object, behind: list[Object], own: Ref) -> Finding:
    return Finding(
        "SELECTOR_WRONG",
        ref(service),
        Phrase(
            "{service} selects the pods of {others}, where nova.yaml says {own}",
            service=ref(service),
            others=[ref(each) for each in behind],
            own=own,
        ),
        evidence=(f"selector: {_shown(service['spec']['selector'])}",),
    )


def _too_wide(service: Object, behind: list[Object], own: Ref | None) -> Iterator[Finding]:
    first = next((each for each in behind if ref(each) == own), behind[0])
    ports = service["spec"].get("ports") or ()
    alien = [
        each
        for each in behind
        if each is not first
        and (
            own or not same_program(template(first), template(each)) or _differ(first, each, ports)
        )
    ]
    if alien:
        yield Finding(
            "SELECTOR_TOO_WIDE",
            ref(service),
            Phrase(
                "{service} selects the pods of {workloads}",
                service=ref(service),
                workloads=[ref(each) for each in (first, *alien)],
            ),
            evidence=(
                f"selector: {_shown(service['spec']['selector'])}",
                *(f"labels of {ref(each)}: {_shown(_labels_of(each))}" for each in (first, *alien)),
            ),
        )


def _differ(one: Object, other: Object, ports: Any) -> bool:
    """Whether only one of two offers what the Service leads to."""
    found = [all(offers(template(each), port) for port in ports) for each in (one, other)]
    silent = [not declared_ports(template(each)) for each in (one, other)]
    return found[0] != found[1] or (bool(ports) and silent[0] != silent[1])


def _cure_of_selector(snapshot: Snapshot, service: Object, own: Ref | None) -> Phrase:
    name = service["metadata"]["name"]
    meant = snapshot.at(own) if own else None
    if meant is None:
        namespace = service["metadata"].get("namespace", "")
        meant = next((it for it in workloads(snapshot, namespace) if ref(it).name == name), None)
    if meant is None:
        return NOTHING
    return Phrase(
        "select the labels of {workload}: {labels}",
        workload=ref(meant),
        labels=_pairs(_labels_of(meant)) or Phrase("none"),
    )


def _labels_of(workload: Object) -> dict[str, str]:
    return template(workload).get("metadata", {}).get("labels") or {}


def _selector(service: Object) -> str:
    return _shown(service["spec"]["selector"])


def _shown(labels: dict[str, str]) -> str:
    return ", ".join(_pairs(labels)) or "none"


def _pairs(labels: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in sorted(labels.items())]


BEFOREHAND: Final = (selectors,)
