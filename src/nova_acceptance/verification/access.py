"""How the clients of components reach them in this run."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nova_acceptance.components.kind import Access
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import kind_of
from nova_acceptance.errors import NovaError, ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.system import Component, SecretKey, parts
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.secret_values import SecretValues


@dataclass(frozen=True, eq=False)
class RunAccess:
    """What clients ask for to reach a component, in one run: `components.kind.Access`.

    Attributes:
        transcript: takes down what is asked.
        connections: from pods to Services, with all that they know of the cluster.
        secrets: the values of the system's Secrets.
    """

    transcript: Transcript
    connections: Connections
    secrets: SecretValues

    @property
    def kube(self) -> Kube:
        """The cluster's API."""
        return self.connections.places.kube

    def pods(self, component: Component) -> Sequence[PodRef]:
        """Return the component's pods, in the order of their names."""
        return self.connections.objects.refs_of(component.workload)

    def to_service(self, component: Component) -> Route:
        """Return the route to a component through the Service by which clients connect."""
        front, port = parts.front_of(component), component.client_port
        if front is None or port is None:
            raise ProbeError(
                f"{component.name} has no Service by which one could connect to it",
                hint="name one under `services` in nova.yaml",
            )
        return self.connections.first_to(self._pods_to_ask(component), front, port)

    def to_role(self, component: Component, role: str) -> Route:
        """Return the route to the members of a component in a role, through their Service."""
        service = next(each for each in component.every_service if each.role == role)
        front = parts.Front(component.workload, service)
        port = next(iter(service.ports.values()))
        return self.connections.first_to(self._pods_to_ask(component), front, port)

    def to_pod(self, pod: PodRef, port: int) -> Route:
        """Return the route to a port of a pod itself."""
        return self.connections.routes.to(pod, port)

    def password(self, component: Component, home: SecretKey) -> str:
        """Return what a Secret of the component's namespace holds."""
        return self.secrets.text("Secret", component.namespace, home.secret, home.key)

    def _pods_to_ask(self, component: Component) -> Iterator[PodRef]:
        """Yield pods to ask a component from, as its users reach it.

        Where nothing that runs uses it, they are those of services, of any other, or its own.
        """
        system, pods = self.connections.system, self.connections.pods
        users = {user.name for user, owner in parts.uses(system) if owner is component}
        services = {each.name for each in system.services}
        others = {each.name for each in system.components} - {component.name}
        for names in (users, services, others, {component.name}):
            if running := [name for name in pods if name in names]:
                yield from (pods[name] for name in running)
                return


class Clients:
    """The clients of each component, made when first wanted. Threads may share them."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._failures: dict[tuple[str, str], NovaError | AssertionError] = {}

    def of(self, component: Component, name: str = "") -> Any:
        """Return a client of a component.

        One that cannot be made fails everybody who wants it at once, and is not tried again.

        Args:
            component: the component.
            name: see `Kind.clients`; that of the kind where it is empty.

        Raises:
            NovaError: it cannot be reached.
            FindingError: it is closed.
        """
        kind = kind_of(component)
        wanted = component.name, name or kind.name
        with self._lock:
            if failure := self._failures.get(wanted):
                raise failure
            if wanted not in self._clients:
                connect = kind.clients.get(wanted[1])
                if connect is None:
                    raise ValueError(f"components of kind {kind.name} have no client {wanted[1]}")
                try:
                    self._clients[wanted] = connect(self._access, self, component)
                except (NovaError, AssertionError) as error:
                    self._failures[wanted] = error
                    raise
            return self._clients[wanted]

    def close(self) -> None:
        """Close every client that was made."""
        for client in self._clients.values():
            with suppress(AttributeError):
                client.close()
