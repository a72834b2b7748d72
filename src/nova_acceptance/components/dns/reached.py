"""From which nodes the cluster's DNS is not reached, by the pods that it does not answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from nova_acceptance.components.dns.service import DNS, dns_services
from nova_acceptance.components.kubernetes.backends import ready_behind
from nova_acceptance.components.network.cut import Trial, cuts
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.kube.kinds import kind_served, version_served
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.questions import Exchanged

_SERVICE: Final = PodRef(DNS.namespace, DNS.name)


def cut_from_dns(kube: Kube, asked: Mapping[PodRef, Sequence[Exchanged]]) -> Finding | None:
    """Return that a node is cut off from those of the DNS; None where its pods do not show that.

    Args:
        kube: the API, which knows the pods' nodes.
        asked: what each pod was answered.
    """
    try:
        trials = list(_trials(kube, asked))
    except NovaError:
        return None  # this user may not see where the pods are
    return next((each.finding for each in cuts(trials)), None)


def _trials(kube: Kube, asked: Mapping[PodRef, Sequence[Exchanged]]) -> Iterator[Trial]:
    nodes = _nodes(kube, {DNS.namespace, *(pod.namespace for pod in asked)})
    homes = sorted({home for pod in _pods_of_dns(kube) if (home := nodes.get(pod))})
    is_answered = {pod: any(it.message is not None for it in each) for pod, each in asked.items()}
    reached = {nodes.get(pod, "") for pod, found in is_answered.items() if found}
    for pod, answers in asked.items():
        node = nodes.get(pod, "")
        if is_answered[pod]:  # by one of several
            home = homes[0] if len(homes) == 1 else ""
            yield Trial(pod, node, _SERVICE, home, is_answered=True, said="answered")
        elif node not in reached:
            said = ", ".join(sorted({it.state for it in answers}))
            for home in homes:
                yield Trial(pod, node, _SERVICE, home, is_answered=False, said=said)


def _nodes(kube: Kube, namespaces: Iterable[str]) -> dict[PodRef, str]:
    """Return the nodes of all pods of some namespaces; empty for one that has none yet."""
    return {
        PodRef(namespace, each["metadata"]["name"]): str(each["spec"].get("nodeName", ""))
        for namespace in namespaces
        for each in kube.list("v1", "Pod", namespace=namespace)
    }


def _pods_of_dns(kube: Kube) -> Iterator[PodRef]:
    """Yield the pods that are behind the cluster's DNS, by whatever name its Service has."""
    seen = Snapshot()
    kind = kind_served(kube, "EndpointSlice")
    for version, each in (("v1", "Service"), (version_served(kube, kind) or "v1", kind)):
        for obj in kube.list(version, each, namespace=DNS.namespace):
            seen.update("ADDED", obj)
        seen.listed.add((each, DNS.namespace))
    for service in dns_services(seen):
        for endpoint in ready_behind(seen, ref(service)):
            if endpoint.pod:
                yield PodRef(DNS.namespace, endpoint.pod)
