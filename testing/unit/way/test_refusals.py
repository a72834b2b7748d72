"""A refusal that is no missing right: a policy's, and that of a kubelet's certificate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nova_acceptance.errors import ApplyError, ClusterError, PodProbeError
from nova_acceptance.kube import ApiError, Kube, PodRef
from nova_acceptance.kube.failures import WayError, kubelet_trouble
from nova_acceptance.kube.refusals import verbs_into_pods
from nova_acceptance.vantage.places import why_unusable
from nova_acceptance.verification.rights import unasked_of
from testing.unit.kube.scripted_api import Answer, Request, scripted_api, status

POD = PodRef("shop", "web-0")
DIALING = "error dialing backend: "
LOGS = 'Get "https://10.0.0.7:10250/containerLogs/shop/web-0/web": '


def refused(message: str) -> ApiError:
    body = json.dumps({"reason": "Forbidden", "message": message})
    return ApiError("POST /api/v1/namespaces/shop/pods", 403, body)


@pytest.mark.parametrize(
    ("message", "name", "command"),
    [
        (
            'admission webhook "validate.kyverno.svc-fail" denied the request: no',
            "validate.kyverno.svc-fail",
            "validatingwebhookconfigurations",
        ),
        (
            "pods \"it\" is forbidden: ValidatingAdmissionPolicy 'no-probes' with binding 'b' "
            "denied request: failed expression",
            "no-probes",
            "validatingadmissionpolicies",
        ),
        (
            'pods "it" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot',
            "restricted:latest",
            "--show-labels",
        ),
        (
            'pods "it" is forbidden: exceeded quota: compute, requested: pods=1',
            "compute",
            "resourcequotas",
        ),
    ],
)
def test_policy_that_forbids_is_named_and_no_right_is_asked_for(
    message: str, name: str, command: str
) -> None:
    error = refused(message)

    assert f"`{name}` forbids it" in error.hint
    assert command in error.hint
    assert "can-i" not in error.hint
    unasked = unasked_of(error)
    assert unasked is not None
    assert unasked.hint == error.hint


def test_namespace_that_is_being_deleted_is_waited_for() -> None:
    said = 'pods "it" is forbidden: unable to create new content in namespace shop because it is '
    error = refused(f"{said}being terminated")

    assert "namespace shop is being deleted: wait until it is gone" in error.hint
    assert "`kubectl get namespace shop -o yaml`" in error.hint


def test_missing_right_is_asked_for() -> None:
    error = refused('pods is forbidden: User "me" cannot create resource "pods" in API group ""')

    assert "kubectl auth can-i --list" in error.hint
    unasked = unasked_of(error)
    assert unasked is not None
    assert unasked.hint == "grant it, or do without these answers"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (f"{DIALING}remote error: tls: internal error", 500),
        (f"{DIALING}x509: certificate signed by unknown authority", 500),
        (f"{DIALING}tls: failed to verify certificate: x509: cannot validate certificate", 500),
        (f"{DIALING}proxy error from 127.0.0.1:9345 while dialing 10.0.0.7:10250, code 502", 502),
    ],
)
def test_kubelet_whose_certificate_nobody_approved_is_named_by_its_node(
    tmp_path: Path, message: str, code: int
) -> None:
    def script(request: Request) -> Answer:
        if request.path.endswith("/exec"):
            return Answer(status(code, "InternalError", message), code)
        return Answer({"kind": "Pod", "spec": {"nodeName": "worker-2"}})

    with scripted_api(script) as api, pytest.raises(PodProbeError) as caught:
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["true"])

    error = caught.value
    assert kubelet_trouble(error) is not None
    assert any("the kubelet of the node worker-2" in line for line in error.evidence)
    unasked = unasked_of(error)
    assert unasked is not None
    assert unasked.message == "the API cannot speak to the kubelet of the node worker-2"
    assert "kubectl get csr" in unasked.hint
    assert "kubectl certificate approve" in unasked.hint
    assert any(message in line for line in unasked.evidence)
    assert why_unusable(error) == unasked.message  # so another place is looked for


def test_logs_that_such_a_kubelet_does_not_give_are_told_alike(tmp_path: Path) -> None:
    def script(request: Request) -> Answer:
        if request.path.endswith("/log"):
            said = f"{LOGS}remote error: tls: internal error"
            return Answer(status(500, "InternalError", said), 500)
        return Answer({"kind": "Pod", "spec": {"nodeName": "worker-2"}})

    with scripted_api(script) as api, pytest.raises(ClusterError) as caught:
        Kube(api.kubeconfig(tmp_path)).logs(POD)

    assert caught.value.message == "the API cannot speak to the kubelet of the node worker-2"


def test_node_that_may_not_be_looked_up_is_left_out(tmp_path: Path) -> None:
    def script(request: Request) -> Answer:
        if request.path.endswith("/log"):
            return Answer(status(500, "InternalError", f"{LOGS}remote error: tls: bad"), 500)
        return Answer(status(403, "Forbidden"), 403)

    with scripted_api(script) as api, pytest.raises(ClusterError) as caught:
        Kube(api.kubeconfig(tmp_path)).logs(POD)

    assert caught.value.message == "the API cannot speak to the kubelet of the pod's node"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "GET /api/v1/namespaces/shop/pods/web-0/exec",
            'failed calling webhook "no-exec": x509: certificate has expired',
        ),
        ("GET /api/v1/namespaces/shop/pods/web-0/exec", f"{DIALING}dial tcp: i/o timeout"),
        ("GET /api/v1/namespaces/shop/pods/web-0", "x509: certificate has expired"),
    ],
)
def test_other_troubles_are_no_kubelets_certificate(asked: str, message: str) -> None:
    body = json.dumps({"reason": "InternalError", "message": message})

    assert kubelet_trouble(ApiError(asked, 500, body)) is None


@pytest.mark.parametrize(
    ("version", "verbs"),
    [
        ("v1.20.2", ("get",)),
        ("v1.34.9", ("get",)),
        ("v1.35.0-alpha.1", ("get", "create")),
        ("v1.37.1+k3s1", ("get", "create")),
        ("v2.0.0", ("get", "create")),
        ("", ("get",)),
    ],
)
def test_way_into_a_pod_takes_create_from_a_version_on(
    version: str, verbs: tuple[str, ...]
) -> None:
    assert verbs_into_pods(version) == verbs


def test_user_whom_the_api_does_not_know_any_more_asks_nothing() -> None:
    lost = PodProbeError("could not be run", namespace="shop", pod="web-0")
    lost.__cause__ = ApiError("GET /api/v1/namespaces/shop/pods/web-0/exec", 401, "{}")

    unasked = unasked_of(lost)

    assert unasked is not None
    assert "401" in unasked.message
    assert "log in again" in unasked.hint


def test_way_that_is_lost_during_a_run_is_no_fault_of_the_system() -> None:
    unasked = unasked_of(WayError("the plug-in failed", hint="log in"))

    assert unasked is not None
    assert (unasked.message, unasked.hint) == ("the plug-in failed", "log in")


def test_deployment_that_loses_its_way_has_failed() -> None:
    failed = ApplyError("not applied")
    failed.__cause__ = WayError("the plug-in failed")

    assert unasked_of(failed) is None
