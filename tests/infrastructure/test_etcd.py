"""etcd: three members, one leader, and values through the quorum."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from nova_acceptance.claims import BrokenClaimError, exactly
from nova_acceptance.components.etcd.client import Member, Status
from nova_acceptance.components.etcd.quorum import of_members, roll_call
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.phrase import Phrase

pytestmark = pytest.mark.etcd


@pytest.fixture
def key(etcd: dict[str, Member], quorum: None) -> Iterator[str]:  # noqa: ARG001
    """A key of this test's own, gone when the test ends."""
    name = f"/nova-acceptance/{uuid4()}"
    yield name
    next(iter(etcd.values())).delete(name)


@pytest.mark.means("ETCD_STRANGER", "ETCD_MEMBER_LOST", "ETCD_QUORUM_LOST", "ETCD_NO_SPACE")
def test_etcd_has_its_members(etcd: dict[str, Member], etcd_spec: Etcd) -> None:
    """Every member knows the same members: one a pod."""
    if found := of_members(roll_call(etcd), etcd_spec.runs.replicas):
        raise BrokenClaimError(found)
    for name, member in etcd.items():
        exactly(
            member.members.values(),
            etcd,
            lacking="ETCD_STRANGER",
            beyond="ETCD_STRANGER",
            what=Phrase("the member list of {member}", member=name),
        )


@pytest.mark.means("ETCD_STRANGER", "ETCD_QUORUM_LOST", "ETCD_MEMBER_LOST")
def test_etcd_has_one_leader(etcd: dict[str, Member]) -> None:
    """Every member takes the same member for the leader."""
    answers = roll_call(etcd)
    members = [each for each in answers.values() if isinstance(each, Status)]
    leaders = {member.leader for member in members}

    if found := of_members(answers, len(etcd)):
        raise BrokenClaimError(found)
    assert len(leaders) == 1
    assert leaders <= {member.id for member in members}


@pytest.mark.means("ETCD_STRANGER", "ETCD_QUORUM_LOST", "ETCD_NO_SPACE")
def test_etcd_keeps_a_value_through_the_quorum(etcd: dict[str, Member], key: str) -> None:
    """A value that is written by one member is read by every member."""
    writer, *_ = etcd.values()
    writer.put(key, "agreed")

    assert {name: member.get(key) for name, member in etcd.items()} == dict.fromkeys(etcd, "agreed")


@pytest.mark.means("ETCD_STRANGER", "ETCD_QUORUM_LOST")
def test_etcd_knows_no_absent_key(etcd: dict[str, Member], key: str) -> None:
    """A key that nobody wrote has no value."""
    assert {member.get(key) for member in etcd.values()} == {None}
