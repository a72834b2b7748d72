"""Claims that name their class, their number or their delay in an unusual way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from nova_acceptance.components.kubernetes import storage
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from testing.unit.diagnosis.elsewhere import (
    cluster,
    deployment,
    event,
    made,
    readiness,
    said_of,
    stateful_set,
)

CAUSE: Final = ["VOLUME_NOT_MOUNTED"]


def default_class() -> Object:
    word = {"storageclass.kubernetes.io/is-default-class": "true"}
    obj = made("StorageClass", "standard", namespace="", annotations=word)
    return obj | {"provisioner": "example.org/local"}


def claim(name: str, phase: str = "Pending", **spec: Any) -> Object:
    return made("PersistentVolumeClaim", name, {"resources": {}, **spec}, {"phase": phase})


def found(*objects: Object) -> list[Finding]:
    rules = (*storage.BEFOREHAND, *storage.LIVE)
    return [each for rule in rules for each in rule(cluster(*objects))]


UNSET = "no persistent volumes available for this claim and no storage class is set"


@pytest.mark.parametrize(
    ("spec", "cause"),
    [({"storageClassName": ""}, "PROVISIONING_FAILED"), ({}, "DEFAULT_STORAGE_CLASS_MISSING")],
)
def test_claim_that_wants_no_class_lacks_a_volume_and_no_default(
    spec: dict[str, str], cause: str
) -> None:
    waiting = claim("data", **spec)
    said = event(waiting, "FailedBinding", UNSET)

    assert {each.cause for each in found(waiting, said)} == {cause}


def of_ordinals(start: int) -> Object:
    volume = {"metadata": {"name": "data"}, "spec": {"storageClassName": "gone"}}
    return stateful_set("store", ordinals={"start": start}, volumeClaimTemplates=[volume])


@pytest.mark.parametrize(("start", "said"), [(5, []), (4, ["STORAGE_CLASS_MISSING"])])
def test_claims_are_counted_from_the_first_ordinal(start: int, said: list[str]) -> None:
    bound = claim("data-store-5", "Bound", storageClassName="gone", volumeName="volume")

    assert said_of(cluster(of_ordinals(start), bound, default_class())) == said


@pytest.mark.parametrize(
    ("why", "grace"),
    [
        ("failed to sync configmap cache: timed out", 90),
        ('configmaps "conf" is forbidden: no relationship found between node "a" and this', 90),
        ("mount failed: exit status 32", 10),
    ],
)
def test_kubelet_that_has_not_read_a_volumes_content_is_given_time(why: str, grace: int) -> None:
    *owners, its = deployment("web", ready=False)
    its["status"] |= {"phase": "Pending", "conditions": [readiness(False)]}
    message = f'MountVolume.SetUp failed for volume "conf" : {why}'

    (only,) = found(*owners, its, event(its, "FailedMount", message))
    assert (only.cause, only.grace) == ("VOLUME_NOT_MOUNTED", grace)


@pytest.mark.parametrize(
    ("why", "age", "causes"),
    [
        ('secrets "conf" is forbidden: no relationship found between node "a" and this', 5, []),
        ("failed to sync secret cache: timed out waiting for the condition", 60, []),
        ("failed to sync secret cache: timed out waiting for the condition", 120, CAUSE),
        ("mount failed: exit status 32", 5, CAUSE),
    ],
)
def test_one_look_has_as_much_patience_as_a_wait(why: str, age: float, causes: list[str]) -> None:
    *owners, its = deployment("web", ready=False)
    created = datetime.now(UTC) - timedelta(seconds=age)
    its["metadata"]["creationTimestamp"] = f"{created:%Y-%m-%dT%H:%M:%SZ}"
    its["status"] |= {"phase": "Pending", "conditions": [readiness(False)]}
    said = event(its, "FailedMount", f'MountVolume.SetUp failed for volume "conf" : {why}')
    seen = cluster(*owners, its, said)

    assert [each.cause for each in storage.volumes_not_mounted(seen)] == causes
    seen.is_watched = True  # who watches has seen how long it lasts
    assert [each.cause for each in storage.volumes_not_mounted(seen)] == CAUSE
