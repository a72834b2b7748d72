"""What a Service is early with: it refuses or is silent, and its pods take connections already."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova_acceptance.components.http import questions as http
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.network.questions import listening_behind
from nova_acceptance.kube import PodRef
from nova_acceptance.system import System
from nova_acceptance.system.parts import Door, passages
from nova_acceptance.vantage.questions import Dial, Get, Http2
from nova_acceptance.vantage.survey import Answers, Asked


def early_answers(
    system: System, objects: Seen, pods: Mapping[str, PodRef]
) -> Callable[[Answers], list[Asked]]:
    """Return what tells which answers of a survey came before the nodes knew of a Service's pods.

    It is a refusal by a Service that a component is to reach, and that leads to pods; that these
    refuse as well was not seen. Where a node has no rule for the Service at all, it is silence, and
    then one of the pods has to have answered the same asker: what ends its connections on the way,
    such as a NetworkPolicy, stays out of it. The same holds of whoever is not to reach it, and
    asks a service that nobody is to reach.

    Args:
        system: what nova.yaml says.
        objects: what the API says.
        pods: the pod that was asked from, by the name of its component.
    """
    doors = {
        (pods[it.source.name], it.door.front.full_name(system.zone), it.door.port): it.door
        for it in passages(system)
        if it.source.name in pods
    }
    unvisited = {(it.front.full_name(system.zone), it.port): it for it in http.unvisited(system)}

    def is_early(pod: PodRef, question: Dial | Get | Http2, state: str, answers: Answers) -> bool:
        if door := doors.get((pod, question.host, question.port)):
            if state == "refused":
                return _may_be_open(objects, door, answers)
            return _is_open_to(pod, objects, door, answers)
        if door := unvisited.get((question.host, question.port)):
            return _is_open_to(pod, objects, door, answers)
        return False

    def early(answers: Answers) -> list[Asked]:
        return [
            (pod, question)
            for (pod, question), answer in answers.items()
            if answer.state in ("refused", "timeout")
            and isinstance(question, Dial | Get | Http2)
            and is_early(pod, question, answer.state, answers)
        ]

    return early


def _may_be_open(objects: Seen, door: Door, answers: Answers) -> bool:
    """Tell whether a port of a Service leads to pods of which not every one refuses."""
    if not objects.endpoints(door.front.name, door.front.namespace):
        return False
    at = [Dial(*each) for each in listening_behind(objects, door).items()]
    seen = [answer.state for (_, question), answer in answers.items() if question in at]
    return not seen or "open" in seen


def _is_open_to(pod: PodRef, objects: Seen, door: Door, answers: Answers) -> bool:
    """Tell whether a Service has pods one of which took a connection of a pod."""
    if not objects.endpoints(door.front.name, door.front.namespace):
        return False
    at = {Dial(*each) for each in listening_behind(objects, door).items()}
    return any(
        answer.state == "open"
        for (source, question), answer in answers.items()
        if source == pod and question in at
    )
