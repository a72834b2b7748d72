"""Requests and their failures against a scripted server."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError, ApiUnreachableError, Kube, PodRef, describe
from testing.unit.kube.scripted_api import (
    Answer,
    Request,
    ScriptedApi,
    reserved_port,
    scripted_api,
    status,
)
from testing.unit.waiting import SOON

SECRET = "/api/v1/namespaces/here/secrets/it"


def kube(api: ScriptedApi, tmp_path: Path) -> Kube:
    return Kube(api.kubeconfig(tmp_path))


def always(answer: Answer) -> ScriptedApi:
    return ScriptedApi(lambda _request: answer)


def test_token_of_the_kubeconfig_is_sent(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer({"gitVersion": "v1.20.2"})) as api:
        assert kube(api, tmp_path).server_version == "v1.20.2"

    assert api.requests[0].headers["authorization"] == "Bearer the-token"


def test_absent_object_is_none(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer(status(404, "NotFound"), 404)) as api:
        assert kube(api, tmp_path).get("v1", "Secret", "it", "here") is None


def test_kinds_are_asked_for_once(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer({"items": []})) as api:
        client = kube(api, tmp_path)
        for _ in range(3):
            client.list("v1", "Pod")
            client.list("v1", "Secret", namespace="here")

    assert len(api.asked("/api/v1")) == 1
    assert len(api.asked("/api/v1/namespaces/here/secrets")) == 3


@pytest.mark.parametrize(
    ("version", "kind", "asked"),
    [
        ("policy/v1", "PodDisruptionBudget", 1),  # a server does not come to serve it
        ("shops.example.org/v1", "Shop", 3),  # its definition may be made meanwhile
    ],
)
def test_absent_kind_is_asked_for_again_where_it_may_come(
    tmp_path: Path, version: str, kind: str, asked: int
) -> None:
    with scripted_api(lambda _: Answer(status(404, "NotFound"), 404)) as api:
        client = kube(api, tmp_path)
        assert not any(client.serves(version, kind) for _ in range(3))

    assert len(api.asked(f"/apis/{version}")) == asked


def test_unserved_kind_is_named(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer(status(404, "NotFound"), 404)) as api:
        client = kube(api, tmp_path)
        with pytest.raises(ClusterError, match=r"does not serve PodDisruptionBudget of policy/v1"):
            client.list("policy/v1", "PodDisruptionBudget")
        assert not client.serves("policy/v1", "PodDisruptionBudget")
        assert client.serves("apps/v1", "Deployment")


def test_listed_objects_carry_version_and_kind(tmp_path: Path) -> None:
    items = {"items": [{"metadata": {"name": "it", "namespace": "here"}}]}
    with scripted_api(lambda _: Answer(items)) as api:
        (pod,) = kube(api, tmp_path).list("v1", "Pod", label_selector="a=b")

    assert describe(pod) == "Pod here/it"
    assert api.asked("/api/v1/pods", labelSelector="a=b")


def test_apply_is_server_side_with_a_field_manager_of_our_own(tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "it", "namespace": "here"}}
    with scripted_api(lambda request: Answer(json.loads(request.body))) as api:
        assert kube(api, tmp_path).apply(secret, dry_run=True) == secret

    (asked,) = api.asked(SECRET, fieldManager="nova-acceptance", force="true", dryRun="All")
    assert asked.method == "PATCH"
    assert asked.headers["Content-Type"] == "application/apply-patch+yaml"


def test_delete_carries_grace_and_precondition(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer({})) as api:
        kube(api, tmp_path).delete(
            "v1", "Pod", "it", "here", grace_period_seconds=0, precondition_uid="u"
        )

    (asked,) = api.asked("/api/v1/namespaces/here/pods/it")
    options = json.loads(asked.body)
    assert (options["gracePeriodSeconds"], options["preconditions"]) == (0, {"uid": "u"})


def test_delete_may_be_of_what_was_read_alone(tmp_path: Path) -> None:
    with scripted_api(lambda _request: Answer({})) as api:
        kube(api, tmp_path).delete(
            "v1", "Pod", "it", "here", precondition_uid="u", precondition_version="7"
        )
    sent = json.loads(api.requests[-1].body)
    assert sent["preconditions"] == {"uid": "u", "resourceVersion": "7"}


def test_replacement_is_of_the_object_as_it_was_read(tmp_path: Path) -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "it", "namespace": "here", "resourceVersion": "7"},
    }
    with scripted_api(lambda _request: Answer({"kind": "Pod"})) as api:
        assert kube(api, tmp_path).replace(obj) == {"kind": "Pod"}
    sent = api.requests[-1]
    assert (sent.method, sent.path) == ("PUT", "/api/v1/namespaces/here/pods/it")
    assert json.loads(sent.body) == obj


def test_delete_of_what_is_gone_is_no_error(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer(status(404, "NotFound"), 404)) as api:
        kube(api, tmp_path).delete("v1", "Pod", "it", "here")


def test_passing_failure_is_survived(tmp_path: Path) -> None:
    answers = [
        Answer(status(503, "ServiceUnavailable"), 503),
        Answer(status(500, "InternalError", "etcdserver: leader changed"), 500),
        Answer({"gitVersion": "v1.20.2"}),
    ]
    with scripted_api(lambda _: answers.pop(0)) as api:
        assert kube(api, tmp_path).server_version == "v1.20.2"


def test_last_of_the_passing_failures_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", 1.0)
    busy = Answer(status(503, "ServiceUnavailable", "too busy"), 503)
    with scripted_api(lambda _: busy) as api, pytest.raises(ApiError, match="503") as caught:
        _ = kube(api, tmp_path).server_version

    said, repeated = caught.value.evidence
    assert said == "too busy"
    assert re.fullmatch(f"asked {len(api.requests)} times in [0-9]+ s", repeated)


def test_lasting_failure_is_not_repeated(tmp_path: Path) -> None:
    with (
        scripted_api(lambda _: Answer(status(500, "", "failed to create typed patch"), 500)) as api,
        pytest.raises(ApiError, match="failed to create typed patch"),
    ):
        _ = kube(api, tmp_path).server_version

    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("code", "reason", "hint"),
    [(401, "Unauthorized", "expired"), (403, "Forbidden", "kubectl auth can-i --list")],
)
def test_refused_user_is_told_what_to_do(tmp_path: Path, code: int, reason: str, hint: str) -> None:
    def refuse(_request: Request) -> Answer:
        return Answer(status(code, reason), code)

    expected = pytest.raises(ClusterError, match=f"{code} {reason}")
    with scripted_api(refuse) as api, expected as caught:
        kube(api, tmp_path).list("v1", "Pod")

    assert hint in caught.value.hint


def test_refused_fields_are_named(tmp_path: Path) -> None:
    causes = [{"field": "spec.ports[0].port", "message": "must be between 1 and 65535"}]
    answer = Answer(status(422, "Invalid", "is invalid", causes=causes), 422)
    with scripted_api(lambda _: answer) as api, pytest.raises(ApiError) as caught:
        kube(api, tmp_path).get("v1", "Secret", "it", "here")

    assert caught.value.causes == ("spec.ports[0].port: must be between 1 and 65535",)


def test_server_that_is_not_there_is_told_within_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    with reserved_port() as port:
        api = ScriptedApi(lambda _: Answer(), port=port)
        with pytest.raises(ApiUnreachableError, match=f"127.0.0.1:{port}") as caught:
            _ = kube(api, tmp_path).server_version

    assert "nova-cluster" in caught.value.hint
    assert time.monotonic() - started < timeouts.API_AWAY


@pytest.mark.parametrize("page", [b"[1, 2]", b"<html>Welcome</html>", b""])
def test_something_else_on_the_port_is_no_kubernetes(tmp_path: Path, page: bytes) -> None:
    expected = pytest.raises(ClusterError, match="not as a Kubernetes API does")
    with scripted_api(lambda _: Answer(page)) as api, expected:
        _ = kube(api, tmp_path).server_version


def test_proxy_of_the_environment_is_not_used_for_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with scripted_api(lambda _: Answer({"gitVersion": "v1.20.2"})) as api:
        assert kube(api, tmp_path).server_version == "v1.20.2"


@pytest.mark.parametrize("text", [None, "", "nonsense: [", "apiVersion: v1\nkind: Config\n", "[]"])
def test_unusable_kubeconfig_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ClusterError, match=str(path)):
        Kube(path)


def test_unknown_context_is_named(tmp_path: Path) -> None:
    path = always(Answer()).kubeconfig(tmp_path)

    with pytest.raises(ClusterError, match="with the context elsewhere"):
        Kube(path, "elsewhere")


def test_logs_ask_for_the_former_container(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer(b"last \xff words\n")) as api:
        text = kube(api, tmp_path).logs(PodRef("here", "it"), container="c", previous=True)

    assert text == "last \N{REPLACEMENT CHARACTER} words\n"
    assert api.asked("/api/v1/namespaces/here/pods/it/log", previous="true", container="c")


def test_can_i_asks_for_subresource_and_namespace(tmp_path: Path) -> None:
    def review(request: Request) -> Answer:
        wanted = json.loads(request.body)["spec"]["resourceAttributes"]
        allowed = wanted == {
            "verb": "create",
            "group": "",
            "resource": "pods",
            "subresource": "exec",
            "namespace": "here",
        }
        return Answer({"status": {"allowed": allowed}})

    with scripted_api(review) as api:
        assert kube(api, tmp_path).can_i("create", "", "pods/exec", "here")
        assert not kube(api, tmp_path).can_i("delete", "", "pods", "here")


def test_known_kind_does_not_wait_for_a_question_about_another(tmp_path: Path) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def script(request: Request) -> Answer:
        if request.path == "/apis/slow/v1":
            asked.set()
            let_go.wait(SOON)
            return Answer(status(404, "NotFound"), 404)
        return Answer({"metadata": {"resourceVersion": "1"}, "items": []})

    with scripted_api(script) as api:
        client = kube(api, tmp_path)
        client.list("v1", "Pod")
        other = threading.Thread(target=client.serves, args=("slow/v1", "Slow"))
        other.start()
        assert asked.wait(SOON)
        assert client.serves("v1", "Pod")
        assert other.is_alive()
        let_go.set()
        other.join(SOON)


REFUSED = "error trying to reach service: dial tcp 10.1.0.9:6379: connect: connection refused"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"message": REFUSED, "reason": "ServiceUnavailable"}, 503), REFUSED),
        (Answer({"message": "dial tcp 10.1.0.9:6379: i/o timeout"}, 503), ""),
        (Answer({"message": "no", "reason": "Forbidden"}, 403), ""),
        (Answer({"page": "of the pod"}), ""),
        (Answer({"page": "that is not there"}, 404), ""),
    ],
)
def test_refusal_at_a_pods_address_is_told_by_the_proxy(
    tmp_path: Path, answer: Answer, said: str
) -> None:
    with scripted_api(lambda _: answer) as api:
        client = kube(api, tmp_path)

        assert client.refused_by(PodRef("here", "it"), 6379) == said

    assert [each.path for each in api.requests] == ["/api/v1/namespaces/here/pods/it:6379/proxy/"]
    assert client.outages == ()  # whatever is behind the API, it is well itself


EVICTION = "/api/v1/namespaces/here/pods/it/eviction"
BUDGET = "Cannot evict pod as it would violate the pod's disruption budget."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"status": "Success"}, 201), ""),
        (Answer({**status(429, "TooManyRequests"), "message": BUDGET}, 429), BUDGET),
        (
            Answer({**status(403, "Forbidden"), "message": "not on a Friday"}, 403),
            "not on a Friday",
        ),
        (Answer({**status(400, "BadRequest"), "message": "x does not support dry run"}, 400), ""),
    ],
)
def test_eviction_is_tried_dry_and_once(tmp_path: Path, answer: Answer, said: str) -> None:
    with scripted_api(lambda _: answer) as api:
        client = kube(api, tmp_path)
        assert client.refuses_eviction(PodRef("here", "it"), "the-uid") == said

    (asked,) = api.asked(EVICTION)
    body = json.loads(asked.body)
    assert asked.query["dryRun"] == "All"
    assert body["deleteOptions"] == {"dryRun": ["All"], "preconditions": {"uid": "the-uid"}}
    assert body["apiVersion"] == "policy/v1"
    assert client.outages == ()  # a budget's refusal has the status of an API that is busy


def test_request_of_a_pod_by_any_name_counts_as_one(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer({"gitVersion": "v1.33.1"})) as api:
        client = kube(api, tmp_path)
        assert client.server_version == "v1.33.1"
        assert client.logs(PodRef("here", "exec"))

    assert client.usage == {"requests": 2, "execs": 0, "forwards": 0}


def test_eviction_of_a_pod_that_is_another_by_now_is_told(tmp_path: Path) -> None:
    with (
        scripted_api(lambda _: Answer(status(409, "Conflict"), 409)) as api,
        pytest.raises(ApiError, match="409"),
    ):
        kube(api, tmp_path).refuses_eviction(PodRef("here", "it"), "the-uid")
