"""What was begun from nothing is known as that, and is what is taken away, and nothing else."""

from __future__ import annotations

import io
from typing import Any

import pytest

from nova_acceptance.deploy.unfinished import (
    BEGUN,
    Deed,
    Unfinished,
    begin_namespace,
    deployment,
    remove_begun_namespace,
)
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress
from testing.unit.deploy.custom import applied, config
from testing.unit.deploy.stub_kube import StubKube

RUN = "0123456789ab"
HOME: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}


def begun(kube: StubKube, *objects: Object, before: str = "") -> Unfinished:
    return deployment(kube, objects, run=RUN, command="pytest --cluster kind", before=before)


def with_metadata(obj: Object, **more: Any) -> Object:
    return {**obj, "metadata": {**obj["metadata"], **more}}


def test_deployment_where_nothing_was_is_from_nothing() -> None:
    inside = config(namespace="web")

    found = begun(StubKube(), HOME, inside)

    assert found.deed is Deed.FROM_NOTHING
    assert found.objects == (
        ("v1", "Namespace", "", "web"),
        ("v1", "ConfigMap", "web", "settings"),
    )
    assert Unfinished.read(str(found)) == found


def test_deployment_where_something_was_is_an_update() -> None:
    found = begun(StubKube(applied(HOME)), HOME, config(namespace="web"))

    assert found.deed is Deed.UPDATE
    assert not found.is_to_be_removed
    assert found.objects == ()


def test_namespace_made_for_the_lease_is_still_nothing() -> None:
    kube = StubKube()
    assert begin_namespace(kube, [HOME], "web", RUN)

    assert begun(kube, HOME, config(namespace="web")).deed is Deed.FROM_NOTHING


def test_deployment_over_one_that_was_broken_off_is_from_nothing_still() -> None:
    left = begun(StubKube(), HOME, config("earlier", namespace="web"))
    kube = StubKube(applied(HOME), config("earlier", namespace="web"))

    found = begun(kube, HOME, config(namespace="web"), before=str(left))

    assert found.deed is Deed.FROM_NOTHING
    assert {each[3] for each in found.objects} == {"web", "settings", "earlier"}


def test_what_was_begun_from_nothing_is_removed() -> None:
    shared = config(namespace="default")
    found = begun(StubKube(), HOME, config(namespace="web"), shared)
    kube = StubKube(applied(HOME), applied(shared), config("other", namespace="default"))

    assert found.remove(kube, Progress(io.StringIO())) == []

    assert sorted(what for verb, what in kube.calls if verb == "delete") == [
        "ConfigMap settings",
        "Namespace web",
    ]


def test_what_a_label_alone_calls_ours_is_left_and_told() -> None:
    """A person may have made it meanwhile, by `kubectl apply`."""
    labels = {"app.kubernetes.io/managed-by": "nova-acceptance"}
    found = begun(StubKube(), HOME, config(namespace="web"))
    kube = StubKube(with_metadata(HOME, labels=labels), config(namespace="web"))

    assert found.remove(kube, Progress(io.StringIO())) == ["Namespace web"]

    assert kube.calls == []


def test_what_is_somebody_elses_keeps_all_of_it() -> None:
    found = begun(StubKube(), config("a", namespace="default"), config("b", namespace="default"))
    kube = StubKube(applied(config("a", namespace="default")), config("b", namespace="default"))

    with pytest.raises(ApplyError, match="not ours"):
        found.remove(kube, Progress(io.StringIO()))

    assert kube.calls == []


def test_namespace_that_is_there_or_not_defined_is_not_made() -> None:
    kube = StubKube(HOME)

    assert not begin_namespace(kube, [HOME], "web", RUN)
    assert not begin_namespace(kube, [config(namespace="other")], "other", RUN)
    assert kube.calls == []


@pytest.mark.parametrize(
    ("more", "is_removed"),
    [
        ({"annotations": {BEGUN: "dead"}}, True),
        ({"annotations": {BEGUN: "alive"}}, False),
        ({}, False),
    ],
    ids=["dead", "alive", "of a deployment"],
)
def test_namespace_of_a_run_killed_before_all_else_is_removed(
    more: dict[str, Any], *, is_removed: bool
) -> None:
    kube = StubKube(with_metadata(applied(HOME), **more))

    done = remove_begun_namespace(kube, "web", lambda run: run == "alive")

    assert done is is_removed
    assert kube.calls == ([("delete", "Namespace web")] if is_removed else [])


def test_namespace_of_somebody_else_stays_whatever_it_says() -> None:
    kube = StubKube(with_metadata(HOME, annotations={BEGUN: "dead"}))

    assert not remove_begun_namespace(kube, "web", lambda _run: False)
    assert kube.calls == []
