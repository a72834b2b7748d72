"""An event of every type, with every field that the record knows."""

from __future__ import annotations

from typing import Any

from nova_acceptance.phrase import Phrase
from nova_acceptance.report.record import SCHEMA
from nova_acceptance.report.recorder import event

Event = dict[str, Any]

DIAGNOSIS = {
    "cause": "IMAGE_PULL",
    "subject": "Pod nova-services/user-service-x",
    "summary": "the image is not there",
    "cure": "build it",
    "evidence": ["not found"],
    "chain": ["Deployment nova-services/user-service"],
    "symptoms": [{"cause": "NO_ENDPOINTS", "subject": "Service a/b", "summary": "nobody"}],
    "others": [{"cause": "NODE_NOT_READY", "subject": "Node a", "summary": "it is silent"}],
}
NODE = {
    "name": "nova-worker",
    "roles": ["control-plane"],
    "version": "v1.20.2",
    "address": "10.89.0.2",
    "ready": True,
}
POD_TIMES = {
    "pod": "nova-redis/redis-0",
    "workload": "redis",
    "node": "nova-worker",
    "created_at": "2030-01-01T00:00:00Z",
    "applied": 0.4,
    "created": 0.5,
    "scheduled": 0.6,
    "pulled": 0.9,
    "started": 1.2,
    "ready": None,
}
CELL = {
    "source": "user-service",
    "target": "redis-service",
    "port": 6379,
    "wanted": "open",
    "state": "unresolved",
    "detail": "EAI_AGAIN",
    "seconds": 0.01,
}
SNAPSHOT: dict[str, Any] = {
    "rows": [
        {
            "layer": "infrastructure",
            "component": "redis",
            "kind": "StatefulSet",
            "namespace": "nova-redis",
            "wanted": 1,
            "ready": 1,
            "restarts": 0,
            "image": "docker.io/nova/redis:7",
            "node": "nova-worker",
        }
    ],
    "counts": {"pods": 12},
    "external": [{"name": "kafka", "used_by": ["user-service"], "address": "kafka:9092"}],
    "nodes": [NODE],
    "pods": [
        {
            "namespace": "nova-redis",
            "name": "redis-0",
            "workload": "redis",
            "node": "nova-worker",
            "address": "10.244.1.7",
            "phase": "Running",
            "ready": True,
            "restarts": 0,
        }
    ],
    "services": [
        {
            "namespace": "nova-redis",
            "name": "redis-service",
            "type": "ClusterIP",
            "address": "10.96.0.9",
            "ports": [{"name": "redis", "number": 6379, "target": "redis"}],
            "pods": ["redis-0"],
        }
    ],
    "limits": [
        {"name": "placement", "components": ["etcd"], "reasons": {"en": "one", "zh-Hant": "一"}}
    ],
    "needs": {"user-service": ["redis"]},
}
TEST = {
    "nodeid": "tests/services/test_a.py::test_b",
    "layer": "services",
    "markers": ["services"],
    "subjects": ["user-service"],
    "doc": "A fact.",
}
EVIDENCE = {"asked": "GET", "source": "runner", "target": "a:1", "answer": "200", "seconds": 0.1}
FIELDS: dict[str, dict[str, Any]] = {
    "run-started": {
        "schema": SCHEMA,
        "run": "a-run",
        "versions": {"python": "3.11.2"},
        "options": {"cluster": "local", "nodes": 3, "teardown": True},
        "arguments": ["-q"],
        "manifests": {"commit": "0" * 40, "changed": True, "digest": "f" * 64},
    },
    "collected": {"tests": [TEST], "deselected": 1, "uncollected": ["networking"]},
    "cluster": {
        "name": "nova",
        "provider": "kind",
        "reason": "",
        "version": "",
        "nodes": [NODE],
        "reuse_hint": "",
        "remove_hint": "",
    },
    "deployment": {
        "overlay": "multi-node",
        "seconds": 3.5,
        "counts": {"applied": 38},
        "timeline": [POD_TIMES],
        "phases": {"namespaces": 0.1},
    },
    "snapshot": SNAPSHOT,
    "reachability": {"cells": [CELL]},
    "note": {"text": Phrase("a note")},
    "no-cluster": {
        "text": Phrase("there is no context nope"),
        "lines": ["there is no context nope", "→ name another"],
    },
    "refused": {
        "text": Phrase("it is not a cluster of yours"),
        "lines": ["it is not a cluster of yours"],
    },
    "not-deployed": {
        "text": Phrase("nothing became ready"),
        "lines": ["nothing became ready"],
    },
    "diagnosis": {
        "source": "test",
        "nodeid": "a::b",
        "follows": {"cause": "NODE_NOT_READY", "subject": "Node a", "summary": "it is silent"},
        **DIAGNOSIS,
    },
    "collected-material": {
        "cause": "IMAGE_PULL",
        "subject": "Pod nova-services/user-service-x",
        "directory": "collected/a",
        "written": ["a.yaml"],
        "failed": ["a log"],
    },
    "collect-failed": {"nodeid": "tests/a.py", "text": "no such module"},
    "phase": {
        "nodeid": "tests/services/test_a.py::test_b",
        "when": "call",
        "outcome": "failed",
        "expected_failure": False,
        "seconds": 0.1,
        "message": "assert False",
        "text": "E assert False",
        "evidence": [EVIDENCE],
        "sections": [["Captured stdout call", "said"]],
        "worker": "gw0",
        "test": TEST,
        "diagnosis": DIAGNOSIS,
        "quarantined": {"reason": "a reason", "owner": "an owner", "until": "2030-01-31"},
    },
    "crashed": {"nodeid": "a::b", "worker": "gw0", "text": "it is gone"},
    "worker-lost": {"worker": "gw0", "text": "it is gone"},
    "shard": {"number": 2, "of": 3, "tests": 60, "split": "d" * 64},
    "shard-missing": {"shard": "3/3"},
    "interrupted": {"text": "enough"},
    "internal-error": {"message": "clean-up failed", "text": "clean-up failed"},
    "usage": {"requests": 40, "execs": 5, "forwards": 3},
    "run-finished": {"exit_status": 0, "seconds": 12.5},
}


def events() -> list[Event]:
    """Return an event of every type, with every field that is known."""
    return [event(kind, **fields) for kind, fields in FIELDS.items()]
