"""How often a run has asked the API is in its record, whichever process asked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

ASKING = """
import pathlib
import pytest
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.phrase import Phrase
from testing.unit.kube.scripted_api import RESOURCES, Answer, scripted_api

RESOURCES["/api/v1"].append({"name": "nodes", "kind": "Node", "namespaced": False})

def answered(request):
    return Answer({"gitVersion": "v1.33.1", "items": []})

@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with scripted_api(answered) as api:
        kubeconfig = api.kubeconfig(tmp_path_factory.mktemp("api"))
        yield Cluster("it", "context", kubeconfig, "scripted", Phrase("it was named"), "")
        pathlib.Path(f"asked-{api.port}").write_text(str(len(api.requests)))
"""
TESTS = """
def test_names(kube): assert kube.list("v1", "Pod", namespace="web") == []
def test_again(kube): assert kube.list("v1", "Pod", namespace="web") == []
"""


@pytest.fixture
def asking(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Suite:
    root = str(Path(__file__).parents[2])
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, before))))
    suite.write("conftest.py", ASKING)
    for layer in ("infrastructure", "networking"):
        suite.write(f"tests/{layer}/test_a.py", TESTS)
    return suite


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_requests_of_a_run_are_counted_to_its_end(asking: Suite, workers: tuple[str, ...]) -> None:
    result = asking.run("--read-only", *workers, isolated=True)

    result.assert_outcomes(passed=4)
    asked = [int(path.read_text()) for path in asking.path.glob("asked-*")]
    assert len(asked) == (2 if workers else 1)
    assert asking.model.usage == {"requests": sum(asked), "execs": 0, "forwards": 0}
    assert asking.model.usage["requests"] >= 4
    told = json.loads((asking.latest / "run.json").read_text(encoding="utf-8"))
    assert told["usage"] == asking.model.usage
