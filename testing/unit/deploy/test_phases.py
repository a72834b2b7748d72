"""What an apply says when the API refuses an object."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.deploy import phases
from nova_acceptance.deploy.phases import Phase, RefusedError, apply_phase
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import ApiError, Object
from testing.unit.deploy.custom import config, definition, shop
from testing.unit.deploy.recorded import deployment, metadata, namespace, pod, stateful_set
from testing.unit.deploy.stub_kube import StubKube
from testing.unit.waiting import SOON


class RefusingKube(StubKube):
    """Refuses the kinds that it was told to."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        self._answers = answers

    def forgive(self, _state: object) -> float:
        """Refuse nothing from now on; stands for a wait of no seconds."""
        self._answers.clear()
        return 0

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        if answer := self._answers.get(obj["kind"]):
            raise ApiError("PATCH …", answer["code"], json.dumps(answer))
        return super().apply(obj, dry_run=dry_run)


INVALID = {
    "code": 422,
    "reason": "Invalid",
    "message": 'Deployment.apps "user-service" is invalid',
    "details": {
        "causes": [
            {"field": "spec.template.spec.containers[0].image", "message": "Required value"},
            {"field": "spec.replicas", "message": "must be greater than or equal to 0"},
        ]
    },
}
IMMUTABLE = {
    "code": 422,
    "reason": "Invalid",
    "message": "StatefulSet.apps is invalid",
    "details": {
        "causes": [
            {
                "field": "spec",
                "message": "Forbidden: updates to statefulset spec for fields other than "
                "'replicas', 'template', and 'updateStrategy' are forbidden",
            }
        ]
    },
}


def refusal(kind: str, answer: dict[str, Any], *objects: Object) -> ApplyError:
    with pytest.raises(ApplyError) as caught:
        apply_phase(RefusingKube({kind: answer}), Phase("workloads", objects))
    return caught.value


def test_refused_object_and_its_fields_are_named() -> None:
    error = refusal("Deployment", INVALID, deployment())

    assert error.message == "the API refused Deployment nova-services/user-service: Invalid"
    assert error.evidence == (
        "Deployment nova-services/user-service: "
        "spec.template.spec.containers[0].image: Required value",
        "Deployment nova-services/user-service: spec.replicas: must be greater than or equal to 0",
    )
    assert "the manifests" in error.hint


def test_refusal_is_a_cause_of_its_own_for_each_object() -> None:
    error = refusal("Deployment", INVALID, deployment())
    assert isinstance(error, RefusedError)

    (found,) = error.explanation.causes
    assert found.root.cause == "API_REFUSED"
    assert str(found.root.subject) == "Deployment nova-services/user-service"
    assert "image: Required value" in error.explanation.headline


def test_field_that_cannot_change_says_how_to_go_on() -> None:
    error = refusal("StatefulSet", IMMUTABLE, stateful_set())

    assert "kubectl -n nova-services delete statefulset etcd" in error.hint


def test_other_objects_are_applied_and_every_refusal_is_listed() -> None:
    config: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("c")}
    kube = RefusingKube({"Deployment": INVALID, "StatefulSet": IMMUTABLE})

    with pytest.raises(ApplyError, match=r"\(and 1 more\)") as caught:
        apply_phase(kube, Phase("any", (deployment(), stateful_set(), config)))

    assert kube.calls == [("apply", "ConfigMap c")]
    assert any("StatefulSet nova-services/etcd" in line for line in caught.value.evidence)


def test_order_of_the_files_does_not_matter() -> None:
    hook: Object = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "hook"},
    }
    found = phases.phases([hook, deployment(), shop(), config(), definition(), namespace()])

    assert [(phase.name, [obj["kind"] for obj in phase.objects]) for phase in found] == [
        ("namespaces", ["CustomResourceDefinition", "Namespace"]),
        ("configuration", ["Shop", "ConfigMap"]),
        ("workloads", ["Deployment"]),
        ("admission", ["ValidatingWebhookConfiguration"]),
    ]


def test_pod_waits_for_the_service_account_of_its_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = {
        "code": 403,
        "reason": "Forbidden",
        "message": 'pods "a" is forbidden: error looking up service account web/default: '
        'serviceaccount "default" not found',
    }
    kube = RefusingKube({"Pod": answer})
    monkeypatch.setattr(phases, "wait_fixed", lambda _seconds: kube.forgive)

    apply_phase(kube, Phase("workloads", (pod("a"),)))

    assert kube.calls == [("apply", "Pod a")]


def test_binding_waits_for_the_role_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    message = 'roles.rbac.authorization.k8s.io "a" not found'
    kube = RefusingKube({"RoleBinding": {"code": 404, "reason": "NotFound", "message": message}})
    monkeypatch.setattr(phases, "wait_fixed", lambda _seconds: kube.forgive)
    binding: Object = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata("a"),
    }

    apply_phase(kube, Phase("configuration", (binding,)))

    assert kube.calls == [("apply", "RoleBinding a")]


def test_pod_whose_service_account_never_comes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "ACCOUNT", 0)
    answer = {"code": 403, "message": "error looking up service account web/none"}

    assert "error looking up" in refusal("Pod", answer, pod("a")).evidence[0]


def test_interrupted_apply_begins_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, let_go = threading.Semaphore(0), threading.Event()

    class SlowKube(StubKube):
        def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
            begun.release()
            assert let_go.wait(SOON)
            return super().apply(obj, dry_run=dry_run)

    class Pool(ThreadPoolExecutor):
        """Lets its threads go on once it was told to end."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            let_go.set()
            super().shutdown(wait=wait)

    def interrupted(_answers: object) -> None:
        for _ in range(8):
            assert begun.acquire(timeout=SOON)
        raise KeyboardInterrupt

    monkeypatch.setattr(phases, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(phases, "wait", interrupted)
    kube = SlowKube()
    with pytest.raises(KeyboardInterrupt):
        apply_phase(kube, Phase("configuration", tuple(deployment() for _ in range(20))))
    assert len(kube.calls) == 8
