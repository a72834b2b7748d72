"""Two runs at once do not disturb each other, and one that is ended anywhere leaves nothing.

`MOMENTS=20` ends a run at as many random moments by each signal; `SEED=…` repeats them.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import project
from nova_acceptance.cluster.lease import KIND, NAME, VERSION
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.cluster.tenure import UNFINISHED
from nova_acceptance.kube import Kube
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report import load
from nova_acceptance.vantage.until import until
from testing.integration.conftest import accept, accepting, kubectl, nova_cluster
from testing.integration.inventory import changes, inventory

pytestmark = pytest.mark.integration

NAMESPACE: Final = "two-redis"
SPEC: Final = "--spec=examples/two-redis/nova.yaml"
MANIFESTS: Final = "--manifests=examples/two-redis/manifests"
VERIFY: Final = (SPEC, "--no-deploy", "-m", "redis")
VERIFY_CALMLY: Final = (SPEC, "--no-deploy", "--probe-pods", "-m", "redis and not disruptive")
DEPLOY: Final = (SPEC, MANIFESTS, "--probe-pods", "-m", "redis and not disruptive")
KEYS: Final = "nova-acceptance:*"

SEED: Final = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
MOMENTS: Final = int(os.environ.get("MOMENTS") or 2)


def ended_anywhere() -> pytest.MarkDecorator:
    """Have a test end a run by each signal at random moments, as parts of a whole run."""
    chosen = random.Random(SEED)  # noqa: S311 - no secret
    cases = [
        pytest.param(sent, moment, id=f"{sent.name}-{moment:.3f}")
        for sent in SIGNALS
        for moment in (chosen.random() for _ in range(MOMENTS))
    ]
    return pytest.mark.parametrize(("sent", "moment"), cases)


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"SEED={SEED}")  # noqa: T201 - shown with a failure


@pytest.fixture(scope="module")
def absent(cluster: Cluster, kube: Kube) -> Iterator[None]:
    """The example is not on the cluster, neither before these tests nor after them."""
    remove(cluster)
    assert kube.get("v1", "Namespace", NAMESPACE) is None
    yield
    remove(cluster)


@pytest.fixture(scope="module")
def deploying(cluster: Cluster, absent: None) -> float:  # noqa: ARG001
    """How long a run takes that deploys and verifies, in seconds."""
    began = time.monotonic()
    run = accept(cluster, *DEPLOY, "--teardown")
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    return time.monotonic() - began


@pytest.fixture(scope="module")
def verifying(cluster: Cluster, deploying: float) -> float:  # noqa: ARG001
    """How long a run takes that verifies what is deployed."""
    run = accept(cluster, SPEC, MANIFESTS, "-m", "redis and not disruptive")
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    began = time.monotonic()
    run = accept(cluster, *VERIFY_CALMLY)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    return time.monotonic() - began


def command(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = nova_cluster(*arguments, kubeconfig=cluster.kubeconfig)
    output, _ = process.communicate(timeout=2 * timeouts.REMOVE)
    return subprocess.CompletedProcess(arguments, process.returncode, output)


def remove(cluster: Cluster) -> None:
    done = command(cluster, "remove", "--yes", "--context", cluster.context, MANIFESTS)
    assert done.returncode == 0, done.stdout


def clean(cluster: Cluster) -> str:
    done = command(cluster, "clean", "--context", cluster.context, SPEC)
    assert done.returncode == 0, done.stdout
    return done.stdout


def end(cluster: Cluster, sent: signal.Signals, after: float, *options: str) -> Path | None:
    """Start a run, end it after some seconds, and return its directory, if it made one.

    No file with a key is left, however it ended.
    """
    reports = project() / "reports"
    before, keys_before = set(reports.glob("2*")), files_of_keys()
    with accepting(cluster, *options) as process:
        time.sleep(after)
        process.send_signal(sent)
        process.communicate(timeout=timeouts.ROLLOUT)
    assert files_of_keys() <= keys_before
    return next(iter(set(reports.glob("2*")) - before), None)


def files_of_keys() -> set[Path]:
    return {
        each for each in Path(tempfile.gettempdir()).glob("nova-acceptance-*") if each.is_file()
    }


def has_deployed(directory: Path | None) -> bool:
    record = directory / "run.jsonl" if directory else None
    return bool(record and record.exists() and '"type": "deployment"' in record.read_text())


def keys(cluster: Cluster) -> list[str]:
    """Return the keys of tests that are in the two Redis."""
    ask = "redis-cli --no-auth-warning {login} --scan --pattern " + repr(KEYS)
    found = ""
    for workload, login in (
        ("statefulset/sessions", "-a example-sessions"),
        ("deployment/cache", ""),
    ):
        asked = ask.format(login=login)
        found += kubectl(cluster, "-n", NAMESPACE, "exec", workload, "--", "sh", "-c", asked)
    return found.split()


@ended_anywhere()
def test_deployment_ended_anywhere_leaves_nothing_after_clean(
    cluster: Cluster, kube: Kube, deploying: float, sent: signal.Signals, moment: float
) -> None:
    assert kube.get("v1", "Namespace", NAMESPACE) is None
    before = inventory(cluster)

    directory = end(cluster, sent, moment * deploying, *DEPLOY)
    said = clean(cluster)

    if has_deployed(directory):
        # What has come to its end is nobody's leftover.
        assert "deployment from nothing" not in said
        assert kube.get("v1", "Namespace", NAMESPACE)
        remove(cluster)
    assert changes(cluster, before) == {}, said
    assert clean(cluster) == "nothing was left over\n"


@ended_anywhere()
def test_verification_ended_anywhere_leaves_nothing_after_clean(
    cluster: Cluster, verifying: float, sent: signal.Signals, moment: float
) -> None:
    before = inventory(cluster)

    end(cluster, sent, moment * verifying, *VERIFY_CALMLY)
    said = clean(cluster)

    assert changes(cluster, before) == {}, said
    assert keys(cluster) == []
    assert clean(cluster) == "nothing was left over\n"


def test_update_that_is_broken_off_is_told_with_the_command_that_completes_it(
    cluster: Cluster,
    kube: Kube,
    verifying: float,  # noqa: ARG001
) -> None:
    before = inventory(cluster)

    def has_begun() -> bool:
        lease = kube.get(VERSION, KIND, NAME, NAMESPACE)
        return bool(lease and UNFINISHED in lease["metadata"]["annotations"])

    with accepting(cluster, *DEPLOY) as process:
        took = until(has_begun, within=timeouts.ROLLOUT, every=0.01)
        process.kill()
        process.communicate(timeout=timeouts.COMMAND_END)
    assert took < timeouts.ROLLOUT
    broken_off = command(cluster, "clean", "--context", cluster.context, SPEC)
    completed = accept(cluster, *DEPLOY)

    assert broken_off.returncode == 1, broken_off.stdout
    assert "left: deployment over what was there by run" in broken_off.stdout
    assert f"complete it: pytest --cluster context:{cluster.context} {SPEC}" in broken_off.stdout
    assert completed.done.returncode == 0, completed.done.stdout[-3000:]
    assert clean(cluster) == "nothing was left over\n"
    assert changes(cluster, before) == {}


def test_two_verifications_at_once_are_both_green(
    cluster: Cluster,
    kube: Kube,
    verifying: float,  # noqa: ARG001
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        runs = [stack.enter_context(accepting(cluster, *VERIFY)) for _ in range(2)]
        outputs = [pool.submit(each.communicate, timeout=2 * timeouts.ROLLOUT) for each in runs]
        errors = [each.result()[1] + each.result()[0] for each in outputs]

    assert [each.returncode for each in runs] == [0, 0], errors
    waits = [[line for line in said.splitlines() if "waiting for run" in line] for said in errors]
    assert sorted(map(bool, waits)) == [False, True], errors
    waited = next(number for number, lines in enumerate(waits) if lines)
    assert f"({runs[1 - waited].pid}), verifying since 20" in waits[waited][0]
    assert kube.get(VERSION, KIND, NAME, NAMESPACE) is None


def test_workers_share_one_lease_and_leave_none(
    cluster: Cluster,
    kube: Kube,
    verifying: float,  # noqa: ARG001
) -> None:
    before = inventory(cluster)

    run = accept(cluster, *VERIFY_CALMLY, "-n", "2")

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert load(run.directory).verdict == "accepted"
    assert kube.get(VERSION, KIND, NAME, NAMESPACE) is None
    assert changes(cluster, before) == {}


def test_run_that_lost_its_lease_kills_no_pod(
    cluster: Cluster,
    kube: Kube,
    verifying: float,  # noqa: ARG001
) -> None:
    pods = {each["metadata"]["uid"] for each in kube.list("v1", "Pod", namespace=NAMESPACE)}
    with accepting(cluster, *VERIFY) as process:
        took = until(
            lambda: kube.get(VERSION, KIND, NAME, NAMESPACE) is not None,
            within=timeouts.ROLLOUT,
        )
        assert took < timeouts.ROLLOUT
        kube.delete(VERSION, KIND, NAME, NAMESPACE)
        output, _ = process.communicate(timeout=timeouts.ROLLOUT)

    assert process.returncode == ExitStatus.REFUSED
    assert "this run holds the system no more" in output
    after = {each["metadata"]["uid"] for each in kube.list("v1", "Pod", namespace=NAMESPACE)}
    assert pods <= after


def test_clean_removes_what_a_killed_test_wrote_and_nothing_else(
    cluster: Cluster,
    verifying: float,  # noqa: ARG001
) -> None:
    def redis(*words: str) -> str:
        login = ("redis-cli", "--no-auth-warning", "-a", "example-sessions")
        where = ("-n", NAMESPACE, "exec", "statefulset/sessions", "--")
        return kubectl(cluster, *where, *login, *words).strip()

    redis("SET", "nova-acceptance:left", "kept")
    redis("SET", "theirs", "kept")

    said = clean(cluster)

    assert said == "removed: key nova-acceptance:left of sessions\n"
    assert redis("GET", "theirs") == "kept"
    assert keys(cluster) == []
    redis("DEL", "theirs")
