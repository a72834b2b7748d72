"""The Sentinels of a Redis, and the servers that they may name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nova_acceptance.components.kind import Access
from nova_acceptance.components.kubernetes.seen import Seen, addresses_of
from nova_acceptance.components.kubernetes.seen import ref as pod_ref
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.system import Component, Front, System
from nova_acceptance.system.parts import forms


@dataclass(frozen=True, slots=True)
class Sentinel:
    """One Sentinel, asked at its own pod.

    Attributes:
        pod: where it runs.
        redis: its client; it demands no password.
    """

    pod: Ref
    redis: Redis

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.pod.name


@dataclass(frozen=True, slots=True)
class Server:
    """One of several servers of a Redis, asked at its own pod.

    Attributes:
        name: the pod's.
        hosts: the addresses and names that lead to it and to no other.
        port: where it listens.
        redis: its client.
    """

    name: str
    hosts: frozenset[str]
    port: int
    redis: Redis

    @property
    def is_primary(self) -> bool:
        """Whether it follows nobody, as it says itself."""
        return bool(self.redis.ask("ROLE")[0] == "master")

    def is_at(self, host: str, port: int) -> bool:
        """Whether an address is one of its own."""
        return host.lower().rstrip(".") in self.hosts and port == self.port


def component_of_sentinels(system: System, spec: Spec) -> Component:
    """Return the component that has the Sentinels' Service; a spec that was read has one."""
    return next(
        component
        for component in system.components
        if spec.sentinel and component.namespace == spec.namespace
        if spec.sentinel.service in {service.name for service in component.every_service}
    )


def sentinels_of(access: Access, system: System, spec: Spec) -> list[Sentinel]:
    """Return every Sentinel of a Redis."""
    port = spec.sentinel.port if spec.sentinel else 0
    return [
        Sentinel(
            Ref("Pod", pod.namespace, pod.name),
            Redis(access.to_pod(pod, port), None, access.transcript),
        )
        for pod in access.pods(component_of_sentinels(system, spec))
    ]


def servers_of(access: Access, objects: Seen, system: System, spec: Spec) -> list[Server]:
    """Return every server of a Redis, with what it may be called."""
    port = spec.client_port or 6379
    password = access.password(spec, spec.password) if spec.password else None
    return [
        Server(
            name=ref(pod).name,
            hosts=frozenset(_hosts(pod, objects, system, spec)),
            port=port,
            redis=Redis(access.to_pod(pod_ref(pod), port), password, access.transcript),
        )
        for pod in objects.pods_of(spec.workload)
    ]


def _hosts(pod: Object, objects: Seen, system: System, spec: Spec) -> Iterator[str]:
    """Yield a pod's address, its names, and what else leads to it alone."""
    name = ref(pod).name
    yield str((pod.get("status") or {}).get("podIP"))
    for service in spec.every_service:
        behind = {each.pod for each in objects.endpoints(service.name, spec.namespace)}
        if service.headless:
            own = f"{name}.{service.name}"
            yield from (own, *forms(own, spec.namespace, system.zone))
        elif behind == {name}:
            yield from (service.name, *forms(service.name, spec.namespace, system.zone))
            yield from addresses_of(objects, Front(spec.workload, service))


def close(clients: Sequence[Sentinel | Server]) -> None:
    """Close what was opened to ask them."""
    for each in clients:
        each.redis.close()
