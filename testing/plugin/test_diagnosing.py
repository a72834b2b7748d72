"""A failure says its cause in its first line, everywhere where it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

# Kept loaded here, as in conftest.py.
import nova_acceptance.collect
import nova_acceptance.verification.examiner  # noqa: F401
from nova_acceptance.plugin.exits import ExitStatus

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

CHECKED = """
import pytest
from nova_acceptance.checks import check
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase

@check
def persistence_off():
    yield Finding.here("REDIS_PERSISTENCE_OFF", Phrase("appendonly is {said}", said="no"))

@pytest.mark.component("redis")
def test_redis_is_append_only():
    assert persistence_off() == []

@pytest.mark.component("redis")
def test_redis_that_crashed():
    raise RuntimeError("odd")
"""

LOOKED_AT = """
import sys
import pytest
from nova_acceptance.kube.snapshot import Snapshot

def pod():
    owner = {"kind": "StatefulSet", "name": "redis", "uid": "u"}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "redis-0", "namespace": "nova-redis", "uid": "p",
                     "ownerReferences": [owner]},
        "spec": {"containers": [{"name": "redis"}]},
        "status": {"phase": "Pending", "containerStatuses": [{
            "name": "redis", "image": "redis:nope", "restartCount": 0, "lastState": {},
            "state": {"waiting": {"reason": "InvalidImageName", "message": "no <b>such</b> name"}},
        }]},
    }

def redis():
    spec = {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": []}}}
    return {
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "redis", "namespace": "nova-redis", "uid": "u", "generation": 1},
        "spec": spec, "status": {"observedGeneration": 1},
    }

def look(kube, namespaces, system):
    seen = Snapshot(system=system)
    for obj in (redis(), pod()):
        seen.update("ADDED", obj)
    return seen

@pytest.fixture(scope="session", autouse=True)
def attached(diagnosis):
    sys.modules[type(diagnosis).__module__].look = look
    diagnosis.attach("an API")
"""


def failures(suite: Suite) -> list[dict[str, Any]]:
    return [e for e in suite.record if e["type"] == "phase" and e["outcome"] == "failed"]


def test_check_that_finds_something_names_its_cause(suite: Suite) -> None:
    suite.write("tests/infrastructure/test_a.py", CHECKED)

    result = suite.run("-rf")

    found, crashed = failures(suite)
    headline = found["message"]
    assert headline.startswith("REDIS_PERSISTENCE_OFF: ")
    assert " → set `appendonly yes`" in headline
    assert found["text"].startswith(headline)
    assert found["diagnosis"]["subject"] == "StatefulSet nova-redis/redis"
    assert found["diagnosis"]["told"]["summary"]["values"] == {"said": "no"}
    assert "diagnosis" not in crashed
    result.stdout.fnmatch_lines(["REDIS_PERSISTENCE_OFF: * → *", "*1 found*"])
    result.stdout.fnmatch_lines(["FAILED *::test_redis_is_append_only - REDIS_PER*"])
    failure = ET.fromstring(suite.junit()).find(".//failure")  # noqa: S314 - our own file
    assert failure is not None
    assert failure.get("message") == headline


def test_error_that_says_what_came_back_is_shown_without_the_way_to_it(suite: Suite) -> None:
    suite.write(
        "tests/infrastructure/test_a.py",
        """
import psycopg
import pytest

def asked_by_a_client():
    said = 'FATAL:  password authentication failed for user "app_user"'
    raise psycopg.OperationalError(said)

@pytest.mark.component("postgres")
def test_known(): asked_by_a_client()

def asked_wrongly():
    raise TypeError("of the client itself")

@pytest.mark.component("postgres")
def test_unknown(): asked_wrongly()
""",
    )

    suite.run()

    known, unknown = failures(suite)
    assert known["message"].startswith("PASSWORD_REFUSED: ")
    assert "OperationalError: FATAL:  password authentication failed" in known["text"]
    assert "asked_by_a_client" not in known["text"]
    assert "def asked_wrongly" in unknown["text"]


def test_failure_is_followed_to_the_deepest_cause(suite: Suite) -> None:
    suite.write("conftest.py", LOOKED_AT)
    suite.write(
        "tests/infrastructure/test_a.py",
        """
import pytest
from nova_acceptance.errors import PodProbeError, ProbeError

@pytest.fixture
def asked():
    raise ProbeError("nothing answered")

@pytest.mark.component("redis")
def test_first(asked): pass

@pytest.mark.component("redis")
def test_second(): assert False

@pytest.mark.component("etcd")
def test_third(): raise ValueError("odd")

@pytest.mark.component("etcd")
def test_fourth():
    raise PodProbeError("no program was run", namespace="nova-redis", pod="redis-0")
""",
    )

    result = suite.run()

    first, second, third, fourth = failures(suite)
    for event in (first, second, fourth):
        assert event["message"].startswith("IMAGE_NAME_INVALID: ")
        assert event["diagnosis"]["subject"] == "StatefulSet nova-redis/redis"
        symptoms = {each["cause"] for each in event["diagnosis"]["symptoms"]}
        assert "WORKLOAD_NOT_READY" in symptoms
    assert third["message"].startswith("UNKNOWN: ValueError: odd → ")
    named = [e for e in suite.record if e["type"] == "diagnosis"]
    assert [(e["cause"], e["source"]) for e in named] == [
        ("IMAGE_NAME_INVALID", "test"),
        ("UNKNOWN", "test"),
    ]
    result.stdout.fnmatch_lines(["IMAGE_NAME_INVALID: *(3 tests)", "UNKNOWN: *(1 test)"])
    assert "<b>such</b>" not in suite.page()
    assert "IMAGE_NAME_INVALID" in suite.page()


def test_what_tells_of_a_cause_is_kept_once(suite: Suite) -> None:
    suite.write("conftest.py", LOOKED_AT)
    suite.write(
        "tests/infrastructure/test_a.py",
        """
import pytest
from nova_acceptance.evidence import Evidence
pytestmark = pytest.mark.component("redis")
def test_first(evidence):
    evidence.add(Evidence("PING", "runner", "redis", "nothing", 0.1))
    assert False
def test_second(): assert False
""",
    )

    suite.run()

    (event,) = [e for e in suite.record if e["type"] == "collected-material"]
    directory = suite.latest / event["directory"]
    assert event["failed"] == []
    assert sorted(path.name for path in directory.iterdir()) == sorted(event["written"])
    assert {"Pod.nova-redis.redis-0.yaml", "answers.json"} <= set(event["written"])
    assert '"asked": "PING"' in (directory / "answers.json").read_text()


def test_diagnosis_that_fails_leaves_the_failure_as_it_is(suite: Suite) -> None:
    suite.write("conftest.py", LOOKED_AT.replace("seen = Snapshot(system=system)", "1 / 0"))
    suite.write("tests/infrastructure/test_a.py", "def test_first(): raise ValueError('odd')")

    suite.run()

    (event,) = failures(suite)
    assert event["message"] == "ValueError: odd"
    assert event["sections"] == [["Diagnosis", "failed: ZeroDivisionError: division by zero"]]


def test_worker_names_causes_as_well(suite: Suite) -> None:
    pytest.importorskip("xdist")
    suite.write("tests/infrastructure/test_a.py", CHECKED)

    suite.run("-n", "1", isolated=True)

    found = next(e for e in failures(suite) if "append_only" in e["nodeid"])
    assert found["message"].startswith("REDIS_PERSISTENCE_OFF: ")
    assert found["text"].startswith(found["message"])
    assert [e["cause"] for e in suite.record if e["type"] == "diagnosis"] == [
        "REDIS_PERSISTENCE_OFF"
    ]


def test_deployment_that_failed_says_the_same_to_every_test_and_no_more(suite: Suite) -> None:
    suite.write(
        "tests/infrastructure/test_a.py",
        """
import pytest
from nova_acceptance.deploy.preflight import PreflightError
from nova_acceptance.diagnosis import Explanation, Ranked
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.phrase import Phrase

@pytest.fixture(scope="session")
def deployment(diagnosis):
    subject = Ref("StatefulSet", "nova-redis", "redis")
    said, cure = Phrase("there is no class {name}", name="fast"), Phrase("name another")
    root = Finding("STORAGE_CLASS_MISSING", subject, said, cure, ("classes: slow",))
    error = PreflightError(Explanation((Ranked(root),), (subject,)))
    diagnosis.tell(error, "preflight")
    raise error

def test_first(deployment): pass
def test_second(deployment): pass
""",
    )

    suite.run()

    headline = "STORAGE_CLASS_MISSING: there is no class fast → name another"
    assert [event["text"].strip() for event in failures(suite)] == [headline, headline]
    assert [event["message"] for event in failures(suite)] == [headline, headline]
    assert suite.outcomes() == {"test_first": "error", "test_second": "error"}
    (named,) = [e for e in suite.record if e["type"] == "diagnosis"]
    assert (named["source"], named["evidence"]) == ("preflight", ["classes: slow"])
    assert named["told"]["summary"]["values"] == {"name": "fast"}


def test_system_that_is_not_well_is_not_disturbed(suite: Suite) -> None:
    suite.write("conftest.py", LOOKED_AT)
    suite.write(
        "tests/infrastructure/test_a.py",
        """
import pytest

@pytest.fixture(scope="session")
def deployment(): pass

@pytest.mark.disruptive
def test_kill(healthy): raise AssertionError("killed")
""",
    )
    suite.run()

    (event,) = failures(suite)
    assert event["when"] == "setup"
    assert event["message"].startswith("IMAGE_NAME_INVALID: ")


FORBIDDEN = """
import pytest
from nova_acceptance.errors import ApplyError, ProbeError
from nova_acceptance.kube import ApiError

def refusal(name):
    path = f"GET /api/v1/namespaces/nova-redis/pods/{name}/exec"
    return ApiError(path, 403, '{"message": "pods is forbidden: User x cannot get resource '
                    '\\\\"pods/exec\\\\" in API group"}')

@pytest.fixture
def answer():
    raise ProbeError("could not be run") from refusal("redis-0")

def test_by_fixture(answer):
    pass

def test_by_itself():
    raise refusal("redis-1")

@pytest.fixture
def tidied():
    yield
    raise refusal("redis-2")

def test_clean_up_of_what_was_not_asked(tidied):
    raise refusal("redis-3")
"""
UNTIDY = """
def test_clean_up_after_an_answer(tidied):
    pass

def test_deployment():
    raise ApplyError("not deployed") from refusal("redis-4")
"""


def test_what_the_api_forbids_is_not_asked_and_told_once(suite: Suite) -> None:
    suite.write("tests/infrastructure/test_a.py", FORBIDDEN)
    result = suite.run()

    assert result.ret == ExitStatus.NOT_ASKED
    assert set(suite.outcomes().values()) == {"not asked"}
    (problem,) = suite.model.problems
    assert problem.values["n"] == 3
    assert str(problem.values["text"]).startswith("this user may not get pods/exec")


def test_clean_up_and_deployment_that_are_forbidden_have_failed(suite: Suite) -> None:
    suite.write("tests/infrastructure/test_a.py", FORBIDDEN + UNTIDY)
    suite.run()

    outcomes = suite.outcomes()
    assert outcomes["test_clean_up_after_an_answer"] == "error"
    assert outcomes["test_deployment"] == "failed"
