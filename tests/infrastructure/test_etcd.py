"""etcd: three members, one leader, and values through the quorum."""

from __future__ import annotations

import pytest

from nova_acceptance.components.etcd import checks
from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.etcd.keys import new_key, own_key
from nova_acceptance.components.etcd.spec import Etcd

pytestmark = pytest.mark.etcd


def test_etcd_has_its_members(etcd: dict[str, Member], etcd_spec: Etcd) -> None:
    """Every member knows the same members: one a pod."""
    assert checks.wrong_members(etcd, etcd_spec) == []


def test_etcd_has_one_leader(etcd: dict[str, Member], etcd_spec: Etcd) -> None:
    """Every member takes the same member for the leader."""
    assert checks.wrong_leader(etcd, etcd_spec) == []


@pytest.mark.writes(own=True)
def test_etcd_keeps_a_value_through_the_quorum(etcd: dict[str, Member], etcd_spec: Etcd) -> None:
    """A value that is written by one member is read by every member."""
    with own_key(etcd, etcd_spec) as key:
        assert checks.lost_value(etcd, key) == []


def test_etcd_knows_no_absent_key(etcd: dict[str, Member], etcd_spec: Etcd) -> None:
    """A key that nobody wrote has no value."""
    assert checks.invented_value(etcd, new_key(etcd, etcd_spec)) == []
