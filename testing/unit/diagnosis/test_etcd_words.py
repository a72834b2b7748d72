"""What a member of etcd says when it gives up, in words: whose volume, whose data, the cure."""

from __future__ import annotations

import pytest

from nova_acceptance.components.etcd import rules
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Log, Snapshot
from nova_acceptance.system import System
from testing.unit.diagnosis import recorded
from testing.unit.diagnosis.members import member, stateful_set

HOME = "keys-of-the-shop"
SYSTEM = System(
    components=(
        Etcd.model_validate(
            {
                "kind": "etcd",
                "name": "ledger",
                "namespace": HOME,
                "workload": {"replicas": 3},
                "services": ({"name": "ledger", "ports": {"client": 2379}},),
            }
        ),
    )
)
PANIC = "tocommit(5120) is out of range [lastIndex(17)]. Was the raft log corrupted, truncated?"


def said(*lines: str, number: int = 1, others_ready: bool = True) -> list[Finding]:
    owner = stateful_set("ledger", HOME, 3, ready=2 if others_ready else 0)
    pods = [member(owner, at, ready=others_ready and at != number) for at in range(3)]
    pods[number]["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": f"store-ledger-{number}"}}
    ]
    seen = Snapshot.of([recorded.namespace(HOME), recorded.node(), owner, *pods], system=SYSTEM)
    seen.logs[HOME, f"ledger-{number}", "etcd"] = [Log("\n".join(lines))]
    return list(rules.etcd_says_why(seen))


def test_member_without_its_data_is_told_with_the_number_that_the_others_know() -> None:
    (found,) = said(
        '{"level":"fatal","caller":"etcdmain/etcd.go:204","msg":"discovery failed",'
        '"error":"member 91bc3c398fb3c146 has already been bootstrapped"}'
    )

    assert found.cause == "ETCD_DATA_LOST"
    assert "empty volume" in found.summary
    assert "{" not in found.summary
    assert "kubectl -n keys-of-the-shop exec ledger-0 -- etcdctl member remove" in found.cure
    assert "91bc3c398fb3c146" in found.cure
    assert "store-ledger-1" in found.cure
    assert found.evidence == (
        "discovery failed: member 91bc3c398fb3c146 has already been bootstrapped",
    )


@pytest.mark.parametrize(
    "lines",
    [
        (f'{{"level":"panic","msg":"{PANIC}","stacktrace":"go.etcd.io/etcd/raft"}}',),
        (f"panic: {PANIC}", "", "goroutine 163 [running]:", "go.uber.org/zap/zapcore.Write(0xc0)"),
    ],
    ids=["JSON", "panic"],
)
def test_member_whose_data_went_back_is_told_from_the_panic_itself(lines: tuple[str, ...]) -> None:
    (found,) = said(*lines, number=2)

    assert found.cause == "ETCD_DATA_LOST"
    assert "ledger-2 ends at entry 17" in found.summary
    assert "entry 5120" in found.summary
    assert "goroutine" not in " ".join((found.summary, *found.evidence))
    assert not found.evidence[0].startswith("{")


def test_stranger_is_told_with_both_clusters() -> None:
    (found,) = said(
        '{"level":"warn","msg":"request sent was ignored by remote peer due to cluster ID mismatch"'
        ',"remote-peer-id":"a1","remote-peer-cluster-id":"cdf818194e3a8c32",'
        '"local-member-id":"b2","local-member-cluster-id":"7e27652122e8b2ae"}'
    )

    assert found.cause == "ETCD_STRANGER"
    assert "of the cluster 7e27652122e8b2ae" in found.summary
    assert found.summary.endswith("peers are of the cluster cdf818194e3a8c32")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rafthttp: request cluster ID mismatch (got 1 want 2)", "data of another cluster of etcd"),
        ("the member has been permanently removed from the cluster", "was removed from the member"),
        ("error validating peerURLs: member count is unequal", "configured with other members"),
    ],
)
def test_other_strangers_are_told_in_words(line: str, words: str) -> None:
    (found,) = said(line)

    assert found.cause == "ETCD_STRANGER"
    assert words in found.summary
    assert "ledger-0" in found.cure


def test_member_has_no_cure_by_a_member_where_none_is_ready() -> None:
    (found,) = said(f"panic: {PANIC}", others_ready=False)

    assert found.cure == ""


def test_line_in_json_is_quoted_by_what_it_says() -> None:
    (found,) = said('{"level":"warn","msg":"failed","error":"mvcc: database space exceeded"}')

    assert "reached etcd's quota" in found.summary
    assert found.evidence == ("failed: mvcc: database space exceeded",)
