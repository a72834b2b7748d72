"""Kinds that come with the manifests are waited for before anything of them is applied."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.deploy import deploy
from nova_acceptance.deploy.definitions import await_served, defined
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress
from testing.unit.collect.stub import StubKube
from testing.unit.deploy.custom import definition, shop
from testing.unit.deploy.stub_kube import StubKube as PlainKube


class Establishing(PlainKube):
    """Takes a few questions until a definition is established, and one more until it is served.

    Args:
        questions: how many.
        condition: what the definition says meanwhile.
    """

    def __init__(self, questions: int, condition: dict[str, Any] | None = None) -> None:
        super().__init__()
        self._left = questions
        self._condition = condition or {"type": "Established", "status": "False", "message": "no"}

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Object | None:
        found = super().get(api_version, kind, name, namespace)
        if found and kind == "CustomResourceDefinition":
            self._left -= 1
            done = {"type": "Established", "status": "True"}
            return {
                **found,
                "status": {"conditions": [done if self._left < 0 else self._condition]},
            }
        return found

    def serves(self, api_version: str, kind: str) -> bool:  # noqa: ARG002 - as it is asked
        return kind != "Shop" or self._left < -1

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        assert self.serves(obj["apiVersion"], obj["kind"]), f"{obj['kind']} is not served yet"
        return super().apply(obj, dry_run=dry_run)


def test_instance_is_applied_once_its_kind_is_served() -> None:
    kube = Establishing(2)

    deploy(kube, [shop(), definition("Cluster")], progress=Progress(io.StringIO()))

    assert kube.calls == [
        ("apply", "CustomResourceDefinition shops.example.org"),
        ("apply", "Shop corner"),
    ]


def test_definition_whose_names_are_taken_ends_the_deployment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "ESTABLISHED", 0.1)
    taken = {"type": "NamesAccepted", "status": "False", "message": '"shops" is already in use'}
    kube = Establishing(1000, taken)
    kube.put(definition())

    with pytest.raises(ApplyError, match="not established in time") as caught:
        await_served(kube, [definition()], time.monotonic() + 60)
    assert caught.value.evidence == (
        'CustomResourceDefinition shops.example.org: "shops" is already in use',
    )


def test_nothing_is_asked_where_no_kind_is_defined() -> None:
    kube = StubKube()
    await_served(kube, [shop()], time.monotonic())

    assert kube.asked == []


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        ({"versions": [{"name": "v1", "served": True}, {"name": "v0", "served": False}]}, ("v1",)),
        ({"version": "v1beta1"}, ("v1beta1",)),
        ({}, ()),
    ],
)
def test_versions_of_a_definition_are_those_that_are_served(
    spec: dict[str, Any], versions: tuple[str, ...]
) -> None:
    written = {"group": "example.org", "names": {"kind": "Shop"}, **spec}
    found = defined([{**definition(), "spec": written}])

    assert found["example.org", "Shop"].versions == versions
    assert found["example.org", "Shop"].serves("example.org/v0") is not bool(versions)
