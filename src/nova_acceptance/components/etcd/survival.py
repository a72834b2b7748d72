"""Whether an etcd would still agree after the loss of a member."""

from __future__ import annotations

from nova_acceptance.components.etcd.checks import NOBODY, Answers, roll_call
from nova_acceptance.components.etcd.client import Member, Status
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.kind import Access
from nova_acceptance.components.peril import Holding, Peril
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase


def holding(_access: Access, client: dict[str, Member], component: Etcd, _pod: PodRef) -> Holding:
    """Return why a loss would leave the members of an etcd without a quorum."""
    return Holding(perils=tuple(perils(component, roll_call(client))))


def perils(component: Etcd, answers: Answers) -> list[Peril]:
    """Return the same by what each member said.

    One more than the quorum has to take part; of fewer than three members, all.
    """
    where, wanted = component.workload.ref, component.runs.replicas
    there = [
        name
        for name, each in answers.items()
        if isinstance(each, Status) and each.leader != NOBODY and not each.errors
    ]
    needed = min(wanted, component.quorum + 1)
    if len(there) >= needed:
        return []
    said = Phrase(
        "{count} of {wanted} members of etcd take part; {needed} have to, so that one can be lost",
        count=len(there),
        wanted=wanted,
        needed=needed,
    )
    return [Peril(where, said, Phrase("see the logs of the members that do not"))]
