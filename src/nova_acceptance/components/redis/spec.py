"""What nova.yaml says of a Redis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from nova_acceptance.system.component import Component, SecretKey, UrlOf


class Redis(Component):
    """One Redis server, or one with replicas.

    Attributes:
        password: what it demands; None where it demands none.
        persistence: `append-only`: every write is appended to a file and outlives the pod; `none`.
    """

    kind: Literal["redis"] = "redis"
    password: SecretKey | None = None
    persistence: Literal["append-only", "none"] = "append-only"

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """Where its passwords are."""
        return (self.password,) if self.password else ()

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
            passwords={"": self.password} if self.password else {},
        )


COMPONENTS: Final[Mapping[str, Callable[[Redis], bool]]] = {
    "redis_spec": lambda _redis: True,
    "guarded_redis": lambda redis: redis.password is not None,
    "open_redis": lambda redis: redis.password is None,
    "persistent_redis": lambda redis: redis.persistence == "append-only",
    "versioned_redis": lambda redis: redis.version is not None,
    "replicated_redis": lambda redis: redis.runs.replicas > 1,
}
"""Which Redis a test with an argument of that name runs over."""
