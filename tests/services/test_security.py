"""The security posture of every container, from the pods as they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_acceptance.claims import broken
from nova_acceptance.components.kubernetes.pod_specs import containers, security_context
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.kube import Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Workload
from nova_acceptance.vantage.witness import Witness

pytestmark = pytest.mark.security

HOST = ("hostNetwork", "hostPID", "hostIPC")


@pytest.fixture
def pods(objects: Seen, workload: Workload, witness: Witness) -> list[Object]:
    """The workload's pods, as they run."""
    found = objects.pods_of(workload)
    if not found:
        said = Phrase("{workload} has no pod", workload=workload.name)
        raise broken("WORKLOAD_NOT_READY", said)
    for name, context in contexts(found):
        with witness.asking("security context", source="runner", target=name) as asking:
            asking.answered(", ".join(f"{key} {context[key]}" for key in sorted(context)))
    return found


def contexts(pods: list[Object]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each container's name and its effective security context."""
    for pod in pods:
        for container in containers(pod):
            name = f"{pod['metadata']['name']}/{container['name']}"
            yield name, security_context(pod, container)


@pytest.mark.means("SECURITY_CONTEXT_WEAK")
def test_container_does_not_run_as_root(pods: list[Object]) -> None:
    """The kubelet is told to refuse root, and the user is a number that is not root's."""
    wrong = [
        name
        for name, context in contexts(pods)
        if not (context.get("runAsNonRoot") is True and context.get("runAsUser", 0) > 0)
    ]

    assert wrong == []


@pytest.mark.means("SECURITY_CONTEXT_WEAK")
def test_container_has_a_read_only_root(pods: list[Object]) -> None:
    """No container can change its own image's files."""
    wrong = [n for n, c in contexts(pods) if c.get("readOnlyRootFilesystem") is not True]

    assert wrong == []


@pytest.mark.means("SECURITY_CONTEXT_WEAK")
def test_container_cannot_gain_privileges(pods: list[Object]) -> None:
    """No container is privileged or may become so."""
    wrong = [
        name
        for name, context in contexts(pods)
        if context.get("privileged") or context.get("allowPrivilegeEscalation") is not False
    ]

    assert wrong == []


@pytest.mark.means("SECURITY_CONTEXT_WEAK")
def test_container_has_no_capabilities(pods: list[Object]) -> None:
    """All capabilities are dropped and none is added."""
    wrong = [
        name
        for name, context in contexts(pods)
        if (capabilities := context.get("capabilities") or {}).get("drop") != ["ALL"]
        or capabilities.get("add")
    ]

    assert wrong == []


@pytest.mark.means("SECURITY_CONTEXT_WEAK")
def test_container_has_a_seccomp_profile(pods: list[Object]) -> None:
    """The runtime's own system call filter is at work."""
    wrong = [
        name
        for name, context in contexts(pods)
        if (context.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost")
    ]

    assert wrong == []


@pytest.mark.means("RESOURCES_UNSET")
def test_container_has_requests_and_limits(pods: list[Object]) -> None:
    """The scheduler knows what each container needs, and the kernel where it must stop."""
    wrong = [
        f"{pod['metadata']['name']}/{container['name']}"
        for pod in pods
        for container in containers(pod)
        for part in ("requests", "limits")
        if not {"cpu", "memory"} <= set((container.get("resources") or {}).get(part) or {})
    ]

    assert wrong == []


@pytest.mark.means("NODE_EXPOSED")
def test_pod_shares_nothing_with_its_node(pods: list[Object]) -> None:
    """No pod sees its node's network, processes or file system."""
    wrong = [
        pod["metadata"]["name"]
        for pod in pods
        if any(pod["spec"].get(key) for key in HOST)
        or any("hostPath" in volume for volume in pod["spec"].get("volumes") or [])
    ]

    assert wrong == []


@pytest.mark.means("API_TOKEN_WRONG")
def test_pod_holds_an_api_token_only_where_it_needs_one(
    pods: list[Object], workload: Workload
) -> None:
    """A token of the Kubernetes API is mounted only where nova.yaml says."""
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    mounted = {
        any(mount["mountPath"] == path for mount in container.get("volumeMounts") or [])
        for pod in pods
        for container in containers(pod)
    }

    assert mounted == {workload.api_token}
