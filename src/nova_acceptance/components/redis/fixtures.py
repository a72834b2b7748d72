"""The client of Redis, for tests."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kind import Clients
from nova_acceptance.components.redis import spec
from nova_acceptance.components.redis.client import Redis


@pytest.fixture
def redis(clients: Clients, redis_spec: spec.Redis) -> Redis:
    """Redis through its Service, as its users reach it."""
    found: Redis = clients.of(redis_spec)
    return found
