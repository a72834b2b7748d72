"""How a kind asks what a draft describes: from the runner, by a port-forward to a pod."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from nova_acceptance import masking, secrecy
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import pods_of
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Component, SecretKey
from nova_acceptance.vantage.routes import Route, Routes
from nova_acceptance.vantage.transcript import Transcript


@dataclass(frozen=True, eq=False)
class PodAccess:
    """The way to pods, and to the passwords in Secrets: `components.kind.Access`.

    Attributes:
        kube: the API.
        snapshot: what was seen of it.
        routes: opened once and kept.
        transcript: to which nobody listens.
    """

    kube: Kube
    snapshot: Snapshot
    routes: Routes
    transcript: Transcript

    def pods(self, component: Component) -> Sequence[PodRef]:
        """Return the component's ready pods, in the order of their names."""
        workload = self.snapshot.at(component.workload.ref)
        found = pods_of(self.snapshot, workload) if workload else []
        return sorted(
            PodRef(component.namespace, pod["metadata"]["name"]) for pod in found if is_ready(pod)
        )

    def to_service(self, component: Component) -> Route:
        """Return the route to the first of a component's pods, by the port of its Service."""
        return self._to_any(component, component.client_port)

    def to_role(self, component: Component, role: str) -> Route:
        """Return the same: which member is in a role is not known yet."""
        services = [each for each in component.every_service if each.role == role]
        port = next(iter(services[0].ports.values())) if services else component.client_port
        return self._to_any(component, port)

    def to_pod(self, pod: PodRef, port: int) -> Route:
        """Return the route to a port of a pod itself."""
        return self.routes.to(pod, port)

    def password(self, component: Component, home: SecretKey) -> str:
        """Return what a Secret of the component's namespace holds."""
        found = self.kube.get("v1", "Secret", home.secret, component.namespace) or {}
        encoded = (found.get("data") or {}).get(home.key)
        if encoded is None:
            raise ProbeError(f"Secret {component.namespace}/{home.secret} has no key {home.key}")
        text = base64.b64decode(encoded).decode("utf-8", "replace")
        masking.register(secrecy.of_login(text))
        return text

    def _to_any(self, component: Component, port: int | None) -> Route:
        pods = self.pods(component)
        if not pods or port is None:
            raise ProbeError(f"{component.name} has no pod that could be asked")
        return self.routes.to(pods[0], port)
