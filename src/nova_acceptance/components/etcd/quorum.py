"""What the members of etcd say together: whether they agree, and whether they belong together."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from nova_acceptance.components.etcd.client import Member, Status
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase

NOBODY: Final = "0"


def roll_call(members: Mapping[str, Member]) -> dict[str, Status | ProbeError]:
    """Ask every member for its status, all at once."""

    def status(member: Member) -> Status | ProbeError:
        try:
            return member.status
        except ProbeError as error:
            return error

    with ThreadPoolExecutor(max(1, len(members))) as pool:
        return dict(zip(members, pool.map(status, members.values()), strict=True))


def of_members(answers: Mapping[str, Status | ProbeError], wanted: int) -> Finding | None:
    """Return what is wrong with etcd as a whole; None where its members agree.

    Args:
        answers: what each member said of itself, or why it said nothing.
        wanted: how many members there should be.
    """
    there = {name: each for name, each in answers.items() if isinstance(each, Status)}
    evidence = tuple(f"{name}: {_told(each)}" for name, each in answers.items())
    complaints = [line for each in there.values() for line in each.errors]
    if any("NOSPACE" in line.upper() for line in complaints):
        sentence = Phrase("etcd raises an alarm: {said}", said=complaints[0])
        return Finding("ETCD_NO_SPACE", NOWHERE, sentence, evidence=evidence)
    if len({each.cluster for each in there.values()}) > 1:
        sentence = Phrase(
            "the members of etcd belong to different clusters: {members}",
            members=[f"{name} {each.cluster}" for name, each in there.items()],
        )
        return Finding("ETCD_STRANGER", NOWHERE, sentence, evidence=evidence)
    quorum = wanted // 2 + 1
    led = [name for name, each in there.items() if each.leader != NOBODY]
    if len(led) < quorum:
        sentence = Phrase(
            "{count} of {wanted} members of etcd know a leader; a quorum is {quorum}",
            count=len(led),
            wanted=wanted,
            quorum=quorum,
        )
        return Finding("ETCD_QUORUM_LOST", NOWHERE, sentence, evidence=evidence)
    if len(led) < wanted:
        missing = sorted(set(answers) - set(led))
        sentence = (
            Phrase(
                "{count} of {wanted} members of etcd take part; not {missing}",
                count=len(led),
                wanted=wanted,
                missing=missing,
            )
            if missing
            else Phrase(
                "{count} of {wanted} members of etcd take part; there is no pod of the others",
                count=len(led),
                wanted=wanted,
            )
        )
        return Finding("ETCD_MEMBER_LOST", NOWHERE, sentence, evidence=evidence)
    return None


def _told(answer: Status | ProbeError) -> str:
    if isinstance(answer, Status):
        return f"member {answer.id} of cluster {answer.cluster}, leader {answer.leader}"
    return answer.message
