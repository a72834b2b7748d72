"""A part of the system: what every kind of component can say.

What only one kind can say is in that kind's room, `components/<kind>/spec.py`, as a subclass of
`Component`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nova_acceptance.findings import Ref
from nova_acceptance.system.base import Key, Name, Path, Port, Problem, Quantity, Short, Strict

Layer = Literal["infrastructure", "services"]
PodSecurity = Literal["restricted", "baseline"]
"""A level of the Pod Security Standards; `restricted` is on a read-only root file system besides.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/.
"""


ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]
"""The types of Services that lead to pods."""


class KubeService(Strict):
    """A Service in front of a component's pods.

    Attributes:
        type: by which it is reached from outside the cluster as well, but for `ClusterIP`.
        ports: number by name.
        role: which of several members it leads to, `primary` or `replica`; empty for all of them.
    """

    name: Name
    type: ServiceType = "ClusterIP"
    headless: bool = False
    ports: Annotated[dict[Name, Port], Field(min_length=1)]
    targets: dict[Name, Port | Name] = Field(default_factory=dict)
    role: Literal["", "primary", "replica"] = ""


class Claim(Strict):
    """One volume of one replica, derived from a workload's claim templates."""

    name: str
    namespace: Name
    size: Quantity

    @property
    def ref(self) -> Ref:
        """The claim on the cluster."""
        return Ref("PersistentVolumeClaim", self.namespace, self.name)


class Workload(Strict):
    """A Deployment, StatefulSet or DaemonSet and the Services in front of it.

    Attributes:
        component: the name of the component that it runs.
        claims: size by name of the claim template.
        api_token: whether its pods hold a token of the Kubernetes API.
        pod_security: the level that each of its containers keeps to.
    """

    name: Name
    kind: Literal["StatefulSet", "Deployment"]
    namespace: Name
    component: Name
    replicas: Annotated[int, Field(ge=1)]
    claims: dict[Name, Quantity] = Field(default_factory=dict)
    api_token: bool = False
    pod_security: PodSecurity = "restricted"
    services: tuple[KubeService, ...] = ()
    layer: Layer = "infrastructure"

    @property
    def ref(self) -> Ref:
        """The workload on the cluster."""
        return Ref(self.kind, self.namespace, self.name)

    @property
    def claimed(self) -> tuple[Claim, ...]:
        """Every claim that its replicas should hold."""
        return tuple(
            Claim(
                name=f"{template}-{self.name}-{ordinal}",
                namespace=self.namespace,
                size=size,
            )
            for template, size in self.claims.items()
            for ordinal in range(self.replicas)
        )

    def expected_behind(self, service: KubeService) -> int:
        """Return how many of its pods a Service should lead to."""
        if not service.role:
            return self.replicas
        return 1 if service.role == "primary" else self.replicas - 1


class Runs(Strict):
    """How a component runs: `workload` in the file.

    Attributes:
        kind: what makes its pods; each kind of component has a usual one.
        name: the workload's name, where it is not the component's.
        claims: size by name of the claim template.
        api_token: whether its pods hold a token of the Kubernetes API.
        pod_security: the level that each of its containers keeps to: `restricted`, on a read-only
            root file system, or `baseline`, which leaves out what stock images do not bear.
    """

    kind: Literal["StatefulSet", "Deployment"] | None = None
    name: Name | None = None
    replicas: Annotated[int, Field(ge=1)] = 1
    claims: dict[Name, Quantity] = Field(default_factory=dict)
    api_token: bool = False
    pod_security: PodSecurity = "restricted"


class SecretKey(Strict):
    """Where a password is: in the component's own namespace."""

    secret: Name
    key: Key


class Use(Short):
    """What a component uses, and how it is told where that is.

    Attributes:
        name: another component, a database of one, or an external system.
        secret: the Secret that holds the URL; `conventions` says which where this does not.
        config_map: the ConfigMap that holds it instead.
        key: the key in it.
        env: the variable by which the component's container gets it; empty: not verified.
    """

    _word: ClassVar[str] = "name"

    name: str
    secret: Name | None = None
    config_map: Name | None = None
    key: Key | None = None
    env: Key | None = None


class UrlOf(Strict):
    """What a URL of a target looks like, as the target's kind knows it.

    Attributes:
        scheme: as it is best written.
        schemes: a pattern of all that are right.
        service: the Service that it should name.
        port: the port of that Service.
        usual_port: the one that is meant where none is written.
        path: what follows the host, without its slash; None where any will do.
        is_numbered: whether databases are numbers, of which none means the first.
        users: who may connect; empty where it has no users.
        passwords: where the password of a user is, by user (`""` for the one without a name).
    """

    scheme: str
    schemes: str
    service: KubeService
    namespace: Name
    port: Port
    usual_port: Port
    path: str | None = None
    is_numbered: bool = False
    users: tuple[str, ...] = ()
    passwords: dict[str, SecretKey] = Field(default_factory=dict)


class Component(Strict):
    """A part of the system: what every kind can say.

    Attributes:
        kind: which room knows it.
        name: unique in the file; how others refer to it.
        runs: its workload.
        services: the Services in front of it.
        client: the Service by which others connect; else the first that has an address, or a role
            of `primary`.
        uses: what it connects to.
        version: what its version should begin with; None: any.
    """

    kind: str
    name: Name
    namespace: Name
    runs: Annotated[Runs, Field(alias="workload")] = Runs()
    services: tuple[KubeService, ...] = ()
    client: Name | None = None
    uses: tuple[Use, ...] = ()
    version: str | None = None

    layer: ClassVar[Layer] = "infrastructure"
    usual_workload: ClassVar[Literal["StatefulSet", "Deployment"]] = "StatefulSet"

    @cached_property
    def workload(self) -> Workload:
        """What makes its pods, with the Services in front of them."""
        return Workload(
            name=self.runs.name or self.name,
            kind=self.runs.kind or self.usual_workload,
            namespace=self.namespace,
            component=self.name,
            replicas=self.runs.replicas,
            claims=self.runs.claims,
            api_token=self.runs.api_token,
            pod_security=self.runs.pod_security,
            services=self.every_service,
            layer=self.layer,
        )

    @property
    def every_service(self) -> tuple[KubeService, ...]:
        """The Services in front of it, those included that follow from the rest."""
        return self.services

    @property
    def client_service(self) -> KubeService | None:
        """The Service by which others connect; None where it has none."""
        found = self.every_service
        if self.client:
            return next((each for each in found if each.name == self.client), None)
        ordered = sorted(found, key=lambda each: (each.role != "primary", each.headless))
        return next(iter(ordered), None)

    @property
    def client_port(self) -> int | None:
        """The port of that Service by which others connect: its first."""
        service = self.client_service
        return next(iter(service.ports.values())) if service else None

    @property
    def scheme(self) -> Literal["http", "https"]:
        """The scheme of its address, where a configuration holds that as a URL."""
        return "http"

    @property
    def targets(self) -> tuple[str, ...]:
        """The names by which others use it, or parts of it."""
        return (self.name,)

    @property
    def needs(self) -> tuple[str, ...]:
        """Components that it stands on without a URL in its configuration."""
        return ()

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """Where its passwords are."""
        return ()

    @property
    def named_services(self) -> tuple[tuple[Path, str], ...]:
        """Services of other components of its namespace that it names, each after its field."""
        return ()

    @property
    def role_label(self) -> str | None:
        """The label by which its pods tell their roles; None where they have none."""
        return None

    def url(self, target: str) -> UrlOf | None:  # noqa: ARG002 - for kinds that have several targets
        """Return what a URL of one of its targets looks like; None where it has none."""
        return None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong within it: names that must exist, names that must differ."""
        if self.client and self.client_service is None:
            yield ("client",), f"{self.name} has no service called {self.client}"
