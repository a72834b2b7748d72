"""The cluster's DNS, and what pods do with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.dns import corefile
from nova_acceptance.components.dns.checks import missing_servers
from nova_acceptance.components.dns.service import (
    DNS,
    dns_services,
    keeps_servers,
    own_addresses,
)
from nova_acceptance.components.kubernetes.addresses import addresses_of, services_meant
from nova_acceptance.components.kubernetes.backends import carriers, knows_endpoints, ready_behind
from nova_acceptance.components.kubernetes.graces import NEXT_TRY, RETURN, STARTING
from nova_acceptance.components.kubernetes.resolution import (
    configured,
    is_certain,
    service_at,
    uses_cluster_dns,
)
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import references, selected, statuses, template
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase

_ELSEWHERE: Final = ("openshift-dns",)
"""Namespaces in which distributions keep their DNS, where kube-system has none."""


def dns_down(snapshot: Snapshot) -> Iterator[Finding]:
    """Find a cluster whose DNS Service is missing or has nothing behind it."""
    if not snapshot.knows("Service", DNS.namespace):
        return
    services = list(dns_services(snapshot))
    if not services:
        if not snapshot.get("Namespace", "", DNS.namespace):
            return  # not a whole cluster, or one that keeps its DNS elsewhere
        is_elsewhere = any(snapshot.get("Namespace", "", name) for name in _ELSEWHERE)
        # without servers in pods either, the cluster has its DNS on its nodes or behind them
        if keeps_servers(snapshot) and not is_elsewhere:
            yield from missing_servers(snapshot)
        return
    if not knows_endpoints(snapshot, DNS.namespace):
        return
    if any(ready_behind(snapshot, ref(it)) for it in services):
        return
    yield _without_servers(snapshot, services[0])


def servers_unwanted(snapshot: Snapshot) -> Iterator[Finding]:
    """Find a DNS that has no server since nothing wants one any more: no wait brings one.

    Servers that are wanted and not ready are none of it: a cluster that starts has no others.
    """
    for found in dns_down(snapshot):
        if _is_at_rest(snapshot.at(found.subject) or {}):
            yield found


def _is_at_rest(maker: Object) -> bool:
    return (maker.get("spec") or {}).get("replicas") == 0


def _without_servers(snapshot: Snapshot, service: Object) -> Finding:
    pods = carriers(snapshot, service)
    ready = [pod for pod in pods if is_ready(pod)]
    makers = [each for each in selected(snapshot, service) if each["kind"] != "Job"]
    is_at_rest = bool(makers) and all(map(_is_at_rest, makers))
    subject, cure, grace = ref(service), NOTHING, RETURN
    if is_at_rest:
        grace = NEXT_TRY
        subject = ref(makers[0])
        why = Phrase("{workload} is scaled to 0", workload=subject)
        cure = Phrase(
            "`kubectl -n {namespace} scale {kind} {name} --replicas=2`",
            namespace=subject.namespace,
            kind=subject.kind.lower(),
            name=subject.name,
        )
    elif not pods and makers:
        why = Phrase("{workload} has no pod", workload=ref(makers[0]))
    elif not pods:
        why = Phrase("it selects no pod")
    elif ready:
        why = Phrase("its pods are ready, and it does not lead to them: see its selector and ports")
    else:
        why = Phrase("none of its {count} pods is ready", count=len(pods))
        grace = STARTING
    return Finding(
        "DNS_DOWN",
        subject,
        Phrase(
            "{service} has no server behind it that is ready: {why}", service=ref(service), why=why
        ),
        cure,
        evidence=tuple(_of_pod(pod) for pod in pods),
        grace=grace,
    )


def _of_pod(pod: Object) -> str:
    waiting = [
        str(state["waiting"].get("reason", ""))
        for state in (status.get("state") or {} for status in statuses(pod))
        if state.get("waiting")
    ]
    said = ", ".join(filter(None, waiting)) or (pod.get("status") or {}).get("phase", "")
    return f"{ref(pod)}: {'ready' if is_ready(pod) else f'not ready, {said}'}"


def search_path_lost(snapshot: Snapshot) -> Iterator[Finding]:
    """Find templates whose pods do not complete the names that they are configured with.

    Where nova.yaml declares the workload every short name is to resolve in it.
    """
    declared = {it.ref for it in snapshot.system.every_workload}
    for user in configured(snapshot):
        spec = template(user)["spec"]
        if uses_cluster_dns(spec) or _completes(snapshot, user):
            continue
        if ref(user).namespace == DNS.namespace:
            continue  # what a cluster is made of may well be older than its names
        names = _names_lost(snapshot, user)
        if not names and ref(user) not in declared:
            continue
        how, cure = f"dnsPolicy {spec.get('dnsPolicy') or 'ClusterFirst'}", NOTHING
        if spec.get("hostNetwork"):
            how = Phrase("{policy} with hostNetwork", policy=how)
            cure = Phrase("write `dnsPolicy: ClusterFirstWithHostNet`")
        searches = (spec.get("dnsConfig") or {}).get("searches") or ()
        yield Finding(
            "SEARCH_PATH_LOST",
            ref(user),
            Phrase(
                "{user} has {how}, so that its pods do not know the cluster's names such as {name}"
                if names
                else "{user} has {how}, so that its pods do not know the cluster's names",
                user=ref(user),
                how=how,
                name=names[0] if names else "",
            ),
            cure,
            evidence=(
                f"search list: {', '.join(searches) or 'the node has its own'}",
                *(f"configured with {name}" for name in names),
            ),
        )


def _completes(snapshot: Snapshot, user: Object) -> bool:
    """Whether a dnsConfig of its own has what the cluster's search list would have."""
    searches = set((template(user)["spec"].get("dnsConfig") or {}).get("searches") or ())
    zone, namespace = snapshot.system.zone, user["metadata"].get("namespace", "")
    return {f"{namespace}.svc.{zone}", f"svc.{zone}"} <= {name.rstrip(".") for name in searches}


def _names_lost(snapshot: Snapshot, user: Object) -> list[str]:
    """Return the names of Services in a workload's configuration that it does not resolve."""
    spec = template(user)["spec"]
    namespace = user["metadata"].get("namespace", "")
    zone = snapshot.system.zone
    asks_cluster = spec.get("dnsPolicy") == "None" and (spec.get("dnsConfig") or {}).get(
        "nameservers"
    )
    lost = {
        address.host
        for address in addresses_of(snapshot, user)
        if is_certain(address)
        and service_at(snapshot, address, namespace)
        and not (asks_cluster and address.host.rstrip(".").endswith(f".svc.{zone}"))
    }
    return sorted(lost)


def zone_lost(snapshot: Snapshot) -> Iterator[Finding]:
    """Find a CoreDNS whose configuration serves another zone than the cluster's."""
    makers = (each for service in dns_services(snapshot) for each in selected(snapshot, service))
    files = {
        found.target
        for each in makers
        for found in references(each)
        if found.target.kind == "ConfigMap"
    }
    zone = snapshot.system.zone.rstrip(".").lower()
    for where in sorted(files):
        text = ((snapshot.at(where) or {}).get("data") or {}).get(corefile.KEY)
        zones = corefile.zones_of_the_cluster(text) if text else None
        if zones is None or (zones and not snapshot.system.components):
            continue  # only nova.yaml knows which of its zones a cluster should serve
        if not corefile.covers(zones, zone):
            served = sorted(zones)
            yield Finding(
                "DNS_ZONE_LOST",
                where,
                Phrase(
                    "{where} lets CoreDNS serve {served} and not {zone}, the cluster's zone"
                    if served
                    else "{where} lets CoreDNS serve none and not {zone}, the cluster's zone",
                    where=where,
                    served=served,
                    zone=zone,
                ),
                Phrase(
                    "write `kubernetes {zone} in-addr.arpa ip6.arpa` into its {key}, and restart "
                    "CoreDNS",
                    zone=zone,
                    key=corefile.KEY,
                ),
                evidence=(f"zones of the plugin kubernetes: {', '.join(served) or 'none'}",),
            )


def host_alias_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find templates whose hosts file knows a Service under another address than its own."""
    zone = snapshot.system.zone
    for user in configured(snapshot):
        where = ref(user)
        for alias in template(user)["spec"].get("hostAliases") or ():
            for name in alias.get("hostnames") or ():
                meant = services_meant(name, where.namespace, zone)
                service = next(filter(None, map(snapshot.at, meant)), None)
                own = own_addresses(service) if service else []
                if service and own and alias.get("ip") not in own:
                    yield Finding(
                        "HOST_ALIAS_WRONG",
                        where,
                        Phrase(
                            "{where} has {name} at {ip} in its hostAliases, and {service} is at "
                            "{own}",
                            where=where,
                            name=name,
                            ip=alias.get("ip"),
                            service=ref(service),
                            own=own,
                        ),
                    )


BEFOREHAND: Final = (search_path_lost, host_alias_wrong)
LIVE: Final = (dns_down, zone_lost)
