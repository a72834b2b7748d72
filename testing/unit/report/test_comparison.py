"""What differs between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from nova_acceptance.report.comparison import Change, Comparison, Pace, compare
from nova_acceptance.report.differences import differences
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.model import Manifests
from nova_acceptance.report.outcomes import PastCluster
from nova_acceptance.report.texts import LANGUAGES, texts
from testing.unit.report.runs import CLUSTER, MANIFESTS, named, past


def _of_tests(before: Mapping[str, object], after: Mapping[str, object]) -> Comparison:
    return compare(past(tests=before), past(tests=after))


@pytest.mark.parametrize("outcome", ["failed", "error"])
def test_test_that_fails_and_did_not_is_failing(outcome: str) -> None:
    found = _of_tests({"a": "passed", "b": "skipped"}, {"a": outcome, "b": outcome})

    assert found.failing == ("a", "b")
    assert found.is_worse


@pytest.mark.parametrize("outcome", ["no result", "skipped", "xfailed"])
def test_test_that_passed_and_is_not_shown_to_is_worse_too(outcome: str) -> None:
    found = _of_tests({"a": "passed"}, {"a": outcome})

    assert found.unshown == ("a",)
    assert not found.failing
    assert found.is_worse


def test_test_that_is_mended_or_fails_still_is_not_worse() -> None:
    found = _of_tests({"a": "failed", "b": "error"}, {"a": "passed", "b": "failed"})

    assert found.mended == ("a",)
    assert found.still == ("b",)
    assert not found.is_worse


def test_known_failure_that_no_longer_counts_is_not_mended() -> None:
    before = {"a": "failed", "b": "passed", "c": "quarantined", "d": "quarantined"}
    after = {"a": "quarantined", "b": "quarantined", "c": "failed", "d": "passed"}
    found = _of_tests(before, after)

    assert found.still == ("a",)
    assert found.unshown == ("b",)
    assert found.failing == ("c",)
    assert found.mended == ("d",)
    assert found.is_worse
    assert not _of_tests({"a": "failed"}, {"a": "quarantined"}).is_worse


def test_tests_that_are_in_one_run_only_are_added_or_gone() -> None:
    found = _of_tests({"a": "passed", "old": "passed"}, {"a": "passed", "new": "passed"})

    assert found.added == ("new",)
    assert found.gone == ("old",)
    assert not found.is_worse


@pytest.mark.parametrize(
    ("which", "added", "gone"), [("before", (), ("old",)), ("after", ("new",), ())]
)
def test_test_that_a_partial_run_lacks_may_exist(
    which: str, added: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    before = past(tests={"a": "passed", "old": "passed"}, is_partial=which == "before")
    after = past(tests={"a": "passed", "new": "passed"}, is_partial=which == "after")

    found = compare(before, after)

    assert (found.added, found.gone) == (added, gone)


def test_test_that_is_new_and_fails_is_failing() -> None:
    # As a module is named that can no longer be collected.
    found = _of_tests({"tests/test_a.py::test_b": "passed"}, {"tests/test_a.py": "error"})

    assert found.failing == ("tests/test_a.py",)
    assert not found.added
    assert found.is_worse


@pytest.mark.parametrize("verdict", ["rejected", "incomplete", "not verified"])
def test_run_that_is_no_longer_accepted_is_worse_whatever_its_tests(verdict: str) -> None:
    assert compare(past(), past(verdict=verdict)).is_worse
    assert not compare(past(verdict="rejected"), past(verdict=verdict)).is_worse


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        (1.0, 2.5, True),
        (2.5, 1.0, True),
        (0.001, 1.1, True),
        (1.0, 1.9, False),  # a second, and not twice as long
        (0.1, 0.9, False),  # more than twice as long, and not a second
        (0.0, 0.0, False),
    ],
)
def test_duration_is_told_where_it_changed_notably(
    before: float, after: float, is_told: bool
) -> None:
    found = _of_tests({"a": ("passed", before)}, {"a": ("passed", after)})

    assert found.paces == ((Pace("a", before, after),) if is_told else ())


def test_duration_of_a_failure_is_not_told() -> None:
    found = _of_tests({"a": ("passed", 0.1)}, {"a": ("failed", 60.0)})

    assert not found.paces


def test_circumstances_that_changed_are_told() -> None:
    before = past(
        cluster=PastCluster("nova", "kind", "v1.32.0", 3),
        versions={"python": "3.11.7", "pytest": "8"},
        images={"redis": ("redis:7",), "etcd": ("etcd:3",)},
    )
    after = past(
        cluster=PastCluster("other", "k3d", "v1.33.1", 1),
        overlay="single-node",
        manifests=Manifests("b" * 40, is_changed=True, digest="e" * 64),
        versions={"python": "3.12.1", "pytest": "8"},
        images={"redis": ("redis:8", "redis:9"), "etcd": ("etcd:3",)},
    )

    assert compare(before, after).changes == (
        Change("cluster", "", "nova", "other"),
        Change("provider", "", "kind", "k3d"),
        Change("kubernetes", "", "v1.32.0", "v1.33.1"),
        Change("nodes", "", "3", "1"),
        Change("overlay", "", "multi-node", "single-node"),
        Change("commit", "", "a" * 12, "b" * 12 + "-dirty"),
        Change("digest", "", "d" * 12, "e" * 12),
        Change("tool", "python", "3.11.7", "3.12.1"),
        Change("image", "redis", "redis:7", "redis:8, redis:9"),
    )


def test_what_a_run_does_not_tell_has_not_changed() -> None:
    silent = past(cluster=PastCluster(), overlay="", manifests=Manifests(), versions={}, images={})

    assert not compare(past(), silent).changes
    assert not compare(silent, past()).changes


def test_causes_come_and_go_by_name_and_subject() -> None:
    before = past(causes=(named("IMAGE_PULL"), named("NO_LEADER", tests=3)))
    after = past(causes=(named("IMAGE_PULL", "Pod a/c"), named("NO_LEADER", tests=9)))

    found = compare(before, after)

    assert found.causes_came == (named("IMAGE_PULL", "Pod a/c"),)
    assert found.causes_went == (named("IMAGE_PULL"),)


def test_run_does_not_differ_from_itself() -> None:
    run = past(tests={"a": "failed", "b": "passed"}, causes=(named("IMAGE_PULL"),))

    found = compare(run, run)

    assert found == replace(Comparison(run, run), still=("a",))


EVERYTHING = compare(
    past(
        tests={"a": "passed", "b": "passed", "c": "failed", "d": "failed", "e": "passed"}
        | {"slow": ("passed", 1.0)},
        causes=(named("IMAGE_PULL"),),
    ),
    past(
        tests={"a": "failed", "b": "skipped", "c": "failed", "d": "passed", "f": "passed"}
        | {"slow": ("passed", 61.0)},
        causes=(named("NO_LEADER"),),
        cluster=replace(CLUSTER, version="v1.34.0"),
        manifests=replace(MANIFESTS, digest="e" * 64),
        images={"redis": ("redis:8",)},
    ),
)


def test_differences_are_told_worst_first() -> None:
    told = {part.heading: part.lines for part in differences(EVERYTHING, texts("en"), plain)}

    assert told == {
        "1 test fails now": ("a",),
        "1 test passed and is no longer shown to": ("b",),
        "1 test still fails": ("c",),
        "1 test passes again": ("d",),
        "1 cause is new": ("NO_LEADER at Pod a/b",),
        "1 cause is gone": ("IMAGE_PULL at Pod a/b",),
        "3 circumstances are other ones": (
            "Kubernetes: v1.33.1 → v1.34.0",
            "Digest of the manifests: dddddddddddd → eeeeeeeeeeee",
            "Image of redis: redis:7 → redis:8",
        ),
        "1 test is new": ("f",),
        "1 test is gone": ("e",),
        "1 test takes notably longer or shorter": ("slow: 1.0 s → 1 min 1 s",),
    }
    assert next(iter(told)) == "1 test fails now"


def test_differences_have_the_same_parts_in_every_language() -> None:
    lines = [
        [len(part.lines) for part in differences(EVERYTHING, texts(language), plain)]
        for language in LANGUAGES
    ]

    assert len(lines[0]) == 10
    assert all(each == lines[0] for each in lines)


def test_differences_are_cut_where_there_are_too_many() -> None:
    many = compare(past(), past(tests={f"test_{number}": "passed" for number in range(7)}))

    (part,) = differences(many, texts("en"), plain, 3)

    assert part.heading == "7 tests are new"
    assert part.lines == ("test_0", "test_1", "test_2", "and 4 more")


def test_foreign_text_in_differences_is_made_fit_for_its_place() -> None:
    hostile = "tests/a.py::test_a[\x1b[2J\n]"

    (part,) = differences(compare(past(), past(tests={hostile: "passed"})), texts("en"), plain)

    assert part.lines == (r"tests/a.py::test_a[\x1b[2J ]",)
