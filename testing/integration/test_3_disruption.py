"""A pod whose data would not outlive it is not killed, and the data are there afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest

from nova_acceptance.cluster.model import Cluster
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report import Outcome, load
from testing.integration.conftest import accept
from testing.integration.test_3_examples import EXAMPLES, applied

pytestmark = pytest.mark.integration

NAMESPACE = "kept-redis"
POD = PodRef(NAMESPACE, "sessions-0")
CLAIM = "data-sessions-0"
REDIS = 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli "$@"'


@dataclass(frozen=True)
class Stored:
    """The example's Redis with a value in it.

    Attributes:
        kube: the API.
        spec: its nova.yaml.
        uid: that of its pod.
    """

    kube: Kube
    spec: Path
    uid: str

    def ask(self, *words: str) -> str:
        """Return what Redis answers inside its pod."""
        done = self.kube.exec(POD, ["sh", "-c", REDIS, "sh", *words], container="sessions")
        return done.stdout.strip()

    @property
    def pod(self) -> Object:
        """Its pod, as it is now."""
        found = self.kube.get("v1", "Pod", POD.name, NAMESPACE)
        assert found is not None
        return found


def two_redis(into: Path, namespace: str) -> Path:
    """Return a copy of `examples/two-redis` that is in another namespace."""
    for name in ("two-redis", "parts"):
        copytree(EXAMPLES / name, into / name)
    for path in (into / "two-redis").rglob("*.yaml"):
        text = path.read_text("utf-8")
        for before in ("namespace: ", "name: ", "."):
            text = text.replace(f"{before}two-redis\n", f"{before}{namespace}\n")
        path.write_text(text.replace(".two-redis.svc", f".{namespace}.svc"), "utf-8")
    return into / "two-redis"


@pytest.fixture(scope="module")
def stored(
    cluster: Cluster, kube: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stored]:
    """`examples/two-redis` in a namespace of this module's own."""
    copied = two_redis(tmp_path_factory.mktemp("examples"), NAMESPACE)
    with applied(cluster, copied / "manifests"):
        uid = (kube.get("v1", "Pod", POD.name, NAMESPACE) or {})["metadata"]["uid"]
        found = Stored(kube, copied / "nova.yaml", uid)
        assert found.ask("SET", "kept", "since before") == "OK"
        yield found


State = Callable[[Stored], AbstractContextManager[None]]
"""Puts something in that speaks against the deed."""


@contextmanager
def nothing_saved(stored: Stored) -> Iterator[None]:
    stored.ask("CONFIG", "SET", "appendonly", "no")
    try:
        yield
    finally:
        stored.ask("CONFIG", "SET", "appendonly", "yes")


@contextmanager
def budget(stored: Stored) -> Iterator[None]:
    kube = stored.kube
    version = next(
        v for v in ("policy/v1", "policy/v1beta1") if kube.serves(v, "PodDisruptionBudget")
    )
    kube.apply(
        {
            "apiVersion": version,
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "sessions", "namespace": NAMESPACE},
            "spec": {
                "minAvailable": 1,
                "selector": {"matchLabels": {"app.kubernetes.io/name": "sessions"}},
            },
        }
    )
    try:
        yield
    finally:
        kube.delete(version, "PodDisruptionBudget", "sessions", NAMESPACE)


@contextmanager
def claim_deleted(stored: Stored) -> Iterator[None]:
    # It cannot be taken back; the module's last.
    stored.kube.delete("v1", "PersistentVolumeClaim", CLAIM, NAMESPACE)
    yield


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (nothing_saved, "neither appends its writes nor saves"),
        (budget, "PodDisruptionBudget kept-redis/sessions"),
        (claim_deleted, f"PersistentVolumeClaim kept-redis/{CLAIM} is being deleted"),
    ],
)
def test_deed_does_not_start_and_the_data_are_there(
    cluster: Cluster, stored: Stored, state: State, reason: str
) -> None:
    with state(stored):
        run = accept(
            cluster,
            "--no-deploy",
            "--allow-disruptive",
            f"--spec={stored.spec}",
            "-m",
            "disruptive",
        )
        there, value = stored.pod, stored.ask("GET", "kept")

    found = load(run.directory)
    assert run.done.returncode == ExitStatus.NOT_ASKED, run.done.stdout[-3000:]
    (test,) = found.tests
    assert test.outcome is Outcome.NOT_ASKED
    assert reason in str(test.why_not)
    assert there["metadata"]["uid"] == stored.uid
    assert "deletionTimestamp" not in there["metadata"]
    assert value == "since before"


def test_claim_that_is_being_deleted_is_named(cluster: Cluster, stored: Stored) -> None:
    with claim_deleted(stored):
        run = accept(cluster, "--no-deploy", f"--spec={stored.spec}", "-m", "storage and infra")

    found = load(run.directory)
    causes = {(each.cause, each.subject) for each in found.causes}
    assert ("CLAIM_TERMINATING", f"PersistentVolumeClaim {NAMESPACE}/{CLAIM}") in causes
    assert run.done.returncode == pytest.ExitCode.TESTS_FAILED
