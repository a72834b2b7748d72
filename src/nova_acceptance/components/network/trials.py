"""What came of the survey's connections to pods' own addresses, with the nodes of both ends."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.network.closed import SILENT
from nova_acceptance.components.network.cut import Trial
from nova_acceptance.components.network.questions import CLOSED_PORT, listening
from nova_acceptance.findings import Ref
from nova_acceptance.kube import ApiError, PodRef
from nova_acceptance.system import System
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.vantage.survey import Survey


def trials(system: System, objects: Seen, survey: Survey) -> Iterator[Trial]:
    """Yield what came of each connection to a pod's own address.

    Args:
        system: what nova.yaml says.
        objects: what the API says.
        survey: the survey of reachability.
    """
    for workload in system.every_workload:
        pods = {
            (it.get("status") or {}).get("podIP"): PodRef(
                workload.namespace, it["metadata"]["name"]
            )
            for it in objects.pods_of(workload)
        }
        for address, port in listening(objects, workload).items():
            if target := pods.get(address):
                for question in (Dial(address, CLOSED_PORT), Dial(address, port)):
                    yield from _to(target, question, objects, survey)


def node_of(objects: Seen, pod: PodRef) -> str:
    """Return the node that a pod is on; empty where that is not known."""
    try:
        seen = objects.at(Ref("Pod", pod.namespace, pod.name))
    except ApiError:
        return ""  # this user may not see it
    return str(seen["spec"].get("nodeName", "")) if seen else ""


def _to(target: PodRef, question: Dial, objects: Seen, survey: Survey) -> Iterator[Trial]:
    for source, answer in survey.all_to(question).items():
        yield Trial(
            source,
            node_of(objects, source),
            target,
            node_of(objects, target),
            is_answered=answer.state not in SILENT,
            said=answer.evidence.answer,
        )
