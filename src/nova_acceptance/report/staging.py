"""From a record's facts to the scene: where the system runs, who reached whom, how it came up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nova_acceptance.report.recorder import Fact
from nova_acceptance.report.scene import (
    Limit,
    Node,
    Pod,
    PodSteps,
    Port,
    Reach,
    Scene,
    Service,
)
from nova_acceptance.report.values import dicts, integer, mapping, number, strings


def scene_of(cluster: Fact, deployment: Fact, snapshot: Fact, reachability: Fact) -> Scene:
    """Build the scene of a run; what its record does not tell is left empty.

    Args:
        cluster: the last `cluster` event.
        deployment: the `deployment` event that tells most.
        snapshot: the last `snapshot` event.
        reachability: the last `reachability` event.
    """
    nodes = snapshot.get("nodes") or cluster.get("nodes")
    needs = mapping(snapshot.get("needs"))
    return Scene(
        nodes=tuple(_nodes(nodes)),
        pods=tuple(map(_pod, dicts(snapshot.get("pods")))),
        services=tuple(map(_service, dicts(snapshot.get("services")))),
        reaches=tuple(map(_reach, dicts(reachability.get("cells")))),
        limits=tuple(map(_limit, dicts(snapshot.get("limits")))),
        steps=tuple(map(_steps, dicts(deployment.get("timeline")))),
        needs={str(name): strings(others) for name, others in needs.items()},
    )


def _nodes(value: object) -> Iterable[Node]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, Mapping):
            yield Node(
                name=_text(entry, "name"),
                roles=strings(entry.get("roles")),
                version=_text(entry, "version"),
                address=_text(entry, "address"),
                is_ready=bool(entry.get("ready", True)),
            )
        else:
            yield Node(str(entry))


def _pod(row: Mapping[str, Any]) -> Pod:
    return Pod(
        namespace=_text(row, "namespace"),
        name=_text(row, "name"),
        workload=_text(row, "workload"),
        node=_text(row, "node"),
        address=_text(row, "address"),
        phase=_text(row, "phase"),
        is_ready=bool(row.get("ready")),
        restarts=integer(row.get("restarts")),
    )


def _service(row: Mapping[str, Any]) -> Service:
    return Service(
        namespace=_text(row, "namespace"),
        name=_text(row, "name"),
        type=_text(row, "type"),
        address=_text(row, "address"),
        ports=tuple(
            Port(_text(port, "name"), integer(port.get("number")), _text(port, "target"))
            for port in dicts(row.get("ports"))
        ),
        pods=strings(row.get("pods")),
    )


def _reach(cell: Mapping[str, Any]) -> Reach:
    return Reach(
        source=_text(cell, "source"),
        target=_text(cell, "target"),
        port=integer(cell.get("port")),
        wanted=_text(cell, "wanted"),
        state=_text(cell, "state"),
        detail=_text(cell, "detail"),
        seconds=number(cell.get("seconds")) or 0.0,
    )


def _limit(row: Mapping[str, Any]) -> Limit:
    reasons = mapping(row.get("reasons"))
    return Limit(
        name=_text(row, "name"),
        components=strings(row.get("components")),
        reasons={str(language): str(reason) for language, reason in reasons.items()},
    )


def _steps(row: Mapping[str, Any]) -> PodSteps:
    return PodSteps(
        pod=_text(row, "pod"),
        workload=_text(row, "workload"),
        node=_text(row, "node"),
        applied=number(row.get("applied")),
        created=number(row.get("created")),
        scheduled=number(row.get("scheduled")),
        pulled=number(row.get("pulled")),
        started=number(row.get("started")),
        ready=number(row.get("ready")),
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "")
