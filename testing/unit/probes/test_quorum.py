"""What the members of etcd say together, of each other, and of a value."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from nova_acceptance.components.etcd import checks
from nova_acceptance.components.etcd.client import RefusalError, Status
from nova_acceptance.components.etcd.keys import own_key
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding, FindingError
from testing.unit.probes.a_nova import nova

AWAY = ProbeError("it did not answer")
(SPEC,) = nova().of(Etcd)


class Member:
    """A member that says this of itself, knows these members, and keeps these values."""

    def __init__(self, status: Status | ProbeError, known: list[str], kept: dict[str, str]) -> None:
        self._status = status
        self.members = {str(number): name for number, name in enumerate(known)}
        self.kept = kept

    @property
    def status(self) -> Status:
        if isinstance(self._status, ProbeError):
            raise self._status
        return self._status

    def put(self, key: str, value: str) -> None:
        self.kept[key] = value

    def get(self, key: str) -> str | None:
        return self.kept.get(key)

    def delete(self, key: str) -> None:
        del self.kept[key]


def status(
    number: int, *, leader: str = "1", cluster: str = "c", errors: tuple[str, ...] = ()
) -> Status:
    return Status(str(number), leader, cluster, errors)


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        ([status(1), status(2), status(3)], None),
        ([status(1), status(2), AWAY], "ETCD_MEMBER_LOST"),
        ([status(1), status(2)], "ETCD_MEMBER_LOST"),
        ([status(1), status(2), status(3, leader="0")], "ETCD_MEMBER_LOST"),
        ([status(1, leader="0"), AWAY, AWAY], "ETCD_QUORUM_LOST"),
        ([AWAY, AWAY, AWAY], "ETCD_QUORUM_LOST"),
        ([status(1), status(2), status(3, cluster="other")], "ETCD_STRANGER"),
        ([status(1, errors=("memberID:1 alarm:NOSPACE",)), status(2), status(3)], "ETCD_NO_SPACE"),
    ],
)
def test_members_together(answers: list[Status | ProbeError], cause: str | None) -> None:
    named = {f"etcd-{number}": answer for number, answer in enumerate(answers)}

    assert [each.cause for each in checks.disunited_answers(named, SPEC)] == (
        [cause] if cause else []
    )


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('{"error":"etcdserver: mvcc: database space exceeded"}', "ETCD_NO_SPACE"),
        ('{"error":"etcdserver: request timed out"}', "ETCD_QUORUM_LOST"),
        ('{"error":"etcdserver: no leader"}', "ETCD_QUORUM_LOST"),
        ('{"error":"something else"}', None),
    ],
)
def test_refusal_names_its_cause(text: str, cause: str | None) -> None:
    shown = RefusalError("etcd-0:2379", "/v3/kv/put", 503, text).shown

    assert (shown.cause if shown else None) == cause


NAMES = ["etcd-0", "etcd-1", "etcd-2"]


def cluster(*said: Status | ProbeError, known: list[str] = NAMES) -> Any:
    """Return members that say this of themselves, of which the last knows these others."""
    kept: dict[str, str] = {}
    told = [NAMES, NAMES, known]
    return {
        name: Member(each, others, kept)
        for name, each, others in zip(NAMES, said, told, strict=True)
    }


def causes(found: list[Finding]) -> list[str]:
    return [each.cause for each in found]


def test_members_agree() -> None:
    members = cluster(status(1), status(2), status(3))

    assert checks.disunity(members, SPEC) == []
    assert checks.wrong_members(members, SPEC) == []
    assert checks.wrong_leader(members, SPEC) == []
    assert checks.lost_value(members, "/key") == []
    assert checks.invented_value(members, "/other") == []


def test_member_knows_others_than_those_there_are() -> None:
    members = cluster(status(1), status(2), status(3), known=["etcd-0", "stranger"])

    (found,) = checks.wrong_members(members, SPEC)

    assert found.cause == "ETCD_STRANGER"
    assert found.summary == (
        "etcd-2 knows the members etcd-0, stranger, and there are etcd-0, etcd-1, etcd-2"
    )


def test_member_that_was_added_and_never_begun_is_told_with_its_number() -> None:
    members = cluster(status(1), status(2), status(3))
    members["etcd-0"].members = {"10": "etcd-0", "11": "etcd-1", "12": "etcd-2", "255": ""}

    (found,) = checks.wrong_members(members, SPEC)

    assert found.cause == "ETCD_MEMBER_LOST"
    assert "never begun (ff)" in found.summary
    assert "`etcdctl member remove ff`" in found.cure


def test_member_that_is_away_is_not_asked_whom_it_knows() -> None:
    members = cluster(status(1), status(2), AWAY)
    del members["etcd-2"].members

    assert causes(checks.wrong_members(members, SPEC)) == ["ETCD_MEMBER_LOST"]
    assert causes(checks.wrong_leader(members, SPEC)) == ["ETCD_MEMBER_LOST"]


@pytest.mark.parametrize("check", [checks.wrong_members, checks.wrong_leader, checks.disunity])
def test_no_member_is_no_quorum(check: Any) -> None:
    assert causes(check({}, SPEC)) == ["ETCD_QUORUM_LOST"]


@pytest.mark.parametrize("leaders", [("1", "1", "2"), ("9", "9", "9")])
def test_members_take_different_ones_for_the_leader_or_none_of_them(
    leaders: tuple[str, ...],
) -> None:
    members = cluster(*(status(n + 1, leader=leader) for n, leader in enumerate(leaders)))

    assert causes(checks.wrong_leader(members, SPEC)) == ["ETCD_STRANGER"]


def test_value_is_not_the_one_that_was_written() -> None:
    members = cluster(status(1), status(2), status(3))
    members["etcd-1"].kept = {}
    members["etcd-2"].kept = {"/key": "other", "/new": "other"}

    (lost,) = checks.lost_value(members, "/key")
    (invented,) = checks.invented_value(members, "/new")

    assert lost.cause == invented.cause == "ETCD_STRANGER"
    assert lost.summary == (
        "etcd-1, etcd-2 read nothing, other under /key, where agreed was written"
    )
    assert invented.summary == "etcd-2 read other under /new, where nothing was written"


def test_key_of_a_test_is_gone_at_its_end_however_that_comes() -> None:
    members = cluster(status(1), status(2), status(3))
    kept = members["etcd-0"].kept

    with suppress(KeyError), own_key(members, SPEC) as key:
        members["etcd-1"].put(key, "word")
        assert kept == {key: "word"}
        raise KeyError

    assert kept == {}


def test_nothing_is_written_through_members_that_do_not_agree() -> None:
    members = cluster(status(1), AWAY, AWAY)

    with pytest.raises(FindingError) as raised, own_key(members, SPEC):
        pytest.fail("there is no quorum")

    assert raised.value.shown.cause == "ETCD_QUORUM_LOST"
    assert members["etcd-0"].kept == {}
