"""Who was to reach whom and what came of it: the survey of reachability as a report shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nova_acceptance.components.network.questions import dial, undeclared
from nova_acceptance.kube import PodRef
from nova_acceptance.system import Front, System
from nova_acceptance.system.parts import doors, fronts
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.vantage.survey import Answers, Failures


def reachability_cells(
    system: System, pods: Mapping[str, PodRef], answers: Answers, failures: Failures
) -> list[dict[str, Any]]:
    """Return one cell for each service and each port that it was to reach, or not to reach.

    Args:
        system: what nova.yaml says.
        pods: the pod that asked for a service, by the service's name; none where none runs.
        answers: what the survey was answered.
        failures: why a pod could not be asked.
    """
    return [
        {
            "source": service.name,
            "target": front.name,
            "port": question.port,
            "wanted": wanted,
            **_outcome(pods.get(service.name), question, answers, failures),
        }
        for service in system.services
        for front, question, wanted in _questions(system)
    ]


def _questions(system: System) -> Iterator[tuple[Front, Dial, str]]:
    """Yield every declared port, and a port of each clustered Service that is not declared."""
    for door in doors(system):
        yield door.front, dial(door.front, door.port, system), "open"
    for front in fronts(system):
        if not front.service.headless:
            yield front, undeclared(front, system), "closed"


def _outcome(
    pod: PodRef | None, question: Dial, answers: Answers, failures: Failures
) -> dict[str, Any]:
    """Return state, detail and seconds; the state is empty where the pod could not be asked."""
    answer = answers.get((pod, question)) if pod else None
    if answer:
        return {
            "state": answer.state,
            "detail": answer.detail,
            "seconds": round(answer.seconds, 4),
        }
    failure = failures.get(pod) if pod else None
    detail = failure.message if failure else "no container of it runs"
    return {"state": "", "detail": detail, "seconds": 0.0}
