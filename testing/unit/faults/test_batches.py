from __future__ import annotations

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from testing.faults.batches import MOST, Batches, deployed_together
from testing.faults.fault import Calm, Deploy, Edit, Expectation, Fault, KustomizePatch, Pods, Step
from testing.faults.reach import Owners
from testing.faults.reading import read_catalogue
from testing.faults.selection import Selection
from testing.faults.verdict import UNKNOWN, Collected, Failure, Named, Seen, judge

NAMES = ("user-service", "auth-service", "search-service", "streaming-api", "messaging-service")
HOMES = {"postgres": "nova-database", "etcd": "nova-database", "redis": "nova-redis"}
EVERY = (*NAMES, *HOMES)
TESTS = [Collected(f"tests/health.py::test_answers[{name}]", (name,)) for name in EVERY]


def fault(workload: str, cause: str = "", *also: str, family: str = "services") -> Fault:
    """A fault at a workload; without a cause a normal thing."""
    home = HOMES.get(workload, "nova-services")
    expect = Expectation(
        cause=cause,
        subject=f"{home}/{workload}",
        also=also,
        tests=(f"tests/health.py::*[{workload}]",),
    )
    return Fault(
        name=f"{workload}-{cause.lower() or 'normal'}",
        family=family,
        title="x",
        breaks=(Step(signal=Pods(namespace=home, workload=workload)),),
        expect=expect if cause else None,
        normal=not cause,
    )


def failure(workload: str, cause: str, at: str | None = None) -> Failure:
    home = HOMES.get(workload, "nova-services")
    subject = f"Pod {home}/{workload}-0" if at is None else at
    return Failure(f"tests/health.py::test_answers[{workload}]", cause, subject, "it failed")


def seen(*failures: Failure, named: tuple[Named, ...] | None = None, told: str = "") -> Seen:
    if named is None:
        named = tuple(Named(each.cause, each.subject, 1.0) for each in failures if each.cause)
    return Seen(1 if failures else 0, 9, failures, named, told=(told,) if told else ())


USER, AUTH = fault("user-service", "ONE"), fault("auth-service", "TWO")
BOTH = (USER, AUTH)
RIGHT = (failure("user-service", "ONE"), failure("auth-service", "TWO"))


@pytest.fixture(scope="module")
def batches() -> Batches:
    owners = Owners(load(project() / "nova.yaml"))
    return Batches(owners, Selection(owners, TESTS, seed=1))


def test_faults_at_different_components_are_in_together(batches: Batches) -> None:
    assert batches.planned(BOTH) == [BOTH]
    assert batches.are_independent(fault("postgres", "ONE"), fault("redis", "TWO"))
    assert batches.are_independent(USER, fault("auth-service"))  # a normal thing


def test_faults_at_one_component_are_not(batches: Batches) -> None:
    other = fault("user-service", "TWO")

    assert batches.planned([USER, other]) == [(USER,), (other,)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("redis", "user-service"), ("postgres", "etcd"), ("etcd", "auth-service")],
)
def test_faults_of_which_one_is_felt_by_the_other_are_not(
    batches: Batches, one: str, other: str
) -> None:
    assert not batches.are_independent(fault(one, "ONE"), fault(other, "TWO"))
    assert not batches.are_independent(fault(other, "TWO"), fault(one, "ONE"))


def test_faults_that_may_name_one_cause_are_not(batches: Batches) -> None:
    assert not batches.are_independent(USER, fault("auth-service", "ONE"))
    assert not batches.are_independent(USER, fault("auth-service", "TWO", "ONE"))
    assert not batches.are_independent(fault("auth-service", "TWO", "ONE"), USER)


def test_faults_that_the_same_test_has_to_show_are_not(batches: Batches) -> None:
    wide = Expectation(cause="TWO", tests=("tests/health.py::*",))

    assert not batches.are_independent(USER, AUTH.model_copy(update={"expect": wide}))


@pytest.mark.parametrize("family", "nodes api network dns storage scheduling".split())
def test_faults_of_what_all_share_are_in_alone(batches: Batches, family: str) -> None:
    assert not batches.are_independent(USER, AUTH.model_copy(update={"family": family}))


def test_faults_that_need_calm_or_another_way_are_in_alone(batches: Batches) -> None:
    for update in ({"calm": Calm(before=1)}, {"through": "slow"}):
        assert not batches.are_independent(USER, AUTH.model_copy(update=update))


def deployed(of: Fault, workload: str, **more: object) -> Fault:
    """A fault that changes a workload's manifest in the place of its pods."""
    target = {"kind": "Deployment", "name": workload}
    deploy = Deploy(patches=(KustomizePatch(target=target, patch=f"of {workload}"),))
    return of.model_copy(update={"breaks": (), "deploy": deploy.model_copy(update=more)})


DEPLOYED = deployed(USER, "user-service")


def test_faults_that_are_deployed_for_different_components_are_in_together(
    batches: Batches,
) -> None:
    both = (DEPLOYED, deployed(AUTH, "auth-service"))

    assert batches.planned(both) == [both]
    assert not batches.are_independent(DEPLOYED, deployed(AUTH, "user-service"))


def test_fault_that_is_deployed_is_not_in_beside_one_of_the_running_system(
    batches: Batches,
) -> None:
    assert not batches.are_independent(DEPLOYED, AUTH)
    assert not batches.are_independent(AUTH, DEPLOYED)


def test_fault_that_takes_more_than_one_deployment_is_in_alone(batches: Batches) -> None:
    anew = (Pods(namespace="nova-services", workload="auth-service"),)
    for one in (
        deployed(AUTH, "auth-service", afresh=anew),
        deployed(AUTH, "auth-service", writes=False),
        deployed(AUTH, "auth-service").model_copy(update={"breaks": AUTH.breaks}),
        AUTH.model_copy(update={"breaks": (), "deploy": Deploy(afresh=anew)}),
    ):
        assert not batches.are_independent(DEPLOYED, one)
        assert not batches.are_independent(one, DEPLOYED)


def test_what_is_deployed_for_several_faults_has_the_changes_of_each() -> None:
    edit = Edit(file="base/services/auth-service.yaml", replace="a", by="b")
    auth = AUTH.model_copy(update={"breaks": (), "deploy": Deploy(edits=(edit,))})

    together = deployed_together((DEPLOYED, auth))

    assert DEPLOYED.deploy
    assert together == Deploy(patches=DEPLOYED.deploy.patches, edits=(edit,))
    assert deployed_together((DEPLOYED,)) is DEPLOYED.deploy
    assert deployed_together(BOTH) is None


def test_batch_holds_four_and_stands_where_its_first_fault_stood(batches: Batches) -> None:
    several = [fault(name, f"CAUSE_{place}") for place, name in enumerate(NAMES)]
    alone = several[0].model_copy(update={"family": "nodes"})

    planned = batches.planned([several[0], alone, *several[1:]])

    assert MOST == 4
    assert planned == [tuple(several[:4]), (alone,), (several[4],)]


def test_every_fault_of_the_catalogue_is_planned_once(batches: Batches) -> None:
    catalogue = read_catalogue()

    planned = batches.planned(catalogue)

    assert sorted(each.name for batch in planned for each in batch) == sorted(
        each.name for each in catalogue
    )
    assert max(map(len, planned)) > 1


def test_each_fault_is_judged_by_what_belongs_to_it(batches: Batches) -> None:
    shared = batches.shared(BOTH, seen(*RIGHT))

    assert shared.strange == ()
    assert [each.failures for each in shared.seen] == [(RIGHT[0],), (RIGHT[1],)]
    assert [judge(*pair).named for pair in zip(BOTH, shared.seen, strict=True)] == ["ONE", "TWO"]
    assert all(judge(*pair).is_right for pair in zip(BOTH, shared.seen, strict=True))


def test_normal_thing_beside_a_fault_is_right_where_nothing_is_its(batches: Batches) -> None:
    batch = (USER, fault("auth-service"))

    shared = batches.shared(batch, seen(RIGHT[0]))
    assert shared.strange == ()
    assert all(judge(*pair).is_right for pair in zip(batch, shared.seen, strict=True))

    shared = batches.shared(batch, seen(*RIGHT))
    assert not judge(batch[1], shared.seen[1]).is_right


def test_wrong_cause_at_a_faults_object_is_that_faults(batches: Batches) -> None:
    shared = batches.shared(BOTH, seen(RIGHT[0], failure("auth-service", "THREE")))

    assert judge(USER, shared.seen[0]).is_right
    assert judge(AUTH, shared.seen[1]).others == ("THREE",)


def test_cause_of_one_fault_at_the_object_of_the_other_is_not_right(batches: Batches) -> None:
    shared = batches.shared(BOTH, seen(*RIGHT, failure("auth-service", "ONE")))

    assert not judge(AUTH, shared.seen[1]).is_right


def test_fault_that_was_not_seen_is_not_made_right_by_another(batches: Batches) -> None:
    shared = batches.shared(BOTH, seen(RIGHT[0]))

    assert judge(USER, shared.seen[0]).is_right
    assert not judge(AUTH, shared.seen[1]).caught


def test_failure_or_cause_at_something_else_is_none_of_the_batch(batches: Batches) -> None:
    redis = failure("redis", "THREE")

    assert batches.shared(BOTH, seen(*RIGHT, redis)).strange == (
        f"{redis.nodeid}: THREE",
        "THREE at Pod nova-redis/redis-0",
    )
    node = Named("THREE", "Node auth-service", 1.0)  # only called like a component
    assert batches.shared(BOTH, seen(*RIGHT, named=(node,))).strange == (
        "THREE at Node auth-service",
    )


def test_failure_without_a_cause_is_whose_test_it_is(batches: Batches) -> None:
    batch = (USER, fault("auth-service"), fault("search-service"))
    nameless = failure("search-service", "", "")
    strange = Failure("tests/cluster.py::test_nodes", message="it failed")

    shared = batches.shared(batch, seen(RIGHT[0], nameless, strange))

    assert [each.failures for each in shared.seen] == [(RIGHT[0],), (), (nameless,)]
    assert shared.strange == ("tests/cluster.py::test_nodes: it failed",)


def test_failure_that_two_faults_expect_is_unclear(batches: Batches) -> None:
    wide = Expectation(cause="ONE", subject="nova-services/", tests=("tests/health.py::*",))
    batch = (USER, AUTH.model_copy(update={"expect": wide}))

    assert batches.shared(batch, seen(RIGHT[0])).strange != ()


def test_unknown_cause_is_strange_beside_a_normal_thing(batches: Batches) -> None:
    unknown = Named(UNKNOWN, "", 1.0)

    assert batches.shared(BOTH, seen(*RIGHT, named=(unknown,))).strange == ()
    assert batches.shared((USER, fault("auth-service")), seen(RIGHT[0], named=(unknown,))).strange


def test_run_that_ended_otherwise_is_not_right(batches: Batches) -> None:
    ended = Seen(3, 9, RIGHT, seen(*RIGHT).named)

    assert batches.shared(BOTH, ended).strange == ("the run ended with status 3, 9 passed",)


def test_sentence_that_leaves_something_open_is_none_of_the_batch(batches: Batches) -> None:
    assert batches.shared(BOTH, seen(*RIGHT, told="set … there")).strange == (
        "a sentence says '…': set … there",
    )
