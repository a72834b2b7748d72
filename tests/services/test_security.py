"""The security posture of every container, from the pods as they run."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.system import Workload
from nova_acceptance.vantage.transcript import Transcript

pytestmark = pytest.mark.security


@pytest.fixture(autouse=True)
def _contexts(objects: Seen, request: pytest.FixtureRequest, transcript: Transcript) -> None:
    """Take down the security context of every container of the workload."""
    (workload,) = request.node.callspec.params.values()
    for name, context in checks.security.contexts(objects, workload):
        with transcript.asking("security context", source="runner", target=name) as asking:
            asking.answered(", ".join(f"{key} {context[key]}" for key in sorted(context)))


def test_container_does_not_run_as_root(objects: Seen, restricted_workload: Workload) -> None:
    """The kubelet is told to refuse root, and the user is a number that is not root's."""
    assert checks.security.root_containers(objects, restricted_workload) == []


def test_container_has_a_read_only_root(objects: Seen, restricted_workload: Workload) -> None:
    """No container can change its own image's files."""
    assert checks.security.writable_roots(objects, restricted_workload) == []


def test_container_cannot_gain_privileges(objects: Seen, workload: Workload) -> None:
    """No container is privileged, and at the level `restricted` none may become so."""
    assert checks.security.privileged_containers(objects, workload) == []


def test_container_has_no_capabilities(objects: Seen, workload: Workload) -> None:
    """All capabilities are dropped and none is added; at `baseline`, none beyond the usual ones."""
    assert checks.security.capable_containers(objects, workload) == []


def test_container_has_a_seccomp_profile(objects: Seen, workload: Workload) -> None:
    """The runtime's own system call filter is at work; at `baseline`, it is not refused."""
    assert checks.security.unfiltered_containers(objects, workload) == []


def test_container_has_requests_and_limits(objects: Seen, workload: Workload) -> None:
    """The scheduler knows what each container needs, and the kernel where it must stop."""
    assert checks.security.unlimited_containers(objects, workload) == []


def test_pod_shares_nothing_with_its_node(objects: Seen, workload: Workload) -> None:
    """No pod sees its node's network, processes or file system."""
    assert checks.security.exposed_pods(objects, workload) == []


def test_pod_holds_an_api_token_only_where_it_needs_one(objects: Seen, workload: Workload) -> None:
    """A token of the Kubernetes API is mounted only where nova.yaml says."""
    assert checks.security.wrong_api_token(objects, workload) == []
