from __future__ import annotations

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from testing.faults.fault import Deploy, Expectation, Fault, Pods, Step
from testing.faults.reach import Owners
from testing.faults.selection import MOST_CASES, SAMPLED, Selection
from testing.faults.verdict import Collected

SERVICES = ("user-service", "auth-service", "search-service")
HEALTH = [f"tests/health.py::test_answers[{name}]" for name in SERVICES]
REACHED = [f"tests/reach.py::test_reaches[{name} to redis-service:6379]" for name in SERVICES]
DENIED = [f"tests/denials.py::test_must_not[{number}]" for number in range(100)]
TESTS = [
    *(Collected(test, (name,)) for test, name in zip(HEALTH, SERVICES, strict=True)),
    *(Collected(test, (name, "redis")) for test, name in zip(REACHED, SERVICES, strict=True)),
    *(Collected(test, ("postgres",)) for test in DENIED),
    Collected("tests/spaces.py::test_is_clean[nova-services]", ("nova-services",)),
    Collected("tests/cluster.py::test_nodes"),
]


def fault(workload: str, namespace: str, *tests: str) -> Fault:
    step = Step(signal=Pods(namespace=namespace, workload=workload))
    expect = Expectation(cause="X", tests=tests) if tests else None
    return Fault(
        name=workload,
        family="services",
        title="x",
        breaks=(step,),
        expect=expect,
        survives=expect is None,
    )


AUTH = fault("auth-service", "nova-services", "tests/health.py::*[auth-service]")


@pytest.fixture(scope="module")
def owners() -> Owners:
    return Owners(load(project() / "nova.yaml"))


def test_all_that_could_show_a_fault_verify_it(owners: Owners) -> None:
    chosen = Selection(owners, TESTS, seed=1).of([AUTH])

    assert HEALTH[1] in chosen
    assert REACHED[1] in chosen
    assert "tests/spaces.py::test_is_clean[nova-services]" in chosen


def test_what_a_pattern_means_verifies_it_whatever_that_is_about(owners: Owners) -> None:
    redis = fault("redis", "nova-redis", "tests/health.py::*")

    assert set(HEALTH) <= set(Selection(owners, TESTS, seed=1).of([redis]))


def test_tenth_of_the_others_is_looked_at_for_false_alarms(owners: Owners) -> None:
    chosen = Selection(owners, TESTS, seed=1).of([AUTH])

    concerned = {HEALTH[1], REACHED[1], "tests/spaces.py::test_is_clean[nova-services]"}
    others = len(TESTS) - len(concerned)
    assert len(set(chosen) - concerned) == -(-others // SAMPLED)


def test_chosen_tests_keep_the_order_of_a_run(owners: Owners) -> None:
    chosen = Selection(owners, TESTS, seed=1).of([AUTH])

    assert list(chosen) == [test.nodeid for test in TESTS if test.nodeid in chosen]


def test_same_seed_draws_the_same_and_another_seed_another(owners: Owners) -> None:
    drawn = [Selection(owners, TESTS, seed=seed).of([AUTH]) for seed in (7, 7, 8)]

    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_sample_of_a_fault_does_not_depend_on_those_before_it(owners: Owners) -> None:
    selection = Selection(owners, TESTS, seed=7)
    selection.of([fault("redis", "nova-redis")])

    assert selection.of([AUTH]) == Selection(owners, TESTS, seed=7).of([AUTH])


def test_test_of_many_cases_in_another_file_has_some_of_them(owners: Owners) -> None:
    postgres = fault("postgres", "nova-database", "tests/cluster.py::test_nodes")
    denials = fault("postgres", "nova-database", "tests/denials.py::test_must_not[3]")
    selection = Selection(owners, TESTS, seed=1)

    chosen = set(selection.of([postgres]))
    others = len(TESTS) - 1 - MOST_CASES  # without the test that is expected
    assert len(chosen) == 1 + MOST_CASES + -(-others // SAMPLED)
    assert len(chosen & set(DENIED)) >= MOST_CASES
    assert set(DENIED) <= set(selection.of([denials]))


def test_test_of_few_cases_in_another_file_has_all_of_them(owners: Owners) -> None:
    redis = fault("redis", "nova-redis", "tests/cluster.py::test_nodes")

    assert set(REACHED) <= set(Selection(owners, TESTS, seed=1).of([redis]))


def test_what_is_normal_has_all_that_are_about_its_components(owners: Owners) -> None:
    assert set(DENIED) <= set(
        Selection(owners, TESTS, seed=1).of([fault("postgres", "nova-database")])
    )


def test_faults_that_are_in_together_have_the_tests_of_each(owners: Owners) -> None:
    user = fault("user-service", "nova-services", "tests/health.py::*[user-service]")

    chosen = Selection(owners, TESTS, seed=1).of([AUTH, user])

    assert {HEALTH[0], HEALTH[1], REACHED[0], REACHED[1]} <= set(chosen)


def test_all_tests_verify_what_reaches_everything_and_every_fault_on_demand(owners: Owners) -> None:
    deployed = AUTH.model_copy(update={"deploy": Deploy()})

    assert Selection(owners, TESTS, seed=1).of([deployed]) == ()
    assert Selection(owners, TESTS, seed=1).of([AUTH, deployed]) == ()
    assert Selection(owners, TESTS, seed=1, every=True).of([AUTH]) == ()
