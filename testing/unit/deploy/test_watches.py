"""What a wait knows: what was seen before, and what its watches tell."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nova_acceptance.deploy.watches import Watches
from nova_acceptance.errors import ClusterError
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.deploy.stub_kube import StubKube, StubWatch
from testing.unit.diagnosis.recorded import (
    NAMESPACE,
    deployment,
    event,
    node,
    pod,
    storage_class,
)
from testing.unit.waiting import SOON

WORKLOAD = deployment()
POD = Ref("Pod", NAMESPACE, "user-service-x")


def watches(kube: StubKube, base: Snapshot | None = None) -> Watches:
    return Watches(kube, [WORKLOAD], deadline=time.monotonic() + SOON, base=base)


def complete(seen: Watches) -> Snapshot:
    with seen:
        seen.complete(time.monotonic() + SOON)
    assert seen.is_complete
    return seen.snapshot


def test_what_was_seen_before_stays_where_nobody_watches() -> None:
    snapshot = complete(watches(StubKube(), Snapshot.of([storage_class()])))

    assert snapshot.get("StorageClass", "", "standard")
    assert snapshot.knows("StorageClass")


def test_watched_kinds_are_as_the_watches_tell() -> None:
    base = Snapshot.of([pod("user-service-old")])
    base.listed.add(("Pod", NAMESPACE))
    seen = watches(StubKube(pod("user-service-x")), base)

    assert ("Pod", NAMESPACE) not in seen.snapshot.listed
    snapshot = complete(seen)
    assert [each["metadata"]["name"] for each in snapshot.of_kind("Pod")] == ["user-service-x"]
    assert ("Pod", NAMESPACE) in snapshot.listed


def test_base_itself_is_left_as_it_was() -> None:
    base = Snapshot.of([storage_class()])
    complete(watches(StubKube(pod("user-service-x")), base))

    assert base.at(POD) is None
    assert not base.is_watched


def test_secrets_are_kept_by_their_shapes_alone() -> None:
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": NAMESPACE},
        "stringData": {"PASSWORD": "correct horse"},
    }
    seen = watches(StubKube())
    seen.add([secret])
    kept = seen.snapshot.get("Secret", NAMESPACE, "s")

    assert kept
    assert "correct horse" not in str(kept)


def test_what_was_applied_is_known_before_its_watch_shows_it() -> None:
    seen = watches(StubKube())
    seen.add([WORKLOAD])

    assert seen.snapshot.get("Deployment", NAMESPACE, "user-service") == WORKLOAD


def test_what_the_watch_has_shown_is_newer_than_what_was_applied() -> None:
    newer = deployment(readyReplicas=1, observedGeneration=7)
    seen = watches(StubKube(newer))
    complete(seen)
    seen.add([WORKLOAD])

    assert seen.snapshot.get("Deployment", NAMESPACE, "user-service") == newer


def test_changes_of_pods_and_events_about_them_are_passed_on() -> None:
    there = pod("user-service-x")
    told: list[str] = []
    seen = Watches(
        StubKube(there, event(there, "Pulled", "already present", kind="Normal")),
        [WORKLOAD],
        deadline=time.monotonic() + SOON,
        on_change=lambda change, obj: told.append(f"{change} {obj['kind']}"),
    )
    complete(seen)

    assert sorted(told) == ["ADDED Event", "ADDED Pod"]


class WithoutNodes(StubKube):
    """A cluster whose nodes may be listed, and not watched."""

    def watch(self, api_version: str, kind: str, **options: object) -> StubWatch:
        if kind == "Node":
            return Refusing([], 0.0, announce=True)
        return super().watch(api_version, kind, **options)  # type: ignore[arg-type]


class Refusing(StubWatch):
    """A watch that the API refuses."""

    def __next__(self) -> tuple[str, Object]:
        raise ClusterError("nodes is forbidden")


def test_nodes_are_followed_where_they_are_known() -> None:
    seen = watches(StubKube(node("b")), Snapshot.of([node("a")]))
    with seen:
        while any(each.is_pending for each in seen._followed):
            seen.advance(SOON)

    assert [each["metadata"]["name"] for each in seen.snapshot.of_kind("Node")] == ["b"]


def test_nodes_that_may_not_be_watched_hold_up_nothing() -> None:
    seen = watches(WithoutNodes(), Snapshot.of([node("a")]))
    with seen:
        while any(each.is_pending for each in seen._followed):
            seen.advance(SOON)

    assert seen.is_complete
    assert list(seen.snapshot.of_kind("Node")) == []


def test_nodes_are_not_watched_without_need() -> None:
    seen = watches(StubKube(node("b")))

    assert list(complete(seen).of_kind("Node")) == []


def test_watch_that_dies_of_whatever_is_told_at_once() -> None:
    class Dying(StubWatch):
        def __next__(self) -> tuple[str, Object]:
            raise ValueError("half a line")

    class DyingKube(StubKube):
        def watch(self, *_kind: str, deadline: float, **_more: Any) -> StubWatch:
            return Dying([], deadline, announce=False)

    seen = watches(DyingKube())
    with seen, pytest.raises(ValueError, match="half a line"):
        seen.complete(time.monotonic() + SOON)
