"""Events of a record, as short as a test wants to write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REDIS = "tests/infrastructure/test_redis.py::test_redis_answers"
HEALTH = "tests/services/test_health.py::test_service_answers[user-service]"
NAMES = "tests/networking/test_names.py::test_name_resolves"

START = {"type": "run-started", "schema": 1, "run": "a-run", "versions": {"python": "3.11"}}
END = {"type": "run-finished", "exit_status": 0, "seconds": 2.0}


def collected(*nodeids: str, **fields: Any) -> dict[str, Any]:
    return {"type": "collected", "tests": [{"nodeid": nodeid, **fields} for nodeid in nodeids]}


def phase(nodeid: str, when: str, outcome: str = "passed", **fields: Any) -> dict[str, Any]:
    return {
        "type": "phase",
        "nodeid": nodeid,
        "when": when,
        "outcome": outcome,
        "seconds": 0.5,
        **fields,
    }


def finished(nodeid: str, outcome: str = "passed", **fields: Any) -> list[dict[str, Any]]:
    return [
        phase(nodeid, "setup"),
        phase(nodeid, "call", outcome, **fields),
        phase(nodeid, "teardown"),
    ]


def write(directory: Path, *events: dict[str, Any]) -> Path:
    """Write a record whose events are a second apart."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"time": f"2030-01-01T00:00:{second:02}.000Z", **event}) + "\n"
        for second, event in enumerate(events)
    ]
    (directory / "run.jsonl").write_text("".join(lines), encoding="utf-8")
    return directory
