"""The workloads of a system, the Services in front of them, and who is told where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nova_acceptance.components.candidate import Candidate, Link
from nova_acceptance.components.kubernetes.addresses import Address, addresses_in
from nova_acceptance.components.kubernetes.backends import nearly_selected
from nova_acceptance.components.kubernetes.checks.workloads import DECLARED
from nova_acceptance.components.kubernetes.resolution import (
    is_certain,
    missing_service,
    service_at,
)
from nova_acceptance.components.kubernetes.variables import Given, given
from nova_acceptance.components.kubernetes.workloads import selected, template, workload_of
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_ITS_OWN: Final = frozenset({"localhost", "localhost.localdomain", "host", "none", "null", "auto"})
_POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
_OF_THE_API: Final = Ref("Service", "default", "kubernetes")
_FINISHED: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Outward:
    """An address of something that is no Service of the system.

    Attributes:
        source: the workload that is told.
        given: by what.
        address: the address.
    """

    source: Ref
    given: Given
    address: Address


@dataclass(slots=True)
class Landscape:
    """What there is to describe.

    Attributes:
        candidates: the workloads that nova.yaml can name.
        outward: the addresses outside of the system.
        missing: Services that are named and do not exist, each with who names it.
        unsaid: what nova.yaml cannot name, a line each.
        loose: Services that lead to no workload, a line each.
    """

    candidates: list[Candidate] = field(default_factory=list)
    outward: list[Outward] = field(default_factory=list)
    missing: dict[Ref, set[str]] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)


def survey(snapshot: Snapshot, namespaces: Iterable[str]) -> Landscape:
    """Return what is in some namespaces, by what the objects say."""
    found = Landscape()
    places = tuple(namespaces)
    workloads = [
        obj
        for place in places
        for kind in sorted(DECLARED, reverse=True)
        for obj in sorted(snapshot.of_kind(kind, place), key=lambda each: ref(each).name)
        if _can_be_said(obj, found)
    ]
    found.unsaid += _others(snapshot, places, {ref(each) for each in workloads})
    fronts = _fronts(snapshot, places, workloads, found)
    names = dict(zip(map(ref, workloads), _names(workloads), strict=True))
    behind = {ref(each): names[where] for where, its in fronts.items() for each in its}
    told = {where: tuple(given(snapshot, obj)) for where, obj in _by_ref(workloads).items()}
    links = list(_links(snapshot, workloads, told, behind, found))
    for workload in workloads:
        where = ref(workload)
        own = {ref(each) for each in fronts[where]}
        found.candidates.append(
            Candidate(
                snapshot,
                workload,
                names[where],
                services=tuple(fronts[where]),
                given=told[where],
                incoming=tuple(it for it in links if it.service in own and it.source != where),
                outgoing=tuple(it for it in links if it.source == where and it.service not in own),
                behind=behind,
            )
        )
    return found


def _by_ref(workloads: Iterable[Object]) -> dict[Ref, Object]:
    return {ref(each): each for each in workloads}


def _can_be_said(workload: Object, found: Landscape) -> bool:
    """Whether nova.yaml has a place for a workload."""
    where = ref(workload)
    if workload["spec"].get("replicas") == 0:
        found.unsaid.append(f"{where} is scaled to 0")
    elif "." in where.name:
        found.unsaid.append(f"{where} has a name with a dot")
    else:
        return True
    return False


def _others(snapshot: Snapshot, places: Iterable[str], known: set[Ref]) -> Iterator[str]:
    """Yield what else runs: what is no Deployment and no StatefulSet, and pods of nobody."""
    for place in places:
        for kind in ("DaemonSet", "Job", "CronJob"):
            yield from (
                f"{ref(each)} is none of {', '.join(DECLARED)}"
                for each in snapshot.of_kind(kind, place)
                if not each["metadata"].get("ownerReferences")
            )
        for pod in snapshot.of_kind("Pod", place):
            owner = workload_of(snapshot, pod)
            phase = (pod.get("status") or {}).get("phase")
            if owner is None or owner is pod:
                yield f"{ref(pod)} belongs to no workload that could be read"
            elif owner["kind"] not in DECLARED:
                yield f"{ref(owner)} is none of {', '.join(DECLARED)}"
            elif owner["kind"] in DECLARED and ref(owner) in known and phase in _FINISHED:
                yield f"{ref(pod)} has ended ({phase}) and is still there"


def _names(workloads: Iterable[Object]) -> list[str]:
    """Return a name for each component: the workload's, with its namespace where it is not one."""
    listed = [ref(each) for each in workloads]
    times = Counter(each.name for each in listed)
    names: list[str] = []
    for each in listed:
        name = each.name if times[each.name] == 1 else f"{each.namespace}-{each.name}"
        if name in names:  # of a Deployment and a StatefulSet
            name = f"{name}-{each.kind.lower()}"
        names.append(name[:63].rstrip("-"))
    return names


def _fronts(
    snapshot: Snapshot, places: Iterable[str], workloads: list[Object], found: Landscape
) -> dict[Ref, list[Object]]:
    """Return the Services in front of each workload."""
    fronts: dict[Ref, list[Object]] = {ref(each): [] for each in workloads}
    for place in places:
        for service in sorted(snapshot.of_kind("Service", place), key=lambda it: ref(it).name):
            spec = service["spec"]
            if ref(service) == _OF_THE_API:
                continue
            if not spec.get("selector") or spec.get("type") == "ExternalName":
                found.loose.append(f"{ref(service)} selects no pods: who answers there is not seen")
                continue
            behind = [it for it in _behind(snapshot, service, workloads) if ref(it) in fronts]
            if not behind:
                found.loose.append(f"{ref(service)} selects the pods of no workload of this file")
                continue
            first = min(behind, key=lambda it: (ref(it).name != ref(service).name, ref(it)))
            if len(behind) > 1:
                others = ", ".join(str(ref(it)) for it in behind if it is not first)
                found.loose.append(f"{ref(service)} leads to {ref(first)}, and to {others} as well")
            if spec.get("ports"):
                fronts[ref(first)].append(service)
    return fronts


def _behind(snapshot: Snapshot, service: Object, workloads: list[Object]) -> list[Object]:
    """Return the workloads behind a Service, those included whose pods are labelled later."""
    if found := selected(snapshot, service):
        return found
    selector, namespace = service["spec"]["selector"], ref(service).namespace
    beside = [each for each in workloads if ref(each).namespace == namespace]
    pod = str(selector.get(_POD_NAME, "")).rpartition("-")[0]
    if pod:
        return [it for it in beside if ref(it) == Ref("StatefulSet", namespace, pod)]
    near = [each for each in beside if nearly_selected(service, template(each))]
    shared = {ref(each): len(_labels(each).items() & selector.items()) for each in near}
    most = max(shared.values(), default=0)
    return [each for each in near if shared[ref(each)] == most]


def _labels(workload: Object) -> Mapping[str, str]:
    return (template(workload).get("metadata") or {}).get("labels") or {}


def _links(
    snapshot: Snapshot,
    workloads: Iterable[Object],
    told: Mapping[Ref, tuple[Given, ...]],
    behind: Mapping[Ref, str],
    found: Landscape,
) -> Iterator[Link]:
    """Yield who is told of which Service; what leads elsewhere is kept in `found`."""
    for workload in workloads:
        where = ref(workload)
        for each in told[where]:
            for address in addresses_in(each.shape, each.holder, each.key):
                service = service_at(snapshot, address, where.namespace)
                if service is not None:
                    if ref(service) in behind and _leads_there(service, address):
                        yield Link(where, each, address, ref(service))
                elif missing := missing_service(snapshot, address, workload):
                    found.missing.setdefault(missing, set()).add(f"{each.holder}, {each.key}")
                elif _is_outside(address, workload):
                    found.outward.append(Outward(where, each, address))


def _leads_there(service: Object, address: Address) -> bool:
    """Whether what was found is an address of a Service, and no word that looks like one."""
    ports = {port["port"] for port in service["spec"].get("ports") or ()}
    return is_certain(address) or (not address.is_in_text and address.port in ports)


def _is_outside(address: Address, workload: Object) -> bool:
    own = {workload["metadata"]["name"], *_ITS_OWN}
    return is_certain(address) and not address.is_in_text and address.host not in own
