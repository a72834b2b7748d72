"""Pods for which an autoscaler brings a node."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import scheduling
from nova_acceptance.kube import Object
from testing.unit.diagnosis.elsewhere import cluster, deployment, event


def unplaced() -> list[Object]:
    """Return a Deployment that wants nodes of a label that none has yet, and its pod."""
    *owners, its = deployment("train", ready=False, nodeSelector={"gpu": "yes"})
    del its["spec"]["nodeName"]
    message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    its["status"] = {"phase": "Pending", "conditions": [{**condition, "message": message}]}
    return [*owners, its]


def graces(*objects: Object) -> list[float | None]:
    rules = (*scheduling.BEFOREHAND, *scheduling.LIVE)
    return [each.grace for rule in rules for each in rule(cluster(*objects))]


@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_nothing_that_is_awaited_ends_a_wait(reason: str) -> None:
    *owners, its = unplaced()

    assert set(graces(*owners, its, event(its, reason, "a node is coming"))) == {None}


def test_what_nobody_brings_ends_a_wait() -> None:
    *owners, its = unplaced()

    assert None not in graces(*owners, its, event(its, "NotTriggerScaleUp", "no group fits"))
