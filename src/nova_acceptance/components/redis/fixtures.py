"""The client of Redis, for tests."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kind import Clients
from nova_acceptance.components.redis import spec
from nova_acceptance.components.redis.checks import WRONG
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.wanted import Wanted
from nova_acceptance.vantage.background import Background

PASSWORDS = {"guarded_redis": (None, WRONG), "open_redis": (None,)}
"""With what tests try to be let in, by which of a system's Redis they run over."""


@pytest.fixture
def redis(
    clients: Clients,
    redis_spec: spec.Redis,
    background: Background,
    request: pytest.FixtureRequest,
) -> Redis:
    """Redis through its Service, as its users reach it."""
    found: Redis = clients.of(redis_spec)
    wanted = Wanted.by(request.node, "redis")
    for tried in wanted.tests():
        for name, passwords in PASSWORDS.items():
            if name in tried and tried[name].name == redis_spec.name:
                found.foresee_refusals(background, passwords)
    wanted.begun(background)
    return found
