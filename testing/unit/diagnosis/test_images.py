"""Images that do not come, as kubelets and registries word it."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import images
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import (
    deployment,
    event,
    pod,
    replica_set,
    stuck_pod,
    with_container,
)

IMAGE = "docker.io/nova/service:1"
RESOLVING = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)


def found(*objects: Object) -> list[Finding]:
    snapshot = Snapshot.of([WORKLOAD, OWNER, *objects])
    rules = (*images.BEFOREHAND, *images.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def only(*objects: Object) -> Finding:
    (each,) = found(*objects)
    return each


def test_pod_that_runs_has_its_image() -> None:
    assert found(pod("user-service-x", OWNER)) == []


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", "CrashLoopBackOff"])
def test_other_waiting_is_no_matter_of_images(reason: str) -> None:
    assert found(stuck_pod(OWNER, reason)) == []


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("ErrImageNeverPull", "IMAGE_NOT_PRESENT"), ("InvalidImageName", "IMAGE_NAME_INVALID")],
)
def test_image_that_is_never_pulled_is_lost_at_once(reason: str, cause: str) -> None:
    each = only(stuck_pod(OWNER, reason, "Container image is not present"))

    assert (each.cause, each.grace, each.container) == (cause, 0, "main")
    assert str(each.subject) == "Deployment nova-services/user-service"


@pytest.mark.parametrize(
    ("said", "what", "grace"),
    [
        (f"rpc error: code = NotFound desc = {RESOLVING}{IMAGE}: not found", "no such image", 0),
        ("manifest for nova/service:1 not found: manifest unknown", "no such image", 0),
        (f"{RESOLVING}pull access denied, repository does not exist", "credentials", 0),
        (f"{RESOLVING}unexpected status from HEAD request: 401 Unauthorized", "credentials", 0),
        (f"{RESOLVING}dial tcp: lookup registry-1.docker.io: no such host", "name is not known", 0),
        (f"{RESOLVING}dial tcp 10.0.0.1:443: connect: connection refused", "be reached", 0),
        (f"{RESOLVING}tls: failed to verify certificate: x509: unknown authority", "trusted", 0),
        (f"{RESOLVING}dial tcp: lookup r.io on 172.18.0.1:53: i/o timeout", "be asked for", 10),
        (f"{RESOLVING}dial tcp 34.1.2.3:443: i/o timeout", "does not answer", 30),
        (f"{RESOLVING}429 Too Many Requests: toomanyrequests: rate limit", "no more for now", 30),
        (f"{RESOLVING}no match for platform in manifest: not found", "platform", 0),
    ],
)
def test_pull_is_judged_by_what_the_registry_said(said: str, what: str, grace: float) -> None:
    stuck = stuck_pod(OWNER, "ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')
    each = only(stuck, event(stuck, "Failed", f'Failed to pull image "{IMAGE}": {said}'))

    assert (each.cause, each.grace) == ("IMAGE_PULL", grace)
    assert what in each.summary
    assert IMAGE in each.summary


def test_newer_kubelets_say_it_in_the_state_itself() -> None:
    message = f'Back-off pulling image "{IMAGE}": ErrImagePull: {RESOLVING}{IMAGE}: not found'

    assert "no such image" in only(stuck_pod(OWNER, "ImagePullBackOff", message)).summary


def test_image_may_be_named_like_an_answer() -> None:
    odd = stuck_pod(OWNER, "ImagePullBackOff", "Back-off pulling image", image="unauthorized:1")
    said = event(odd, "Failed", 'Failed to pull image "unauthorized:1": manifest unknown')

    assert "no such image" in only(odd, said).summary


def test_pull_that_may_yet_succeed_is_named_but_not_believed() -> None:
    stuck = stuck_pod(OWNER, "ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')
    failed = event(stuck, "Failed", f'Failed to pull image "{IMAGE}": 503 Service Unavailable')

    assert only(stuck, failed).grace is None


def test_first_failed_pull_is_given_another_try() -> None:
    assert only(stuck_pod(OWNER, "ErrImagePull", f"{RESOLVING}{IMAGE}: not found")).grace == 10


def test_missing_pull_secret_is_the_cure() -> None:
    stuck = stuck_pod(OWNER, "ImagePullBackOff", "401 Unauthorized")
    said = (
        "Unable to retrieve some image pull secrets (regcred); attempting to pull may not succeed"
    )
    each = only(stuck, event(stuck, "FailedToRetrieveImagePullSecret", said))

    assert "regcred" in each.cure


def test_init_container_is_judged_as_well() -> None:
    stuck = stuck_pod(OWNER, "PodInitializing")
    stuck["status"]["initContainerStatuses"] = [
        {"name": "init", "state": {"waiting": {"reason": "ErrImageNeverPull", "message": "m"}}}
    ]

    assert only(stuck).container == "init"


def test_pods_of_an_older_revision_are_not_judged() -> None:
    older = replica_set(WORKLOAD, "0")

    assert found(older, stuck_pod(older, "ErrImageNeverPull", "not present")) == []


def test_pod_under_deletion_is_not_judged() -> None:
    leaving = stuck_pod(OWNER, "ErrImageNeverPull", "not present")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T14:22:00Z"

    assert found(leaving) == []


def test_event_about_an_earlier_pod_of_the_name_does_not_count() -> None:
    stuck = stuck_pod(OWNER, "ImagePullBackOff", "")
    failed = event(stuck, "Failed", f'Failed to pull image "{IMAGE}": not found')
    failed["involvedObject"]["uid"] = "uid-of-its-predecessor"

    assert only(stuck, failed).grace is None


@pytest.mark.parametrize(
    "image", ["nova", "nova:1", "r.io:5000/a/b-c_d:v1.2", f"nova@sha256:{'0' * 64}", "R.io/nova"]
)
def test_image_name_is_accepted(image: str) -> None:
    workload = with_container(deployment(readyReplicas=0), image=image)

    assert list(images.image_names_invalid(Snapshot.of([workload]))) == []


@pytest.mark.parametrize("image", ["Nova:1", "nova:1 ", "docker.io/nova/:1", "nova:", "-nova"])
def test_image_name_that_cannot_be_one_is_found_beforehand(image: str) -> None:
    workload = with_container(deployment(readyReplicas=0), image=image)
    (each,) = images.image_names_invalid(Snapshot.of([workload]))

    assert each.cause == "IMAGE_NAME_INVALID"
