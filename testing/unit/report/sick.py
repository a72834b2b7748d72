"""The record of a very sick system: many causes at many objects, most of them consequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testing.unit.report.events import END, START, finished, write

STATEFUL_SET = "StatefulSet shop/stock"
APART = {
    "cause": "ANTI_AFFINITY_UNSATISFIABLE",
    "subject": STATEFUL_SET,
    "summary": "stock-1 wants a node without stock, and there is none",
    "cure": "prefer other nodes, or add one",
    "symptoms": [
        {"cause": "WORKLOAD_NOT_READY", "subject": STATEFUL_SET, "summary": "1 of 3 ready"},
        {"cause": "CLAIM_UNBOUND", "subject": "PersistentVolumeClaim shop/a", "summary": "no a"},
        {"cause": "CLAIM_UNBOUND", "subject": "PersistentVolumeClaim shop/b", "summary": "no b"},
    ],
}
CLAIM = "PersistentVolumeClaim shop/data-stock-2"
WEAK, TOKEN, ADDRESS = 8, 6, 5


def found(cause: str, subject: str, **fields: Any) -> dict[str, Any]:
    said = {"cause": cause, "subject": subject, "summary": f"{subject} is ill", "cure": ""}
    return said | fields


def key(of: dict[str, Any]) -> dict[str, Any]:
    return {name: of[name] for name in ("cause", "subject", "summary")}


def failed(number: int, diagnosis: dict[str, Any]) -> list[dict[str, Any]]:
    return finished(f"tests/services/test_a.py::test_{number}", "failed", diagnosis=diagnosis)


def events() -> Iterator[dict[str, Any]]:
    """Yield a run in whose record consequences come before their causes, and policy first."""
    numbers = iter(range(1000))
    yield START
    for n in range(WEAK):
        yield from failed(next(numbers), found("SECURITY_CONTEXT_WEAK", f"Deployment shop/w-{n}"))
    for n in range(TOKEN):
        yield from failed(next(numbers), found("API_TOKEN_WRONG", f"Deployment shop/w-{n}"))
    claim = found("CLAIM_MISSING", CLAIM)
    yield {"type": "diagnosis", "source": "test", "follows": key(APART), **claim}
    yield from failed(next(numbers), claim)
    unbound = found("CLAIM_UNBOUND", "PersistentVolumeClaim shop/a")
    yield from failed(next(numbers), unbound)  # the first look did not see what it came from
    yield from failed(next(numbers), APART)
    yield from failed(next(numbers), APART)
    address = [
        found("ADDRESS_WRONG", f"ConfigMap shop/settings-{n}", cure=f"write w-{n}:80")
        for n in range(ADDRESS)
    ]
    for each in address:
        yield from failed(next(numbers), {**each, "others": [key(APART)]})
        weak = found("SECURITY_CONTEXT_WEAK", "Deployment shop/w-0")
        yield from failed(next(numbers), {**each, "others": [key(weak)]})
    yield {"type": "diagnosis", "source": "deployment", **found("NODE_CORDONED", "Node far")}
    yield END


def record(directory: Path) -> Path:
    return write(directory, *events())
