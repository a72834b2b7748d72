"""The suite as a pod of the cluster: it says what a run from outside says, whole or in shards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import Home, project
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.cluster.suite import suite_image
from nova_acceptance.kube import Kube, Object
from nova_acceptance.progress import Progress
from nova_acceptance.report import Outcome, Run, load
from nova_acceptance.vantage.until import until
from testing.integration.conftest import Accepted, kubectl

pytestmark = pytest.mark.integration

NAMESPACE = "nova-acceptance"
DEPLOY = project() / "deploy" / "in-cluster"
NUMBERS_PODS = (1, 22)
"""The first Kubernetes whose Jobs number their pods unasked."""
READER = "pod/reports"


@dataclass(frozen=True)
class Inside:
    """The suite in the cluster, and what its Jobs came to.

    Attributes:
        nightly: the run of the CronJob's Job.
        merged: that of three shards, put together by the last of them.
        states: what the API says of each Job.
    """

    nightly: Run
    merged: Run
    states: dict[str, Object]


@pytest.fixture(scope="module")
def loaded(provider: Provider, cluster: Cluster, progress: Progress) -> None:
    """The image of the suite, on every node."""
    with suite_image(Home.of_user(), progress) as image:
        provider.load((image,), cluster.name)


@pytest.fixture(scope="module")
def variant(kube: Kube) -> Callable[[str], Path]:
    """The kustomization of this cluster's version."""
    numbers = re.match(r"v(\d+)\.(\d+)", kube.server_version)
    assert numbers
    of_old = {
        "nightly": not kube.serves("batch/v1", "CronJob"),
        "sharded": tuple(map(int, numbers.groups())) < NUMBERS_PODS,
    }

    def directory(name: str) -> Path:
        return DEPLOY / "kubernetes-1.20" / name if of_old.get(name) else DEPLOY / name

    return directory


@pytest.fixture(scope="module")
def inside(
    *,
    cluster: Cluster,
    kube: Kube,
    accepted: Accepted,  # noqa: ARG001
    loaded: None,  # noqa: ARG001
    variant: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Inside]:
    """Both Jobs, run to their ends one after the other, and their reports, copied from there."""
    made = [variant(name) for name in ("nightly", "sharded", "reader")]
    try:
        kubectl(cluster, "apply", "-k", str(made[0]))
        states = {"nightly": ended(kube, started_by_hand(kube))}
        kubectl(cluster, "apply", "-k", str(made[1]))
        states["sharded"] = ended(kube, "nova-acceptance-sharded")
        kubectl(cluster, "apply", "-k", str(made[2]))
        ready = f"--timeout={timeouts.ROLLOUT:.0f}s"
        kubectl(cluster, "wait", "-n", NAMESPACE, "--for=condition=Ready", READER, ready)
        reports = tmp_path_factory.mktemp("inside") / "reports"
        kubectl(cluster, "cp", f"{NAMESPACE}/reports:reports", str(reports))
        runs = [load(path.parent) for path in sorted(reports.glob("2*/run.jsonl"))]
        nightly, merged = runs
        yield Inside(nightly, merged, states)
    finally:
        for directory in reversed(made):
            kubectl(cluster, "delete", "--ignore-not-found", "-k", str(directory))


def started_by_hand(kube: Kube) -> str:
    """Do as `kubectl create job --from=cronjob/…`, which knows no CronJob of 1.20 any more."""
    versions = ("batch/v1", "batch/v1beta1")
    version = next(each for each in versions if kube.serves(each, "CronJob"))
    cronjob = kube.get(version, "CronJob", "nova-acceptance", NAMESPACE)
    assert cronjob
    template = cronjob["spec"]["jobTemplate"]
    name = "nova-acceptance-by-hand"
    metadata = {**template.get("metadata", {}), "name": name, "namespace": NAMESPACE}
    kube.apply(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}
    )
    return name


def ended(kube: Kube, name: str) -> Object:
    """Return a Job that has come to its end, one way or the other."""
    job: Object = {}

    def has_ended() -> bool:
        job.update(kube.get("batch/v1", "Job", name, NAMESPACE) or {})
        conditions = (job.get("status") or {}).get("conditions") or ()
        return any(each["type"] in {"Complete", "Failed"} for each in conditions)

    took = until(has_ended, within=timeouts.ROLLOUT)
    assert took <= timeouts.ROLLOUT, f"{name} did not end: {job.get('status')}"
    return job


def verdicts(run: Run) -> dict[str, Outcome]:
    return {test.nodeid: test.outcome for test in run.tests}


def said(job: Object) -> str:
    return json.dumps(job["status"])


def test_job_of_the_cronjob_says_what_a_run_from_outside_says(
    inside: Inside, accepted: Accepted
) -> None:
    outside = load(accepted.directory)

    assert inside.states["nightly"]["status"].get("succeeded") == 1, said(inside.states["nightly"])
    assert (inside.nightly.verdict, inside.nightly.exit_status) == ("accepted", 0)
    assert verdicts(inside.nightly) == verdicts(outside)
    assert inside.nightly.cluster["provider"] == "in-cluster"
    assert inside.nightly.topology.nodes == outside.topology.nodes
    assert inside.nightly.manifests.digest == outside.manifests.digest


def test_three_shards_that_are_merged_say_what_one_run_says(inside: Inside) -> None:
    one, merged = inside.nightly, inside.merged

    assert inside.states["sharded"]["status"].get("succeeded") == 3, said(inside.states["sharded"])
    assert "merged from 1-of-3, 2-of-3, 3-of-3" in merged.notes
    assert (merged.verdict, merged.exit_status) == ("accepted", 0)
    assert verdicts(merged) == verdicts(one)
    assert merged.problems == ()
    assert merged.deselected == one.deselected
    assert merged.causes == one.causes == ()
    of_reports = {"keep-runs": one.options["keep-runs"]}  # the nightly run's alone
    assert {**merged.options, **of_reports} == one.options
    assert merged.counts == one.counts
