"""Redis: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from nova_acceptance.components.kind import Access, Kind
from nova_acceptance.components.redis import answers, rules, spec, urls
from nova_acceptance.components.redis.client import Redis


def connect(access: Access, component: spec.Redis) -> Redis:
    """Return a client of a Redis through its Service, as its users reach it."""
    home = component.password
    password = access.password(component, home) if home else None
    return Redis(access.to_service(component), password, access.transcript)


KIND = Kind(
    name="redis",
    spec=spec.Redis,
    live=rules.LIVE,
    answer=answers.of_error,
    connect=connect,
    urls=urls,
    components=spec.COMPONENTS,
    fixtures="nova_acceptance.components.redis.fixtures",
    markers={"redis": "Redis"},
)
