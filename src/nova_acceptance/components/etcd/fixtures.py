"""The clients of etcd, for tests."""

from __future__ import annotations

import pytest

from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.kind import Clients


@pytest.fixture
def etcd(clients: Clients, etcd_spec: Etcd) -> dict[str, Member]:
    """The members of etcd by the names of their pods."""
    found: dict[str, Member] = clients.of(etcd_spec)
    return found
