"""Deploying onto a real cluster: what cannot become ready ends the wait at once, with its cause."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.deploy import deploy, remove
from nova_acceptance.errors import NotReadyError
from nova_acceptance.kube import Kube
from nova_acceptance.progress import Progress

pytestmark = pytest.mark.integration

NAMESPACE = "nova-testing"
LABELS = {
    "app.kubernetes.io/part-of": "nova",
    "app.kubernetes.io/managed-by": "nova-acceptance",
}


def objects(image: str) -> list[dict[str, Any]]:
    """Return a namespace with one workload of that image."""
    selector = {"app.kubernetes.io/name": "probe"}
    pod = {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "probe",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "-c", "import time; time.sleep(3600)"],
            }
        ],
    }
    metadata = {"name": "probe", "namespace": NAMESPACE, "labels": LABELS | selector}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": LABELS},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": selector},
                "template": {"metadata": {"labels": LABELS | selector}, "spec": pod},
            },
        },
    ]


@pytest.fixture(autouse=True)
def _removed(kube: Kube, progress: Progress) -> Iterator[None]:
    yield
    remove(kube, objects("any"), progress)


def test_broken_image_ends_the_wait_early_and_is_named(kube: Kube, progress: Progress) -> None:
    started = time.monotonic()

    with pytest.raises(NotReadyError) as ended:
        deploy(kube, objects("docker.io/nova/base:no-such-tag"), progress=progress)

    assert time.monotonic() - started < timeouts.ROLLOUT / 2
    text = str(ended.value)
    assert "no-such-tag" in text
    assert "probe" in text
    assert ended.value.hint


def test_second_apply_finds_everything_in_place(kube: Kube, progress: Progress) -> None:
    wanted = objects("docker.io/nova/base:1")
    deploy(kube, wanted, progress=progress)
    [before] = kube.list("v1", "Pod", namespace=NAMESPACE)

    deploy(kube, wanted, progress=progress)

    [after] = kube.list("v1", "Pod", namespace=NAMESPACE)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
