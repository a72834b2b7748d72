"""What nova.yaml says of a RabbitMQ."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from nova_acceptance.system import Component, SecretKey, UrlOf


class RabbitMQ(Component):
    """One RabbitMQ, as one user sees one virtual host of it.

    Attributes:
        user: who the applications are.
        password: the user's.
        vhost: the virtual host.
        queues: those that must be there.
        prefix: what begins the names that the user may declare, write and read; all others are
            refused. None: which ones it may is not asked.
    """

    kind: Literal["rabbitmq"] = "rabbitmq"
    user: str
    password: SecretKey
    vhost: str = "/"
    queues: tuple[str, ...] = ()
    prefix: str | None = None

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """Where its password is."""
        return (self.password,)

    def url(self, target: str) -> UrlOf | None:  # noqa: ARG002 - it has one
        """Return what its URL looks like (https://www.rabbitmq.com/docs/uri-spec)."""
        if not (self.client_service and self.client_port):
            return None
        return UrlOf(
            scheme="amqp",
            schemes="amqps?",
            service=self.client_service,
            namespace=self.namespace,
            port=self.client_port,
            usual_port=5672,
            path=quote(self.vhost, safe=""),
            users=(self.user,),
            passwords={self.user: self.password},
        )
