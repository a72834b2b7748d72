"""What a host name leads to from inside a pod: a Service, nothing at all, or somewhere outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.addresses import Address, service_meant, services_meant
from nova_acceptance.components.kubernetes.shapes import is_host_key
from nova_acceptance.components.kubernetes.workloads import template, workload_of, workloads
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_SPEAKS_NAMES: Final = re.compile(
    r"^(https?|wss?|tcp|tls|ssl|udp|rediss?|redis[+-].*|sentinel|postgres(ql)?|postgresql\+.*|pg|"
    r"mysql.*|mariadb.*|sqlserver|mssql.*|oracle|mongodb|amqps?|nats|kafka.*|pulsar.*|grpcs?|dns|"
    r"ldaps?|smtps?|imaps?|memcached?|clickhouse.*|elasticsearch|cassandra|mqtts?|s?ftp|ssh|"
    r"zk|zookeeper|etcds?|consul|vault|otlp|jaeger|statsd|syslog|gelf|thrift|rtmps?|rtsp|bolt|"
    r"neo4j|influxdb|prometheus|dremio|trino|presto|hive2|jms|stomp|http\+.*)$"
)
_SAYS_ADDRESS: Final = re.compile(
    r"ur[li]|host|addr|endpoint|broker|server|peer|seed|bootstrap|dsn|connect|target|upstream|"
    r"backend|service|remote|proxy|redis|postgres|database|(^|[_.-])db|kafka|mongo|mysql|sentinel|"
    r"replica|master|primary|leader|join|etcd|zookeeper|(^|[_.-])zk|amqp|rabbit|nats|elastic|"
    r"memcache|cache|sink|gateway|prom|otlp|collector|api|cluster|member|initial",
    re.IGNORECASE,
)
_ITS_OWN: Final = frozenset({"localhost", "localhost.localdomain", "host", "none", "null", "auto"})
_TLD: Final = re.compile(r"[a-z]+|xn--.*")
_PUBLIC: Final = re.compile(
    r"[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|dev|app|cloud|xyz|tech|site|online|pro|arpa|"
    r"internal|local|localdomain|lan|home|corp|intranet|example|test|invalid|xn--.*"
)
"""Ends of names that are looked for outside, whatever Service has the label before."""
_LOWEST_PORT: Final = 53
"""Below this `name:number` is rather an image and its tag."""


def configured(snapshot: Snapshot) -> Iterator[Object]:
    """Yield every workload, and every pod that none of them made; not a node's own static pods."""
    yield from workloads(snapshot)
    for pod in snapshot.of_kind("Pod"):
        owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences") or ()}
        is_passed_over = "Node" in owners or "deletionTimestamp" in pod["metadata"]
        if not is_passed_over and workload_of(snapshot, pod) in (None, pod):
            yield pod


def service_at(snapshot: Snapshot, address: Address, namespace: str) -> Object | None:
    """Return the Service that an address leads to from a namespace; None where none does."""
    meant = services_meant(address.host, namespace, snapshot.system.zone)
    return next((found for found in map(snapshot.at, meant) if found), None)


def missing_service(snapshot: Snapshot, address: Address, user: Object) -> Ref | None:
    """Return the Service that an address certainly means and that does not exist.

    Names that somebody else may know are none: those outside the cluster's zone, nodes, and what
    a pod's own hosts file or search list may hold.

    Args:
        snapshot: what there is.
        address: what the configuration holds.
        user: the workload that is configured with it.
    """
    namespace = user["metadata"].get("namespace", "")
    if not is_certain(address) or service_at(snapshot, address, namespace):
        return None
    if address.host in _ITS_OWN | _own_names(user) or snapshot.get("Node", "", address.host):
        return None
    spec = template(user)["spec"]
    is_full = ".svc" in f"{address.host}."
    own_list = (spec.get("dnsConfig") or {}).get("searches")
    if not is_full and (own_list or not uses_cluster_dns(spec)):
        return None
    meant = service_meant(address.host, namespace, snapshot.system.zone)
    if meant is None or not (is_full or _is_inside(snapshot, meant, namespace)):
        return None
    return meant if _is_absent(snapshot, meant) else None


def is_certain(address: Address) -> bool:
    """Whether what was found is an address, and not something that only looks like one."""
    if "image" in address.key.lower() or "registry" in address.key.lower():
        return False
    if address.scheme:
        return bool(_SPEAKS_NAMES.match(address.scheme))
    if ".svc" in f"{address.host}.":
        return True
    if address.is_in_text or address.path:
        return False
    if address.port is None or is_host_key(address.key):
        return is_host_key(address.key)
    return address.port >= _LOWEST_PORT and bool(_SAYS_ADDRESS.search(address.key))


def uses_cluster_dns(spec: Object) -> bool:
    """Whether a pod of this specification is given the cluster's DNS and search list.

    Source: "DNS for Services and Pods", section "Pod's DNS Policy".
    """
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    return policy == "ClusterFirstWithHostNet" or (
        policy == "ClusterFirst" and not spec.get("hostNetwork")
    )


def _own_names(user: Object) -> frozenset[str]:
    spec = template(user)["spec"]
    names = {spec.get("hostname"), user["metadata"]["name"]}
    for alias in spec.get("hostAliases") or ():
        names |= set(alias.get("hostnames") or ())
    return frozenset(filter(None, names))


def _is_inside(snapshot: Snapshot, meant: Ref, own: str) -> bool:
    """Whether a short name is one of the cluster's, and not of a domain of the internet."""
    name = meant.namespace
    if name == own or snapshot.get("Namespace", "", name) or not _TLD.fullmatch(name):
        return True
    if name in snapshot.system.namespaces:
        return True
    if _PUBLIC.fullmatch(name):
        return False
    return any(_same(found, meant) for found in snapshot.of_kind("Service"))


def _is_absent(snapshot: Snapshot, service: Ref) -> bool:
    if snapshot.knows("Service", service.namespace):
        return True
    return snapshot.knows("Namespace") and not snapshot.get("Namespace", "", service.namespace)


def nearest(snapshot: Snapshot, missing: Ref) -> Phrase:
    """Return what to name in the place of a Service that does not exist: those that there are."""
    there = sorted(ref(found).name for found in snapshot.of_kind("Service", missing.namespace))
    elsewhere = [ref(found) for found in snapshot.of_kind("Service") if _same(found, missing)]
    return Phrase(
        "name one that exists in {namespace}: {services}"
        if there
        else "{name} is in {namespaces}"
        if elsewhere
        else "create the Service {name} in {namespace}, or name another",
        name=missing.name,
        namespace=missing.namespace,
        namespaces=sorted(it.namespace for it in elsewhere),
        services=there,
    )


def _same(service: Object, missing: Ref) -> bool:
    return bool(service["metadata"]["name"] == missing.name)
