"""Causes and consequences of many ill workloads are told apart in work that grows with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pytest

from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.pods import stands_alone
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.diagnosis.ranking import Ranked, ranked
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING
from testing.unit.diagnosis.elsewhere import cluster, crashing, endpoints, service


class Counted(Graph):
    """A graph that counts how often it is walked, and ends what walks it without end."""

    def __init__(self, snapshot: Snapshot, most: int) -> None:
        super().__init__(snapshot)
        self.walks = 0
        self._most = most

    def reach(
        self, start: Iterable[Ref], *, others: bool = True, without: Collection[Ref] = ()
    ) -> dict[Ref, int]:
        self.walks += 1
        assert self.walks <= self._most
        return super().reach(start, others=others, without=without)


def chain(length: int, *, ring: bool = False) -> Iterator[Object]:
    """Yield Deployments that crash, each configured with the Service of the one before it."""
    for number in range(length):
        before = number - 1 if number or not ring else length - 1
        url = {"env": [{"name": "NEXT_URL", "value": f"http://web-{before:02}:80"}]}
        yield from crashing(f"web-{number:02}", url if before >= 0 else None)
        yield service(f"web-{number:02}")
        yield endpoints(f"web-{number:02}")


def found(cause: str, kind: str, length: int) -> list[Finding]:
    return [Finding(cause, Ref(kind, "app", f"web-{it:02}"), NOTHING) for it in range(length)]


def ill(length: int) -> list[Finding]:
    """Return what is found of such a chain: no pod keeps running, no Service leads to one."""
    return [
        *found("CRASH_LOOP", "Deployment", length),
        *found("SERVICE_WITHOUT_ENDPOINTS", "Service", length),
    ]


@pytest.mark.parametrize("ring", [False, True])
def test_long_chain_comes_under_one_end_and_each_place_is_walked_from_once(*, ring: bool) -> None:
    length = 12
    graph = Counted(cluster(*chain(length, ring=ring)), 2 * length)

    (only,) = ranked(ill(length), graph)

    assert only.root.cause == "CRASH_LOOP"
    assert only.root.subject.name == "web-00"
    assert len(only.symptoms) == 2 * length - 1


def test_cause_at_the_end_of_a_long_chain_takes_it_all() -> None:
    length = 12
    graph = Counted(cluster(*chain(length)), 2 * length)
    root = Finding("OUT_OF_MEMORY", Ref("Deployment", "app", "web-00"), NOTHING)

    (only,) = ranked([root, *ill(length)], graph)

    assert only.root is root
    assert len(only.symptoms) == 2 * length


def test_two_that_do_not_need_each_other_stand_by_themselves() -> None:
    graph = Graph(cluster(*crashing("web-00"), *crashing("web-01")))
    one, other = found("CRASH_LOOP", "Deployment", 2)

    assert ranked([one, other], graph) == (Ranked(one), Ranked(other))


def test_nothing_comes_under_a_matter_of_policy_and_that_comes_last() -> None:
    weak, crash = (
        Finding(cause, Ref("Deployment", "app", "web-00"), NOTHING)
        for cause in ("RESOURCES_UNSET", "CRASH_LOOP")
    )

    assert ranked([weak, crash], Graph(cluster(*crashing("web-00")))) == (
        Ranked(crash),
        Ranked(weak),
    )


def test_program_comes_under_its_own_cause_before_one_of_those_that_it_asks() -> None:
    seen = cluster(*chain(3))
    asked, own = found("OUT_OF_MEMORY", "Deployment", 3)[::2]

    below, itself = ranked([asked, own, *ill(3)], Graph(seen))

    assert (below.root, itself.root) == (asked, own)
    assert {each.subject.name for each in below.symptoms} == {"web-00", "web-01"}
    assert {each.subject.name for each in itself.symptoms} == {"web-02"}


def test_test_of_a_program_begins_with_what_is_wrong_with_its_own_parts() -> None:
    doctor = Doctor(cluster(*chain(2)))
    doctor.diagnoses = tuple(found("OUT_OF_MEMORY", "Deployment", 2))

    theirs = doctor.explain([Ref("Service", "app", "web-01")])
    of_asked = doctor.explain([Ref("Service", "app", "web-00")])

    assert [each.root.subject.name for each in theirs.causes] == ["web-01", "web-00"]
    assert [each.root.subject.name for each in of_asked.causes] == ["web-00"]


def test_question_who_waits_for_whom_makes_no_graph_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = cluster(*chain(3))
    first = Graph.of(seen)
    monkeypatch.setattr(Graph, "__init__", None)  # a second one cannot be made
    workload = seen.get("Deployment", "app", "web-02")
    assert workload is not None

    assert not stands_alone(seen, workload)
    assert Graph.of(seen) is first
