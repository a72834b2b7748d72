"""Whose an object is that is there already."""

from __future__ import annotations

import pytest

from nova_acceptance.deploy.ownership import MANAGED_BY, foreign, is_ours, marked
from nova_acceptance.kube import Object
from testing.unit.collect.stub import StubKube
from testing.unit.deploy.custom import applied, config
from testing.unit.deploy.recorded import namespace

WEB = namespace("web", managed_by="")


def found(*there: Object, wanted: list[Object]) -> list[tuple[str, str]]:
    return [(each.cause, str(each.subject)) for each in foreign(StubKube(*there), wanted)]


@pytest.mark.parametrize(
    ("live", "ours"),
    [
        (applied(config()), True),
        (config(labels={"app.kubernetes.io/managed-by": "nova-acceptance"}), True),
        (config(labels={"app.kubernetes.io/managed-by": "Helm"}), False),
        (applied(config(), "kubectl"), False),
        (applied(config(), "nova-acceptance", "Update"), False),
        (config(), False),
    ],
)
def test_ours_is_what_was_applied_or_labelled_by_us(live: Object, ours: bool) -> None:
    assert is_ours(live) is ours


def test_what_is_absent_is_nobody_s() -> None:
    assert found(wanted=[WEB, config(namespace="web"), config(namespace="default")]) == []


def test_namespace_of_somebody_else_is_foreign_whatever_it_says_of_itself() -> None:
    """A release of Helm and what `helm template` renders carry the same label."""
    helm = namespace("web", managed_by="Helm")

    assert found(helm, wanted=[helm]) == [("NAMESPACE_FOREIGN", "Namespace web")]


def test_object_of_somebody_else_in_a_namespace_that_is_only_used_is_foreign() -> None:
    theirs = applied(config(namespace="default"), "kubectl-client-side-apply", "Update")

    assert found(theirs, wanted=[config(namespace="default")]) == [
        ("OBJECT_FOREIGN", "ConfigMap default/settings")
    ]


def test_object_in_a_namespace_of_ours_is_ours() -> None:
    theirs = applied(config(namespace="web"), "kubectl")

    assert found(applied(WEB), theirs, wanted=[WEB, config(namespace="web")]) == []


def test_evidence_says_whose_it_is() -> None:
    theirs = applied(config(namespace="default"), "kubectl")

    (one,) = foreign(StubKube(theirs), [config(namespace="default")])

    assert one.evidence == (
        "ConfigMap default/settings: label app.kubernetes.io/managed-by: (absent); "
        "written by kubectl",
    )


def test_what_stands_for_itself_is_labelled_where_the_manifests_say_nothing() -> None:
    """The API keeps no trace of who applied an object of which only the name is written."""
    helm = config("helm", namespace="default", labels={MANAGED_BY: "Helm"})
    wanted = [WEB, config("inside", namespace="web"), config(namespace="default"), helm]

    labels = [(obj["metadata"].get("labels") or {}).get(MANAGED_BY) for obj in marked(wanted)]

    assert labels == ["nova-acceptance", None, "nova-acceptance", "Helm"]
