"""A paused Patroni: a cause where it keeps a trouble in place, and none while all is well."""

from __future__ import annotations

import json

import pytest

from nova_acceptance.components.postgres import paused
from nova_acceptance.kube.snapshot import Log, Snapshot
from testing.unit.diagnosis.test_role_services import HOME, SHARED, members, seen

AT = "2026-11-23 14:21:43,120 INFO:"
PAUSED = f"{AT} PAUSE: no action. I am (acid-ledger-0)"
GOES_ON = f"{AT} no action. I am (acid-ledger-0), a secondary, and following a leader"


def found(snapshot: Snapshot) -> list[str]:
    return [str(each.summary) for each in paused.patroni_paused(snapshot)]


def logged(text: str, *roles: str) -> Snapshot:
    snapshot = seen(*members(*roles))
    snapshot.logs[HOME, "acid-ledger-0", "postgres"] = [Log(text)]
    return snapshot


def test_pause_is_the_cause_of_a_leader_that_stays_away() -> None:
    (said,) = found(logged(f"{GOES_ON}\n{PAUSED}", "replica", "replica", "replica"))

    assert "StatefulSet ledgers/acid-ledger is paused" in said
    assert said.endswith("by the log of acid-ledger-0")


@pytest.mark.parametrize("text", [f"{PAUSED}\n{GOES_ON}", "the word pause alone", ""])
def test_patroni_that_goes_on_is_no_cause(text: str) -> None:
    assert not found(logged(text, "replica", "replica", "replica"))


def test_pause_while_all_is_well_is_no_cause() -> None:
    assert not found(logged(PAUSED, "master", "replica", "replica"))


@pytest.mark.parametrize(("cluster", "count"), [("acid-ledger", 1), ("acid-other", 0)])
def test_pause_is_read_from_the_object_of_its_own_cluster(cluster: str, count: int) -> None:
    holder = {
        "kind": "Endpoints",
        "metadata": {
            "name": f"{cluster}-config",
            "namespace": HOME,
            "uid": "uid-config",
            "labels": {**SHARED, "cluster-name": cluster},
            "annotations": {"config": json.dumps({"ttl": 30, "pause": True})},
        },
    }

    assert len(found(seen(*members("replica", "replica", "replica"), holder))) == count
