"""What each container may do beyond what it needs, one check for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import security
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from testing.unit.kubernetes.there import WEB, causes, made, pod, seen

Change = Callable[[dict[str, Any]], object]
CHECKS = (
    security.root_containers,
    security.writable_roots,
    security.privileged_containers,
    security.capable_containers,
    security.unfiltered_containers,
    security.unlimited_containers,
    security.exposed_pods,
    security.wrong_api_token,
)
TOKEN = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}


def of_pod(**more: Any) -> Change:
    return lambda spec: spec.update(more)


def of_pods_context(**more: Any) -> Change:
    return lambda spec: spec["securityContext"].update(more)


def of_context(**more: Any) -> Change:
    return lambda spec: spec["containers"][0]["securityContext"].update(more)


def of_container(**more: Any) -> Change:
    return lambda spec: spec["containers"][0].update(more)


def changed(change: Change) -> tuple[Object, Object]:
    """Return two pods of which the second is changed."""
    one, other = pod("web-a"), pod("web-b")
    change(other["spec"])
    return one, other


def test_pods_as_they_should_be() -> None:
    there = seen(made(), pod("web-a"), pod("web-b"))

    assert [check(there, WEB) for check in CHECKS] == [[]] * len(CHECKS)
    assert [name for name, _ in security.contexts(there, WEB)] == ["web-a/main", "web-b/main"]


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_holds_of_a_workload_without_pods(check: Callable[..., list[Finding]]) -> None:
    assert causes(check(seen(made()), WEB)) == [("WORKLOAD_NOT_READY", "web")]


@pytest.mark.parametrize(
    ("check", "change", "cause"),
    [
        (security.root_containers, of_pods_context(runAsNonRoot=False), "SECURITY_CONTEXT_WEAK"),
        (security.root_containers, of_pods_context(runAsUser=0), "SECURITY_CONTEXT_WEAK"),
        (security.root_containers, of_context(runAsUser=0), "SECURITY_CONTEXT_WEAK"),
        (
            security.writable_roots,
            of_context(readOnlyRootFilesystem=False),
            "SECURITY_CONTEXT_WEAK",
        ),
        (security.privileged_containers, of_context(privileged=True), "SECURITY_CONTEXT_WEAK"),
        (
            security.privileged_containers,
            of_context(allowPrivilegeEscalation=None),
            "SECURITY_CONTEXT_WEAK",
        ),
        (security.capable_containers, of_context(capabilities=None), "SECURITY_CONTEXT_WEAK"),
        (
            security.capable_containers,
            of_context(capabilities={"drop": ["ALL"], "add": ["NET_RAW"]}),
            "SECURITY_CONTEXT_WEAK",
        ),
        (
            security.unfiltered_containers,
            of_pods_context(seccompProfile={"type": "Unconfined"}),
            "SECURITY_CONTEXT_WEAK",
        ),
        (
            security.unlimited_containers,
            of_container(resources={"limits": {"cpu": "1", "memory": "1Gi"}}),
            "RESOURCES_UNSET",
        ),
        (security.exposed_pods, of_pod(hostNetwork=True), "NODE_EXPOSED"),
        (security.exposed_pods, of_pod(hostPID=True), "NODE_EXPOSED"),
        (security.exposed_pods, of_pod(hostIPC=True), "NODE_EXPOSED"),
        (
            security.exposed_pods,
            of_pod(volumes=[{"name": "root", "hostPath": {"path": "/"}}]),
            "NODE_EXPOSED",
        ),
        (security.wrong_api_token, of_container(volumeMounts=[TOKEN]), "API_TOKEN_WRONG"),
    ],
)
def test_each_weakness_is_found_by_its_check_alone(
    check: Callable[..., list[Finding]], change: Change, cause: str
) -> None:
    there = seen(made(), *changed(change))

    assert causes(check(there, WEB)) == [(cause, "web")]
    assert [each for each in CHECKS if each(there, WEB)] == [check]


BASELINE = WEB.model_copy(update={"pod_security": "baseline"})


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (security.privileged_containers, of_context(allowPrivilegeEscalation=None)),
        (security.capable_containers, of_context(capabilities=None)),
        (security.capable_containers, of_context(capabilities={"add": ["NET_BIND_SERVICE"]})),
        (security.unfiltered_containers, of_pods_context(seccompProfile=None)),
    ],
)
def test_baseline_bears_what_a_runtime_gives_by_itself(
    check: Callable[..., list[Finding]], change: Change
) -> None:
    there = seen(made(), *changed(change))

    assert check(there, BASELINE) == []
    assert causes(check(there, WEB)) == [("SECURITY_CONTEXT_WEAK", "web")]


@pytest.mark.parametrize(
    ("check", "change", "said"),
    [
        (security.privileged_containers, of_context(privileged=True), "is privileged"),
        (
            security.capable_containers,
            of_context(capabilities={"drop": ["ALL"], "add": ["NET_RAW"]}),
            "adds capabilities",
        ),
        (
            security.unfiltered_containers,
            of_pods_context(seccompProfile={"type": "Unconfined"}),
            "has no seccomp profile",
        ),
    ],
)
def test_baseline_bears_nothing_more(
    check: Callable[..., list[Finding]], change: Change, said: str
) -> None:
    (found,) = check(seen(made(), *changed(change)), BASELINE)

    assert found.cause == "SECURITY_CONTEXT_WEAK"
    assert found.summary == f"Deployment shop/web: web-b/main {said}"


def test_initialising_containers_count() -> None:
    def initialised(spec: dict[str, Any]) -> None:
        spec["initContainers"] = [{"name": "first"}]

    (found,) = security.writable_roots(seen(made(), *changed(initialised)), WEB)
    assert "web-b/first" in found.summary
    assert "main" not in found.summary


def test_token_that_is_needed_and_lacking_is_found() -> None:
    there = seen(made(), *changed(of_container(volumeMounts=[TOKEN])))
    needing = WEB.model_copy(update={"api_token": True})

    (found,) = security.wrong_api_token(there, needing)
    assert found.cause == "API_TOKEN_MISSING"
    assert not found.meaning.is_policy
    assert "has no token of the API, and needs one" in found.summary
