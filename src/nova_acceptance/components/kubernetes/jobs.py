"""Jobs: those that have given up, and those that a container beside their program keeps at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.graces import AT_ONCE
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot


def jobs(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Jobs that have failed or cannot end, wherever they are."""
    places = {job["metadata"].get("namespace", "") for job in snapshot.of_kind("Job")}
    for namespace in sorted(places):
        for found in checks.jobs.failed_jobs(snapshot, namespace):
            yield replace(found, grace=AT_ONCE)
        for found in checks.jobs.waiting_jobs(snapshot, namespace):
            yield replace(found, grace=AT_ONCE)


LIVE: Final = (jobs,)
