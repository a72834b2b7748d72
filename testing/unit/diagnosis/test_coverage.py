"""The last line of an account: what was looked at and asked, and what was not."""

from __future__ import annotations

from nova_acceptance.diagnosis.account import account
from nova_acceptance.diagnosis.coverage import COMPONENTS, NOT_ASKED, Asked, Topic, Unasked
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError
from nova_acceptance.kube.snapshot import Snapshot

REDIS, ETCD = Topic(COMPONENTS, "redis"), Topic(COMPONENTS, "etcd")
WAYS = [Topic("connections", f"a to b:{number}") for number in range(6)]


def snapshot(*places: str) -> Snapshot:
    found = Snapshot()
    found.listed = {("Pod", place) for place in places}
    return found


def last(there: Snapshot, asked: Asked = NOT_ASKED) -> str:
    *_, line = account(there, (), asked).lines()
    return line


def test_all_was_looked_at_and_asked() -> None:
    there, asked = snapshot("shop", "db"), Asked((REDIS, ETCD, *WAYS))
    first, line = account(there, (), asked).lines()

    assert first == "nothing known is wrong"
    assert line == "looked at: objects of db, shop; asked by protocol: redis, etcd, 6 connections"


def test_nothing_known_is_wrong_is_bounded_by_what_was_not_asked() -> None:
    unasked = Unasked(ETCD, "no pod of it runs")
    first, *_ = account(snapshot("shop"), (), Asked((REDIS,), (unasked,))).lines()

    assert first == "nothing known is wrong in what was looked at and asked"


def test_nothing_was_asked() -> None:
    assert last(snapshot("shop")) == (
        "looked at: objects of shop; asked by protocol: nothing; "
        "not asked by protocol: anything (only objects were looked at)"
    )


def test_what_was_not_asked_is_told_by_its_reason() -> None:
    unasked = (
        Unasked(ETCD, "this user may not create pods/portforward"),
        Unasked(REDIS, "nothing answered", was_begun=True),
        *(Unasked(each, "pod a/b has no python3") for each in WAYS),
    )

    assert last(snapshot("shop"), Asked((), unasked)).endswith(
        "; not asked by protocol: etcd (this user may not create pods/portforward), "
        "the rest of redis (nothing answered), "
        "6 connections (pod a/b has no python3)"
    )
    told = list(account(snapshot("shop"), (), Asked((), unasked)).lines())
    assert told[-4:-1] == [
        "     etcd: this user may not create pods/portforward",
        "     the rest of redis: nothing answered",
        "     connections: a to b:0, a to b:1, a to b:2, a to b:3 and 2 more: "
        "pod a/b has no python3",
    ]


def test_many_reasons_are_told_above_the_last_line() -> None:
    unasked = tuple(Unasked(each, f"reason {each.name}") for each in WAYS)

    assert last(snapshot("shop"), Asked((REDIS,), unasked)).endswith(
        "; asked by protocol: redis; not asked by protocol: 6 connections (6 reasons, told above)"
    )


def test_what_could_not_be_read_is_told_by_namespace() -> None:
    refused = ApiError("GET", 403, '{"reason": "Forbidden", "message": "no"}')
    there = snapshot("shop", "bar")
    there.failures = {
        ("Secret", "shop"): refused,
        ("Event", "shop"): refused,
        ("Secret", "bar"): refused,
        ("Event", "bar"): refused,
        ("Pod", "db"): refused,
        ("Node", ""): ClusterError("no answer in time"),
    }
    there.unread += ["log of shop/web-0: gone", "log of shop/web-1: gone"]

    assert last(there, Asked((REDIS,))).endswith(
        "; not read: Secret, Event in shop, bar (this user may not list them), "
        "anything in db (this user may not list them), "
        "Node in the whole cluster (no answer in time), the logs of 2 pods"
    )
