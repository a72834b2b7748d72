"""What nova.yaml says of a Redis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from nova_acceptance.system.base import Name, Path, Port, Strict
from nova_acceptance.system.component import Component, SecretKey, UrlOf


class Sentinel(Strict):
    """The Sentinels that watch a Redis and its replicas.

    Attributes:
        service: the Service in front of them, of a component in the same namespace.
        port: where each of them listens.
        master: the name by which they know the primary.
    """

    service: Name
    port: Port = 26379
    master: str = "mymaster"


class Redis(Component):
    """One Redis server, or one with replicas.

    Attributes:
        password: what it demands; None where it demands none.
        persistence: `append-only`: every write is appended to a file and outlives the pod; `none`.
        sentinel: where Sentinels choose the primary.
    """

    kind: Literal["redis"] = "redis"
    password: SecretKey | None = None
    persistence: Literal["append-only", "none"] = "append-only"
    sentinel: Sentinel | None = None

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """Where its passwords are."""
        return (self.password,) if self.password else ()

    @property
    def named_services(self) -> tuple[tuple[Path, str], ...]:
        """The Service of its Sentinels."""
        return ((("sentinel", "service"), self.sentinel.service),) if self.sentinel else ()

    def url(self, target: str) -> UrlOf | None:  # noqa: ARG002 - it has one
        """Return what its URL looks like."""
        if not (self.client_service and self.client_port):
            return None
        return UrlOf(
            scheme="redis",
            schemes=r"rediss?(\+\w+)?",
            service=self.client_service,
            namespace=self.namespace,
            port=self.client_port,
            usual_port=6379,
            is_numbered=True,
            passwords={"": self.password} if self.password else {},
        )


COMPONENTS: Final[Mapping[str, Callable[[Redis], bool]]] = {
    "redis_spec": lambda _redis: True,
    "guarded_redis": lambda redis: redis.password is not None,
    "open_redis": lambda redis: redis.password is None,
    "persistent_redis": lambda redis: redis.persistence == "append-only",
    "versioned_redis": lambda redis: redis.version is not None,
    "replicated_redis": lambda redis: redis.runs.replicas > 1,
    "sentinel_redis": lambda redis: redis.sentinel is not None,
}
"""Which Redis a test with an argument of that name runs over."""
