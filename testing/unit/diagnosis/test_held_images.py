"""An image that is on the node, however its name is written, and is pulled all the same."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import held_images, images
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.elsewhere import deployment, made, readiness

DIGEST = f"sha256:{'5e' * 32}"
REFUSED = "failed to do request: dial tcp 10.9.8.7:443: connect: connection refused"


def node(*names: str, name: str = "node", others: int = 1) -> Object:
    """Return a node that lists an image by these names, and others."""
    listed: list[dict[str, Any]] = [{"names": list(names)}] if names else []
    listed += [{"names": [f"example.org/other-{n}:1"]} for n in range(others)]
    return made("Node", name, {}, {"images": listed}, namespace="")


def waiting(image: str, reason: str, policy: str | None, said: str = REFUSED) -> list[Object]:
    """Return a Deployment whose pod waits for an image."""
    container = {"name": "main", "image": image}
    if policy:
        container["imagePullPolicy"] = policy
    workload, replicas, its = deployment("ledger", container, ready=False)
    state = {"waiting": {"reason": reason, "message": said}}
    its["status"] |= {"phase": "Pending", "conditions": [readiness(False)]}
    its["status"]["containerStatuses"] = [
        {"name": "main", "image": image, "ready": False, "restartCount": 0, "state": state}
    ]
    return [workload, replicas, its]


def only(*objects: Object) -> Finding:
    (found,) = images.images_absent(Snapshot.of(objects))
    return found


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("redis:7", "docker.io/library/redis:7"),
        ("library/redis:7", "redis:7"),
        ("index.docker.io/redis:7", "docker.io/library/redis:7"),
        ("acme/ledger:3", "docker.io/acme/ledger:3"),
        ("docker.io/acme/ledger:3", "acme/ledger:3"),
        ("localhost/ledger", "localhost/ledger:latest"),
        ("localhost:5000/a/ledger:3", "localhost:5000/a/ledger:3"),
        (f"acme/ledger@{DIGEST}", f"docker.io/acme/ledger@{DIGEST}"),
        (f"acme/ledger:3@{DIGEST}", f"docker.io/acme/ledger@{DIGEST}"),
    ],
)
def test_image_is_the_same_however_it_is_written(asked: str, listed: str) -> None:
    assert held_images.is_held(node(listed), asked) is True


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("redis:7", "docker.io/library/redis:6"),
        ("redis", "docker.io/bitnami/redis:latest"),
        ("quay.io/redis:7", "docker.io/library/redis:7"),
        ("localhost:5000/ledger:3", "localhost/ledger:3"),
        (f"acme/ledger@{DIGEST}", "docker.io/acme/ledger:3"),
        ("acme/ledger", "docker.io/acme/ledger:<none>"),
    ],
)
def test_other_image_is_not_taken_for_it(asked: str, listed: str) -> None:
    assert held_images.is_held(node(listed), asked) is False


@pytest.mark.parametrize("seen", [None, node("a:1", others=49), made("Node", "node", {}, {})])
def test_absence_is_not_known_of_a_node_that_does_not_tell_all(seen: Object | None) -> None:
    assert held_images.is_held(seen, "acme/ledger:3") is None


@pytest.mark.parametrize(
    ("container", "policy"),
    [
        ({"image": "ledger"}, "Always"),
        ({"image": "r.example:5000/ledger"}, "Always"),
        ({"image": "ledger:latest"}, "Always"),
        ({"image": "ledger:3"}, "IfNotPresent"),
        ({"image": f"ledger@{DIGEST}"}, "IfNotPresent"),
        ({"image": "ledger:latest", "imagePullPolicy": "Never"}, "Never"),
    ],
)
def test_policy_that_nobody_has_written_follows_from_the_tag(
    container: dict[str, str], policy: str
) -> None:
    assert held_images.policy_of(container) == policy


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
@pytest.mark.parametrize("said", [REFUSED, "no such host", "unauthorized", "something new"])
def test_policy_is_the_cause_where_the_node_has_the_image(reason: str, said: str) -> None:
    found = only(*waiting("acme/ledger:3", reason, "Always", said), node("acme/ledger:3"))

    assert (found.cause, str(found.subject)) == ("IMAGE_PULL_DEMANDED", "Deployment app/ledger")
    assert found.container == "main"
    assert "container main: acme/ledger:3 is on the node node" in found.summary
    assert found.cure == (
        "set `imagePullPolicy: IfNotPresent` for container main of Deployment app/ledger"
    )
    assert any(said in line for line in found.evidence)


@pytest.mark.parametrize("image", ["acme/ledger", "acme/ledger:latest"])
@pytest.mark.parametrize("policy", [None, "Always"])
def test_image_without_a_tag_of_its_own_is_told_so(image: str, policy: str | None) -> None:
    held = node("docker.io/acme/ledger:latest")
    found = only(*waiting(image, "ImagePullBackOff", policy), held)

    assert found.cause == "IMAGE_PULL_DEMANDED"
    assert "or give" in found.cure
    assert "with `latest`, the policy is Always" in found.cure


def test_policy_that_the_cluster_adds_is_not_the_workloads() -> None:
    workload, replicas, its = waiting("acme/ledger:3", "ImagePullBackOff", "IfNotPresent")
    its["spec"]["containers"] = [{**its["spec"]["containers"][0], "imagePullPolicy": "Always"}]
    found = only(workload, replicas, its, node("acme/ledger:3"))

    assert found.cause == "IMAGE_PULL_DEMANDED"
    assert "AlwaysPullImages" in found.cure


@pytest.mark.parametrize(
    "nodes",
    [[], [node()], [node(others=50)], [node("acme/ledger:3", name="another")]],
    ids=["unread", "listed", "cut", "elsewhere"],
)
def test_image_of_which_the_node_is_not_known_to_have_it_cannot_be_pulled(
    nodes: list[Object],
) -> None:
    found = only(*waiting("acme/ledger:3", "ImagePullBackOff", "Always"), *nodes)

    assert found.cause == "IMAGE_PULL"
    assert "on the node" not in found.summary


def test_image_that_is_there_and_not_asked_for_is_not_the_policys_matter() -> None:
    waits = waiting("acme/ledger:3", "ImagePullBackOff", "IfNotPresent")

    assert only(*waits, node("acme/ledger:3")).cause == "IMAGE_PULL"


def test_signature_that_is_refused_is_not_the_policys_matter() -> None:
    waits = waiting("acme/ledger:3", "SignatureValidationFailed", "Always", "unsigned")

    assert only(*waits, node("acme/ledger:3")).cause == "IMAGE_PULL"


def test_image_that_is_never_pulled_is_told_with_who_has_it() -> None:
    waits = waiting("acme/ledger:3", "ErrImageNeverPull", "Never", "not present")
    found = only(*waits, node(), node("acme/ledger:3", name="far"))

    assert found.cause == "IMAGE_NOT_PRESENT"
    assert "acme/ledger:3 is not on the node node, and imagePullPolicy is Never" in found.summary
    assert "Node far has it" in found.evidence
    assert "load acme/ledger:3 onto node" in found.cure
    assert "container main of Deployment app/ledger" in found.cure


@pytest.mark.parametrize("there", ["docker.io/acme/ledger:2", "localhost/acme/ledger:3"])
def test_what_the_node_has_under_another_name_is_said(there: str) -> None:
    waits = waiting("acme/ledger:3", "ErrImageNeverPull", "Never", "not present")
    found = only(*waits, node(there))

    assert f"the node has {there}" in found.summary
    assert there in found.cure


def test_nothing_is_said_of_a_node_that_may_not_be_read() -> None:
    found = only(*waiting("acme/ledger:3", "ErrImageNeverPull", "Never", "not present"))

    assert "the node has" not in found.summary
    assert not any("has it" in line for line in found.evidence)
