"""What a deployment would change, as a rehearsal tells it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nova_acceptance.collect import look
from nova_acceptance.deploy import Fate, Rehearsed, rehearse
from nova_acceptance.deploy.rehearsal import differences
from nova_acceptance.kube import ApiError, Object
from testing.unit.collect.stub import StubKube
from testing.unit.deploy.custom import config, definition, shop

SECRET: Object = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "it", "namespace": "web", "annotations": {"last": "hunter2"}},
    "data": {"PASSWORD": "aHVudGVyMg==", "OLD": "b2xk"},
}


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": name}}


class Server(StubKube):
    """A cluster that merges what is applied into what is there, and keeps none of it."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(*objects)
        self.refusals: dict[str, ApiError] = {}
        self.tried: list[str] = []

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        assert dry_run, "a rehearsal writes nothing"
        name = obj["metadata"]["name"]
        self.tried.append(name)
        if error := self.refusals.get(name):
            raise error
        live = self.get("", obj["kind"], name, obj["metadata"].get("namespace")) or {}
        return {**merged(live, obj), "status": {"observed": "anew"}}


def merged(live: Any, wanted: Any) -> Any:
    if not (isinstance(live, dict) and isinstance(wanted, dict)):
        return copy.deepcopy(wanted)
    return {**live, **{key: merged(live.get(key), it) for key, it in wanted.items()}}


def ours(obj: Object) -> Object:
    metadata = {**obj["metadata"], "resourceVersion": "7", "uid": "u", "generation": 3}
    return {**obj, "metadata": metadata, "status": {"observed": "before"}}


def rehearsed(kube: Server, *objects: Object) -> dict[str, Rehearsed]:
    base = look(kube, ["web", "new"], logs=False)
    return {each.name: each for each in rehearse(kube, objects, base)}


def test_each_object_has_its_fate_and_the_fields_that_change() -> None:
    label = {"app.kubernetes.io/managed-by": "nova-acceptance"}
    there = [
        ours(config("same", namespace="web", labels=label)),
        ours(config("other", namespace="web", labels=label) | {"data": {"a.b": "1", "kept": "x"}}),
    ]
    kube = Server(namespace("web"), *there)

    found = rehearsed(
        kube,
        config("same", namespace="web"),
        config("other", namespace="web") | {"data": {"a.b": "2", "more": ["x"]}},
        config("fresh", namespace="web"),
    )

    assert found["ConfigMap web/same"].fate is Fate.UNCHANGED
    assert found["ConfigMap web/fresh"] == Rehearsed("ConfigMap web/fresh", Fate.CREATED)
    assert found["ConfigMap web/other"] == Rehearsed(
        "ConfigMap web/other",
        Fate.CHANGED,
        ('data.[a.b]: "1" → "2"', 'data.more[0]: (absent) → "x"'),
    )
    assert kube.calls == []


def test_what_has_no_place_yet_is_created_and_the_server_is_not_asked() -> None:
    kube = Server(namespace("web"))
    kube.unserved = {"Shop"}

    found = rehearsed(
        kube, namespace("new"), config(namespace="new"), definition(), shop(namespace="web")
    )

    assert {each.fate for each in found.values()} == {Fate.CREATED}
    assert sorted(kube.tried) == ["new", "shops.example.org"]


def test_kind_that_nobody_serves_is_refused() -> None:
    kube = Server(namespace("web"))
    kube.unserved = {"Shop"}

    (found,) = rehearsed(kube, shop(namespace="web")).values()

    assert found.fate is Fate.REFUSED
    assert found.lines == ("the cluster does not serve Shop of example.org/v1",)


@pytest.mark.parametrize(
    ("body", "fate", "line"),
    [
        (
            '{"details": {"causes": [{"field": "spec.a", "message": "is wrong"}]}}',
            Fate.REFUSED,
            "spec.a: is wrong",
        ),
        ('{"message": "field is immutable"}', Fate.REFUSED, "field is immutable"),
        (
            '{"message": "admission webhook \\"a\\" does not support dry run"}',
            Fate.UNKNOWN,
            'admission webhook "a" does not support dry run',
        ),
    ],
)
def test_server_that_refuses_is_quoted(body: str, fate: Fate, line: str) -> None:
    kube = Server(namespace("web"))
    kube.refusals["settings"] = ApiError("PATCH /it", 422, body)

    (found,) = rehearsed(kube, config(namespace="web")).values()

    assert found == Rehearsed("ConfigMap web/settings", fate, (line,))


def test_no_value_of_a_secret_is_told() -> None:
    after = copy.deepcopy(SECRET)
    after["data"] = {"PASSWORD": "Y29ycmVjdA==", "NEW": "bmV3"}
    after["metadata"]["annotations"]["last"] = "correct"
    after["type"] = "Opaque"

    assert list(differences(SECRET, after)) == [
        "data.NEW: (absent) → (not shown)",
        "data.OLD: (not shown) → (absent)",
        "data.PASSWORD: (not shown) → (not shown)",
        "metadata.annotations.last: (not shown) → (not shown)",
        'type: (absent) → "Opaque"',
    ]


def test_entries_of_a_list_are_told_by_their_names() -> None:
    def pod(image: str, *more: Object) -> Object:
        containers = [{"name": "a", "image": image}, *more]
        return {"kind": "Pod", "metadata": {}, "spec": {"containers": containers, "numbers": [1]}}

    assert list(differences(pod("x:1"), pod("x:2", {"name": "b", "ports": []}))) == [
        'spec.containers[a].image: "x:1" → "x:2"',
        'spec.containers[b].name: (absent) → "b"',
        "spec.containers[b].ports: (absent) → []",
    ]


def test_long_value_is_cut() -> None:
    (line,) = differences(config() | {"data": {"a": "x" * 500}}, config() | {"data": {"a": "y"}})

    assert len(line) < 200
    assert line.endswith('… → "y"')
