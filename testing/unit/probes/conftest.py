"""A shop on a PostgreSQL of this machine's own, for what only PostgreSQL itself can say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.unit.probes.a_server import Shop, running


@pytest.fixture(scope="module")
def server() -> Iterator[Shop]:
    """The server of a module's tests."""
    with running() as port:
        yield Shop(port)


@pytest.fixture
def shop(server: Shop) -> Shop:
    """The shop as it should be; a test changes what it is about."""
    server.again()
    return server
