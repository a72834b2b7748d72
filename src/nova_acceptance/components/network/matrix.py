"""Who was to reach whom and what came of it: the survey of reachability as a report shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nova_acceptance.components.network.questions import dial, undeclared
from nova_acceptance.kube import PodRef
from nova_acceptance.system import Front, System, parts
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.vantage.survey import Answers, Failures


def reachability_cells(
    system: System, pods: Mapping[str, PodRef], answers: Answers, failures: Failures
) -> list[dict[str, Any]]:
    """Return one cell for each component and each port that it was to reach, or not to reach.

    Args:
        system: what nova.yaml says.
        pods: the pod that asked for a component, by its name; none where none runs.
        answers: what the survey was answered.
        failures: why a pod could not be asked.
    """
    return [
        {
            "source": source,
            "target": front.name,
            "port": question.port,
            "wanted": wanted,
            **_outcome(pods.get(source), question, answers, failures),
        }
        for source, front, question, wanted in _questions(system, pods)
    ]


def _questions(
    system: System, pods: Mapping[str, PodRef]
) -> Iterator[tuple[str, Front, Dial, str]]:
    """Yield what each component was to reach, and what not: declared, or a port that is not."""
    for wanted, passages in (
        ("open", parts.passages(system)),
        ("closed", parts.closed_passages(system)),
    ):
        for it in passages:
            yield it.source.name, it.door.front, dial(it.door.front, it.door.port, system), wanted
    beside = {
        (it.source.name, it.door.front.ref): it.door.front
        for it in (*parts.passages(system), *parts.closed_passages(system))
        if it.source.name in pods and not it.door.front.service.headless
    }
    for (source, _), front in beside.items():
        yield source, front, undeclared(front, system), "closed"


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
