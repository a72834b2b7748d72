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
from nova_acceptance.report.values import dicts, flat, integer, mapping, number, strings, text


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
        phases={
            name: seconds
            for name, value in mapping(deployment.get("phases")).items()
            if (seconds := number(value)) is not None
        },
        needs={name: strings(others) for name, others in needs.items()},
    )


def _nodes(value: object) -> Iterable[Node]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, Mapping):
            yield Node(
                name=text(entry.get("name")),
                roles=strings(entry.get("roles")),
                version=text(entry.get("version")),
                address=text(entry.get("address")),
                is_ready=bool(entry.get("ready", True)),
            )
        else:
            yield Node(text(entry))


def _pod(row: Mapping[str, Any]) -> Pod:
    return Pod(
        namespace=text(row.get("namespace")),
        name=text(row.get("name")),
        workload=text(row.get("workload")),
        node=text(row.get("node")),
        address=text(row.get("address")),
        phase=text(row.get("phase")),
        is_ready=bool(row.get("ready")),
        restarts=integer(row.get("restarts")),
    )


def _service(row: Mapping[str, Any]) -> Service:
    return Service(
        namespace=text(row.get("namespace")),
        name=text(row.get("name")),
        type=text(row.get("type")),
        address=text(row.get("address")),
        ports=tuple(
            Port(text(port.get("name")), integer(port.get("number")), text(port.get("target")))
            for port in dicts(row.get("ports"))
        ),
        pods=strings(row.get("pods")),
    )


def _reach(cell: Mapping[str, Any]) -> Reach:
    return Reach(
        source=text(cell.get("source")),
        target=text(cell.get("target")),
        port=integer(cell.get("port")),
        wanted=text(cell.get("wanted")),
        state=text(cell.get("state")),
        detail=text(cell.get("detail")),
        seconds=number(cell.get("seconds")) or 0.0,
    )


def _limit(row: Mapping[str, Any]) -> Limit:
    reasons = flat(row.get("reasons"))
    return Limit(
        name=text(row.get("name")),
        components=strings(row.get("components")),
        reasons={language: text(reason) for language, reason in reasons.items()},
    )


def _steps(row: Mapping[str, Any]) -> PodSteps:
    return PodSteps(
        pod=text(row.get("pod")),
        workload=text(row.get("workload")),
        node=text(row.get("node")),
        applied=number(row.get("applied")),
        created=number(row.get("created")),
        scheduled=number(row.get("scheduled")),
        pulled=number(row.get("pulled")),
        started=number(row.get("started")),
        ready=number(row.get("ready")),
    )
