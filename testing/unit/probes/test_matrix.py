"""The survey of reachability as a matrix: each service, each port, wanted and found."""

from __future__ import annotations

from typing import Any

from nova_acceptance.components.network.matrix import reachability_cells
from nova_acceptance.components.network.questions import CLOSED_PORT, dial, undeclared
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import PodRef
from nova_acceptance.system.parts import doors, fronts
from nova_acceptance.vantage.questions import Answer
from testing.unit.probes.a_nova import SERVICES, nova

NOVA = nova()
PODS = {each.name: PodRef(SERVICES, f"{each.name}-x") for each in NOVA.services}
DOORS = {door.name: dial(door.front, door.port, NOVA) for door in doors(NOVA)}
CLUSTERED = [front for front in fronts(NOVA) if not front.service.headless]


def answer(state: str, detail: str = "") -> Answer:
    return Answer(state, detail, Evidence("connect", "pod", "door", state, 0.012345))


def cell(cells: list[dict[str, Any]], source: str, target: str, port: int) -> dict[str, Any]:
    wanted = source, target, port
    (found,) = (e for e in cells if (e["source"], e["target"], e["port"]) == wanted)
    return found


def test_every_service_has_a_cell_for_every_declared_port_and_every_undeclared_one() -> None:
    cells = reachability_cells(NOVA, PODS, {}, {})

    for service in NOVA.services:
        others = [door for door in doors(NOVA) if door.front.name != service.name]
        wanted = {(door.front.name, door.port, "open") for door in others}
        names = {front.name for front in CLUSTERED} - {service.name}
        wanted |= {(name, CLOSED_PORT, "closed") for name in names}
        own = [each for each in cells if each["source"] == service.name]
        assert {(each["target"], each["port"], each["wanted"]) for each in own} == wanted
        assert len(own) == len(wanted)


def test_cell_tells_what_was_answered() -> None:
    pod = PODS["user-service"]
    front = next(front for front in CLUSTERED if front.name == "redis-service")
    cells = reachability_cells(
        NOVA,
        PODS,
        {
            (pod, DOORS["redis-service:6379"]): answer("unresolved", "EAI_AGAIN"),
            (pod, undeclared(front, NOVA)): answer("timeout"),
        },
        {},
    )

    assert cell(cells, "user-service", "redis-service", 6379) == {
        "source": "user-service",
        "target": "redis-service",
        "port": 6379,
        "wanted": "open",
        "state": "unresolved",
        "detail": "EAI_AGAIN",
        "seconds": 0.0123,
    }
    assert cell(cells, "user-service", "redis-service", CLOSED_PORT)["state"] == "timeout"


def test_pod_that_could_not_be_asked_has_cells_without_a_state() -> None:
    pods = {name: pod for name, pod in PODS.items() if name != "auth-service"}
    failures = {PODS["user-service"]: ProbeError("the probe wrote no list", hint="run it again")}

    cells = reachability_cells(NOVA, pods, {}, failures)

    without_answer = cell(cells, "user-service", "redis-service", 6379)
    without_pod = cell(cells, "auth-service", "redis-service", 6379)
    assert (without_answer["state"], without_answer["detail"]) == ("", "the probe wrote no list")
    assert (without_pod["state"], without_pod["detail"]) == ("", "no container of it runs")
