"""Where an object ends that names no namespace."""

from __future__ import annotations

import pytest

from nova_acceptance.deploy.placement import placed
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object
from testing.unit.collect.stub import StubKube
from testing.unit.deploy.custom import config, definition, shop

ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "reader", "namespace": "somewhere"},
}


def test_object_without_a_namespace_goes_into_default_and_that_is_told() -> None:
    found = placed(StubKube(), [config(), config(namespace="web"), ROLE])

    assert [obj["metadata"].get("namespace") for obj in found.objects] == ["default", "web", None]
    assert list(map(str, found.by_default)) == ["ConfigMap default/settings"]


@pytest.mark.parametrize(("scope", "namespace"), [("Namespaced", "default"), ("Cluster", None)])
def test_instance_of_a_kind_of_the_manifests_is_where_its_definition_says(
    scope: str, namespace: str | None
) -> None:
    kube = StubKube()
    kube.unserved = {"Shop"}

    found = placed(kube, [shop(), definition(scope)])

    assert found.objects[0]["metadata"].get("namespace") == namespace


def test_kind_that_nobody_serves_stays_as_it_is() -> None:
    kube = StubKube()
    kube.unserved = {"Shop"}

    assert placed(kube, [shop()]).objects == [shop()]


def test_two_that_end_in_the_same_place_are_refused() -> None:
    with pytest.raises(RenderError, match="ConfigMap default/settings is rendered twice"):
        placed(StubKube(), [config(), config(namespace="default")])


def test_what_was_rendered_is_not_changed() -> None:
    obj = config()
    placed(StubKube(), [obj])

    assert obj == config()
