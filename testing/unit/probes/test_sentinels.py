"""What Sentinels answer, against what the servers say of themselves."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import redis

from nova_acceptance.components.redis import checks
from nova_acceptance.components.redis.client import Redis, Word
from nova_acceptance.components.redis.sentinels import Sentinel, Server
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.components.redis.spec import Sentinel as SentinelSpec
from nova_acceptance.findings import Finding, Ref

ADDRESS = "SENTINEL GET-MASTER-ADDR-BY-NAME cache"
QUORUM = "SENTINEL CKQUORUM cache"
LOST = redis.ResponseError("NOQUORUM 1 usable Sentinels. Not enough available Sentinels")
UNKNOWN = redis.ResponseError("ERR No such master with that name")
SPEC = Spec(name="kv", namespace="data", sentinel=SentinelSpec(service="watch", master="cache"))


class Scripted(Redis):
    """A Redis that answers from a table, by the whole command."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = answers

    def ask(self, *command: Word) -> object:
        answer = self._answers[" ".join(map(str, command))]
        if isinstance(answer, Exception):
            raise answer
        return answer


def sentinel(name: str, **answers: object) -> Sentinel:
    script = {{"address": ADDRESS, "quorum": QUORUM}[key]: it for key, it in answers.items()}
    return Sentinel(Ref("Pod", "data", name), Scripted(script))


def server(name: str, role: str, *hosts: str) -> Server:
    return Server(name, frozenset(hosts), 6379, Scripted({"ROLE": [role, 0]}))


SERVERS = (
    server("kv-0", "slave", "10.0.0.1", "kv-0.kv.data.svc.cluster.local"),
    server("kv-1", "master", "10.0.0.2", "kv-1.kv.data.svc.cluster.local"),
)


def shown(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.cause, finding.subject.name) for finding in found]


@pytest.mark.parametrize("host", ["10.0.0.2", "kv-1.kv.data.svc.cluster.local."])
def test_primary_may_be_named_by_address_or_by_name(host: str) -> None:
    watching = [sentinel("watch-0", address=(host, 6379))]

    assert checks.wrong_primary(watching, SERVERS, SPEC) == []


@pytest.mark.parametrize(
    "named",
    [
        ("10.0.0.1", 6379),  # a replica
        ("10.0.0.9", 6379),  # nobody's
        ("10.0.0.2", 6380),  # of the right pod, another port
        None,  # no primary of that name is watched
    ],
)
def test_sentinel_that_names_another_primary_is_found(named: object) -> None:
    right = sentinel("watch-0", address=("10.0.0.2", 6379))
    wrong = sentinel("watch-1", address=named)

    found = checks.wrong_primary([right, wrong], SERVERS, SPEC)

    assert shown(found) == [("SENTINEL_PRIMARY_WRONG", "watch-1")]


def test_no_server_that_is_the_primary_is_found() -> None:
    watching = [sentinel("watch-0", address=("10.0.0.1", 6379))]

    found = checks.wrong_primary(watching, SERVERS[:1], SPEC)

    assert found[0].summary.endswith("the primary, which is no server")


def test_quorum_holds() -> None:
    assert checks.lost_quorum([sentinel("watch-0", quorum="OK 3 usable Sentinels")], SPEC) == []


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (LOST, ("SENTINEL_QUORUM_LOST", "watch")),
        (UNKNOWN, ("SENTINEL_PRIMARY_WRONG", "watch-0")),
    ],
)
def test_lost_quorum_is_found(answer: Exception, finding: tuple[str, str]) -> None:
    assert shown(checks.lost_quorum([sentinel("watch-0", quorum=answer)], SPEC)) == [finding]


def test_refusal_that_says_nothing_of_the_quorum_is_raised() -> None:
    denied = redis.ResponseError("NOPERM this user has no permissions")

    with pytest.raises(redis.ResponseError, match="NOPERM"):
        checks.lost_quorum([sentinel("watch-0", quorum=denied)], SPEC)


def test_no_sentinel_is_found_by_both_checks() -> None:
    lost = [("SENTINEL_QUORUM_LOST", "watch")]

    assert shown(checks.wrong_primary([], SERVERS, SPEC)) == lost
    assert shown(checks.lost_quorum([], SPEC)) == lost
