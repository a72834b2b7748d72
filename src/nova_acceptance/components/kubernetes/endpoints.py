"""What stands behind Services at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from nova_acceptance.components.dns.service import dns_services
from nova_acceptance.components.kubernetes.backends import (
    addresses_in,
    carriers,
    endpoints_of,
    is_of_controller,
    knows_endpoints,
    lists_of,
    offers,
    replicas_wanted,
    selecting,
)
from nova_acceptance.components.kubernetes.status import condition, is_ready
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase

_FOLLOWS: Final = timedelta(seconds=20)
"""In which the controller has followed any change of pods, on a busy machine, too."""


def endpoints(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services without endpoints that are ready, and endpoints that are no pods'."""
    of_dns = {ref(service) for service in dns_services(snapshot)}  # which has its own rule
    for service, behind in selecting(snapshot):
        namespace = service["metadata"].get("namespace", "")
        if ref(service) in of_dns:
            continue
        if not service["metadata"].get("uid") or not knows_endpoints(snapshot, namespace):
            continue
        if not snapshot.knows("Pod", namespace):
            continue
        found = endpoints_of(snapshot, ref(service))
        wrong = list(_stale(snapshot, service))
        yield from wrong
        wants = any(replicas_wanted(each) for each in behind)
        if not wrong and wants and not any(each.is_ready for each in found):
            yield _without(snapshot, service, behind)


def addresses_of_nobody(snapshot: Snapshot, service: Object) -> Finding | None:
    """Return which addresses behind a Service are no pod's of its namespace; None where none is.

    They are told with the object that holds them, for somebody else may have written it: the
    controller leaves alone what it did not make.

    Args:
        snapshot: the objects.
        service: one that selects pods.
    """
    found = endpoints_of(snapshot, ref(service))
    namespace = service["metadata"].get("namespace", "")
    addresses = _addresses(snapshot, namespace)
    if addresses is None:
        return None  # the two lists are of two moments
    strange = {each.address: each.pod for each in found if each.address not in addresses}
    if not strange:
        return None
    holders = [
        each
        for each in lists_of(snapshot, ref(service))
        if any(it.address in strange for it in addresses_in(each))
    ]
    by_hand = [ref(each) for each in holders if not is_of_controller(each)]
    cure = (
        Phrase(
            "`kubectl -n {namespace} delete {kind} {name}`: it was made by hand, and no "
            "controller changes it",
            namespace=namespace,
            kind=by_hand[0].kind.lower(),
            name=by_hand[0].name,
        )
        if by_hand
        else NOTHING
    )
    sentence = Phrase(
        "{service} leads to {addresses}, which no pod of {namespace} has; {holders} says so",
        service=ref(service),
        addresses=sorted(strange),
        namespace=namespace,
        holders=[ref(each) for each in holders],
    )
    return Finding(
        "ENDPOINTS_STALE",
        ref(service),
        sentence,
        cure,
        evidence=(
            *(f"{address}: {_whose(snapshot, address, pod)}" for address, pod in strange.items()),
            f"addresses of pods: {', '.join(sorted(addresses)) or 'none'}",
        ),
    )


def _whose(snapshot: Snapshot, address: str, pod: str) -> str:
    """Return whose an address is that is no pod's of the Service's namespace."""
    others = [str(ref(it)) for it in snapshot.of_kind("Pod") if address in _ips(it)]
    said = f"said to be of Pod {pod}, which does not have it" if pod else "said to be of no pod"
    return f"{said}; it is of {', '.join(others)}" if others else said


def _stale(snapshot: Snapshot, service: Object) -> Iterator[Finding]:
    if strange := addresses_of_nobody(snapshot, service):
        yield strange
        return
    found = endpoints_of(snapshot, ref(service))
    namespace = service["metadata"].get("namespace", "")
    if _addresses(snapshot, namespace) is None:
        return
    ready = [pod for pod in carriers(snapshot, service) if is_ready(pod)]
    ports = service["spec"].get("ports") or ()
    lacking = [
        pod
        for pod in ready
        if all(offers(pod, port) for port in ports)
        and _ips(pod).isdisjoint(each.address for each in found)
    ]
    if lacking:
        yield Finding(
            "ENDPOINTS_STALE",
            ref(service),
            Phrase(
                "{service} does not lead to {pods}, which it selects and which is ready",
                service=ref(service),
                pods=[pod["metadata"]["name"] for pod in lacking],
            ),
            evidence=(f"endpoints: {', '.join(each.address for each in found) or 'none'}",),
        )


def _addresses(snapshot: Snapshot, namespace: str) -> set[str] | None:
    key = (_settled_addresses, namespace)
    return snapshot.once(key, lambda: _settled_addresses(snapshot, namespace))


def _settled_addresses(snapshot: Snapshot, namespace: str) -> set[str] | None:
    """Return the addresses of a namespace's pods; None while one of them has just changed."""
    pods = list(snapshot.of_kind("Pod", namespace))
    return {ip for pod in pods for ip in _ips(pod)} if all(map(_is_settled, pods)) else None


def _is_settled(pod: Object) -> bool:
    """Whether nothing about a pod has changed so lately that its endpoints may lag behind."""
    if "deletionTimestamp" in pod["metadata"]:
        return False
    changed = condition(pod, "Ready").get("lastTransitionTime")
    if not changed:
        return True
    return datetime.now(UTC) - datetime.fromisoformat(changed) > _FOLLOWS


def _ips(pod: Object) -> set[str]:
    """Return a pod's addresses, one of each family; a Service may lead to either."""
    status = pod.get("status") or {}
    return {each["ip"] for each in status.get("podIPs") or ()} | {
        *filter(None, [status.get("podIP")])
    }


def _without(snapshot: Snapshot, service: Object, behind: list[Object]) -> Finding:
    pods = carriers(snapshot, service)
    ready = [pod for pod in pods if is_ready(pod)]
    if not pods:
        selector = service["spec"]["selector"]
        labels = [f"{key}={value}" for key, value in selector.items()]
        seen = Phrase("no pod carries {labels}", labels=labels)
    else:
        seen = Phrase(
            "{ready} of {count} pods that it selects are ready", ready=len(ready), count=len(pods)
        )
    return Finding(
        "SERVICE_WITHOUT_ENDPOINTS",
        ref(service),
        Phrase("{service} has no endpoint that is ready: {seen}", service=ref(service), seen=seen),
        Phrase("see why no pod of {workloads} is ready", workloads=[ref(each) for each in behind]),
        evidence=tuple(f"{ref(pod)}: {'ready' if pod in ready else 'not ready'}" for pod in pods),
    )


LIVE: Final = (endpoints,)
