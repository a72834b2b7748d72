"""What nova.yaml says of a service: anything with a port that others ask."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nova_acceptance.system.base import Name, Port, Strict
from nova_acceptance.system.component import Component, KubeService, Layer, ServiceType


class Health(Strict):
    """How a service says that it is well.

    Attributes:
        path: what is asked for.
        status: the status of the answer.
        names_itself: the key of the answer's JSON under which it tells its own name; None where
            it does not.
    """

    path: str = "/health"
    status: Annotated[int, Field(ge=100, le=599)] = 200
    names_itself: str | None = None


class Http(Component):
    """A service of the application layer: a Deployment and a Service of its name.

    Attributes:
        service: what that Service is called, where it has not the component's name.
        type: that Service's type; `NodePort` and `LoadBalancer` open it to the outside as well.
        headless: whether that Service has no address of its own.
        port: the Service's.
        port_name: what the Service calls it.
        target: the port of the pods behind it, by number or name; None: not verified.
        ports: further ports of the Service, by name.
        protocol: what answers there; for `grpc` and `tcp` a connection is opened and no more.
            `https` is HTTP over TLS, and the certificate that it shows is looked at.
        health: how it says that it is well; None where it is only connected to.
    """

    kind: Literal["http"] = "http"
    service: Name | None = None
    type: ServiceType = "ClusterIP"
    headless: bool = False
    port: Port
    port_name: Name = "http"
    target: Port | Name | None = None
    ports: dict[Name, Port] = {}  # noqa: RUF012 - pydantic copies it
    protocol: Literal["http", "https", "grpc", "tcp"] = "http"
    health: Health | None = None

    layer: ClassVar[Layer] = "services"
    usual_workload: ClassVar[Literal["StatefulSet", "Deployment"]] = "Deployment"

    @property
    def every_service(self) -> tuple[KubeService, ...]:
        """Its own Service, and any that the file lists besides."""
        own = KubeService(
            name=self.service or self.name,
            type=self.type,
            headless=self.headless,
            ports={self.port_name: self.port, **self.ports},
            targets={self.port_name: self.target} if self.target else {},
        )
        return (own, *self.services)

    @property
    def is_asked(self) -> bool:
        """Whether it is asked for a page."""
        return self.protocol in ("http", "https") and self.health is not None

    @property
    def scheme(self) -> Literal["http", "https"]:
        """The scheme of its address."""
        return "https" if self.protocol == "https" else "http"
