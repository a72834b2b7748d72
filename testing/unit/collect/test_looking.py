"""One look at a cluster: what is in it, and what is only not known."""

from __future__ import annotations

import base64
from collections.abc import Collection
from concurrent.futures import Future, as_completed, wait
from typing import Any

import pytest

from nova_acceptance import masking
from nova_acceptance.collect import asking, is_whole, look
from nova_acceptance.collect.logs import MOST
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError, ApiUnreachableError, Object, PodRef
from testing.unit.collect.stub import StubKube
from testing.unit.diagnosis.members import DATABASE, system
from testing.unit.waiting import SOON


def obj(kind: str, name: str, namespace: str = "", **more: Any) -> Object:
    where = {"namespace": namespace} if namespace else {}
    return {"kind": kind, "metadata": {"name": name, "uid": f"uid-{name}", **where}, **more}


def pod(name: str, namespace: str = "shop", **container: Any) -> Object:
    status = {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {}}}
    return obj("Pod", name, namespace, status={"containerStatuses": [{**status, **container}]})


def secret(**values: str) -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return obj("Secret", "keys", "shop", data=data)


def test_look_finds_what_is_in_the_namespaces_and_of_the_cluster() -> None:
    kube = StubKube(
        pod("a"), pod("b", "other"), pod("dns", "kube-system"), obj("StorageClass", "standard")
    )
    found = look(kube, ["shop"])

    names = {where.name for where in found.refs()}
    assert names == {"a", "dns", "standard"}
    assert found.knows("Pod", "shop")
    assert found.knows("StorageClass")
    assert not found.knows("Pod", "other")
    assert found.unread == []


def test_look_at_many_namespaces_asks_for_each_kind_once() -> None:
    kube = StubKube(pod("a", "n1"), pod("b", "elsewhere"))
    found = look(kube, [f"n{number}" for number in range(20)])

    assert [where.name for where in found.refs()] == ["a"]
    assert sum(" Pod " in asked for asked in kube.asked) == 1
    assert found.knows("Pod", "n7")
    assert not found.knows("Pod", "elsewhere")


def test_what_may_not_be_read_is_not_taken_for_absent() -> None:
    kube = StubKube(obj("StorageClass", "standard"))
    kube.forbidden = {"StorageClass", "Secret"}
    found = look(kube, ["shop"])

    assert not found.knows("StorageClass")
    assert not found.knows("Secret", "shop")
    assert found.knows("Node")
    assert found.unread == [
        "in the whole cluster: this user may not list StorageClass",
        "in shop: this user may not list Secret",
    ]
    assert is_whole(found), "it would be the same once more"


def listed(kube: StubKube, kind: str) -> set[str]:
    """Return the namespaces in which a kind was asked for."""
    asked = [each.split() for each in kube.asked]
    return {namespace for verb, _, its, namespace in asked if (verb, its) == ("list", kind)}


@pytest.mark.parametrize("more", [0, 20], ids=["few namespaces", "many namespaces"])
def test_roles_are_read_where_a_cause_reads_them(more: int) -> None:
    nova = system()
    kube = StubKube()
    kube.forbidden = {"Role", "RoleBinding"}
    names = [*nova.namespaces, *(f"n{number}" for number in range(more))]

    found = look(kube, names, nova)

    assert listed(kube, "Role") == listed(kube, "RoleBinding") == {DATABASE}
    assert found.unread == [f"in {DATABASE}: this user may not list Role, RoleBinding"]


def test_local_cluster_is_asked_once_a_kind_and_for_no_secret_of_others() -> None:
    nova = system()
    kube = StubKube()
    kube.is_local = True

    found = look(kube, nova.namespaces, nova)

    assert listed(kube, "Pod") == {"None"}
    assert listed(kube, "Secret") == set(nova.namespaces)
    assert all(found.knows("Pod", each) for each in (*nova.namespaces, "kube-system"))
    assert not found.knows("Pod", "elsewhere")


def test_local_cluster_where_one_may_list_in_some_namespaces_is_asked_there() -> None:
    nova = system()
    kube = StubKube()
    kube.is_local = kube.forbidden_everywhere = True

    found = look(kube, nova.namespaces, nova)

    assert listed(kube, "Pod") == {"None", *nova.namespaces, "kube-system"}
    assert found.knows("Pod", nova.namespaces[0])


def test_system_without_what_reads_roles_lacks_no_right_to_them() -> None:
    nova = system()
    redis = type(nova).model_construct(
        **{**dict(nova), "components": tuple(it for it in nova.components if it.name == "redis")}
    )
    kube = StubKube()
    kube.forbidden = {"Role", "RoleBinding"}

    assert look(kube, nova.namespaces, redis).unread == []
    assert look(kube, ["shop"]).unread == []


def test_kind_that_is_named_is_looked_for_whoever_reads_it() -> None:
    kube = StubKube(obj("Role", "labeller", "shop"))

    assert look(kube, ["shop"], kinds=["Role"]).get("Role", "shop", "labeller")


def test_kind_is_listed_in_the_version_that_is_served() -> None:
    kube = StubKube()
    kube.unserved = {"discovery.k8s.io/v1", "PodDisruptionBudget"}
    found = look(kube, ["shop"])

    assert "list discovery.k8s.io/v1beta1 EndpointSlice shop" in kube.asked
    assert found.unread == ["PodDisruptionBudget: the server does not serve it"]


def test_look_ends_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_but_one(asked: Collection[Future[Any]], timeout: float) -> Any:
        """Wait for what is answered, so that the deadline meets the silent question alone."""
        answers = as_completed(asked, SOON)
        for _ in range(len(asked) - 1):
            next(answers)
        return wait(asked, timeout)

    monkeypatch.setattr(asking, "wait", all_but_one)
    kube = StubKube(pod("a"))
    kube.silent = {"Node"}
    try:
        found = look(kube, ["shop"], timeout=0.2)
    finally:
        kube.end.set()

    assert not found.knows("Node")
    assert found.knows("Pod", "shop")
    assert "Node: no answer in time" in found.unread
    assert not is_whole(found)


def test_look_at_an_api_that_answers_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube()
    error = ApiUnreachableError("GET /", "https://stub", OSError("refused"))

    def refuse(*_: object) -> bool:
        raise error

    monkeypatch.setattr(kube, "serves", refuse)
    with pytest.raises(ApiUnreachableError):
        look(kube, ["shop"])


def test_api_that_refuses_everything_is_an_error_too() -> None:
    kube = StubKube()
    kube.serves = lambda *_: False  # type: ignore[method-assign]

    with pytest.raises(ClusterError):
        look(kube, ["shop"])


def test_secret_is_in_it_by_its_shapes_and_is_masked_from_now_on() -> None:
    word = "tr0ub4dor-and-3"
    kube = StubKube(secret(URL=f"redis://:{word}@cache:6379", MODE="production"))
    found = look(kube, ["shop"])

    data = found.get("Secret", "shop", "keys") or {}
    assert word not in str(data)
    assert "cache:6379" in data["data"]["URL"]
    assert word not in masking.mask(f"password is {word}")
    assert masking.mask("in production") == "in production"


def test_secrets_of_kube_system_are_not_read() -> None:
    kube = StubKube()
    look(kube, ["shop", "kube-system"])

    assert not any("Secret kube-system" in asked for asked in kube.asked)


@pytest.mark.parametrize(
    ("container", "logs"),
    [
        ({}, []),
        ({"ready": False}, [False]),
        ({"restartCount": 2}, [True]),
        ({"restartCount": 2, "ready": False, "state": {"waiting": {}}}, [True, False]),
        ({"ready": False, "state": {"waiting": {"reason": "ErrImagePull"}}}, []),
        ({"ready": False, "state": {"terminated": {"exitCode": 0}}}, []),
    ],
)
def test_logs_are_of_containers_that_are_not_well(
    container: dict[str, Any], logs: list[bool]
) -> None:
    kube = StubKube(pod("a", **container))
    kube.last_log = "panic: postgres://app:hunter22@db/x refused"
    found = look(kube, ["shop"])

    read = found.logs.get(("shop", "a", "main"), [])
    assert sorted(log.previous for log in read) == sorted(logs)
    assert all("hunter22" not in log.text and "refused" in log.text for log in read)


LEFT = "2026-11-24T04:07:00Z"


@pytest.mark.parametrize(
    ("ready", "asked"),
    [
        (
            {"status": "False", "lastTransitionTime": "2026-11-24T04:07:00Z"},
            " 2026-11-24T04:05:00Z",
        ),
        ({"status": "Unknown", "lastTransitionTime": "2026-11-24T04:07:00Z"}, ""),
        ({"status": "False", "lastTransitionTime": None}, ""),
        ({}, ""),
    ],
)
def test_what_a_container_said_while_its_pod_was_ready_is_no_reason(
    ready: dict[str, Any], asked: str
) -> None:
    ill = pod("a", ready=False)
    ill["status"]["conditions"] = [{"type": "Ready", **ready}]
    kube = StubKube(ill)
    look(kube, ["shop"])

    assert [line for line in kube.asked if line.startswith("logs")] == [
        f"logs shop/a main False{asked}"
    ]


def test_logs_are_left_out_on_request_and_are_bounded() -> None:
    kube = StubKube(*(pod(f"p{number}", ready=False) for number in range(3 * MOST)))
    kube.last_log = "x"

    assert look(kube, ["shop"], logs=False).logs == {}
    assert len(look(kube, ["shop"]).logs) == MOST


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, ["log of shop/a: the API refused `GET log`: 403"]),
        (400, []),  # it was never started
        (404, []),  # it is gone
    ],
)
def test_log_that_may_not_be_read_is_said(status: int, said: list[str]) -> None:
    class Refusing(StubKube):
        def logs(self, *_pod: PodRef, **_more: object) -> str:
            raise ApiError("GET log", status, "{}")

    found = look(Refusing(pod("a", ready=False)), ["shop"])

    assert found.logs == {}
    assert found.unread == said


def test_log_of_what_refuses_an_ill_pod_is_read_as_well() -> None:
    client = pod("client", ready=False)
    server = pod("server", ready=True)
    server["metadata"]["labels"] = {"app": "server"}
    server["spec"] = {"containers": [{"name": "main"}]}
    ports = [{"port": 80, "targetPort": 8000}]
    front = obj("Service", "front", "shop", spec={"selector": {"app": "server"}, "ports": ports})
    kube = StubKube(client, server, front)
    kube.last_log = "front.shop:80: connection refused"

    look(kube, ["shop"])

    assert [each for each in kube.asked if each.startswith("logs")] == [
        "logs shop/client main False",
        "logs shop/server main False",
    ]
