"""What the members of etcd say together."""

from __future__ import annotations

import pytest

from nova_acceptance.components.etcd.checks import of_answers
from nova_acceptance.components.etcd.client import RefusalError, Status
from nova_acceptance.errors import ProbeError

AWAY = ProbeError("it did not answer")


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

    assert [each.cause for each in of_answers(named, 3)] == ([cause] if cause else [])


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
