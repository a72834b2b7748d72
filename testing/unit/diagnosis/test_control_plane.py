"""What is written and looked at by no controller."""

from __future__ import annotations

from nova_acceptance.components.kubernetes import control_plane
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.elsewhere import job
from testing.unit.diagnosis.recorded import deployment, stateful_set


def changed(workload: Object) -> Object:
    workload["metadata"]["generation"] = workload["status"]["observedGeneration"] + 1
    return workload


def test_change_that_no_controller_has_seen_is_the_cause() -> None:
    one, other = changed(deployment()), changed(stateful_set())

    first, *_ = Doctor(Snapshot.of([one, other])).explain([ref(one), ref(other)]).causes

    assert first.root.cause == "CONTROLLERS_SILENT"
    assert {symptom.cause for symptom in first.symptoms} == {"WORKLOAD_NOT_READY"}
    assert len(first.root.evidence) == 2


def test_workload_that_was_never_seen_is_found() -> None:
    fresh = deployment()
    fresh["status"] = {}

    (found,) = control_plane.controllers_silent(Snapshot.of([fresh]))

    assert "observed never" in found.evidence[0]


def test_workload_that_was_seen_is_no_finding() -> None:
    seen = [deployment(), stateful_set(), job({"active": 1})]

    assert not list(control_plane.controllers_silent(Snapshot.of(seen)))
