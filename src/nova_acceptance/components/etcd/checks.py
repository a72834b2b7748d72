"""What is wrong with an etcd, by what its members say: of themselves, together, and of a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.etcd.client import Member, Status
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase

NOBODY: Final = "0"
AGREED: Final = "agreed"

Members = Mapping[str, Member]
"""By the names of their pods."""
Answers = Mapping[str, Status | ProbeError]
"""What each member said of itself, or why it said nothing."""


@check
def disunity(members: Members, spec: Etcd) -> Iterable[Finding]:
    """Find an alarm, members of another cluster, and members that know no leader or are away."""
    return of_answers(roll_call(members), spec.runs.replicas)


@check
def wrong_members(members: Members, spec: Etcd) -> Iterable[Finding]:
    """Find that a member knows other members than those there are: one a pod."""
    return disunity(members, spec) or _wrong_members(members)


@check
def wrong_leader(members: Members, spec: Etcd) -> Iterable[Finding]:
    """Find that members take different ones for the leader, or one that is no member."""
    answers = roll_call(members)
    return of_answers(answers, spec.runs.replicas) or _wrong_leader(answers)


@check
def lost_value(members: Members, key: str) -> Iterator[Finding]:
    """Find members that do not read what another member has written."""
    writer, *_ = members.values()
    writer.put(key, AGREED)
    yield from _other_values(members, key, AGREED)


@check
def invented_value(members: Members, key: str) -> Iterator[Finding]:
    """Find members that read something under a key that nobody wrote."""
    yield from _other_values(members, key, None)


def roll_call(members: Members) -> Answers:
    """Ask every member for its status, all at once."""

    def status(member: Member) -> Status | ProbeError:
        try:
            return member.status
        except ProbeError as error:
            return error

    with ThreadPoolExecutor(max(1, len(members))) as pool:
        return dict(zip(members, pool.map(status, members.values()), strict=True))


def of_answers(answers: Answers, wanted: int) -> list[Finding]:
    """Return what is wrong with etcd as a whole; nothing where its members agree.

    Args:
        answers: what the members said.
        wanted: how many there should be.
    """
    there = {name: each for name, each in answers.items() if isinstance(each, Status)}
    evidence = tuple(f"{name}: {_told(each)}" for name, each in answers.items())
    complaints = [line for each in there.values() for line in each.errors]
    if any("NOSPACE" in line.upper() for line in complaints):
        sentence = Phrase("etcd raises an alarm: {said}", said=complaints[0])
        return [Finding("ETCD_NO_SPACE", NOWHERE, sentence, evidence=evidence)]
    if len({each.cluster for each in there.values()}) > 1:
        sentence = Phrase(
            "the members of etcd belong to different clusters: {members}",
            members=[f"{name} {each.cluster}" for name, each in there.items()],
        )
        return [Finding("ETCD_STRANGER", NOWHERE, sentence, evidence=evidence)]
    led = [name for name, each in there.items() if each.leader != NOBODY]
    return [
        Finding(cause, NOWHERE, sentence, evidence=evidence)
        for cause, sentence in _lost(led, sorted(set(answers) - set(led)), wanted)
    ]


def _lost(led: list[str], missing: list[str], wanted: int) -> Iterator[tuple[str, Phrase]]:
    """Yield that members are lost, with the cause: a quorum, or some of them."""
    quorum = wanted // 2 + 1
    if len(led) < quorum:
        yield (
            "ETCD_QUORUM_LOST",
            Phrase(
                "{count} of {wanted} members of etcd know a leader; a quorum is {quorum}",
                count=len(led),
                wanted=wanted,
                quorum=quorum,
            ),
        )
    elif len(led) < wanted and missing:
        yield (
            "ETCD_MEMBER_LOST",
            Phrase(
                "{count} of {wanted} members of etcd take part; not {missing}",
                count=len(led),
                wanted=wanted,
                missing=missing,
            ),
        )
    elif len(led) < wanted:
        yield (
            "ETCD_MEMBER_LOST",
            Phrase(
                "{count} of {wanted} members of etcd take part; there is no pod of the others",
                count=len(led),
                wanted=wanted,
            ),
        )


def _wrong_members(members: Members) -> Iterator[Finding]:
    for name, member in members.items():
        known = set(member.members.values())
        if known != set(members):
            sentence = Phrase(
                "{member} knows the members {known}, and there are {wanted}",
                member=name,
                known=sorted(known),
                wanted=sorted(members),
            )
            yield Finding("ETCD_STRANGER", NOWHERE, sentence)


def _wrong_leader(answers: Answers) -> Iterator[Finding]:
    members = [each for each in answers.values() if isinstance(each, Status)]
    leaders = sorted({member.leader for member in members})
    if len(leaders) != 1 or leaders[0] not in {member.id for member in members}:
        sentence = Phrase(
            "the members of etcd take {leaders} for the leader; they are {members}",
            leaders=leaders,
            members=[member.id for member in members],
        )
        yield Finding("ETCD_STRANGER", NOWHERE, sentence)


def _other_values(members: Members, key: str, wanted: str | None) -> Iterator[Finding]:
    read = {name: member.get(key) for name, member in members.items()}
    if others := [name for name, value in read.items() if value != wanted]:
        sentence = Phrase(
            "{members} read {found} under {key}, where {wanted} was written",
            members=others,
            found=[read[name] or Phrase("nothing") for name in others],
            key=key,
            wanted=wanted or Phrase("nothing"),
        )
        yield Finding("ETCD_STRANGER", NOWHERE, sentence)


def _told(answer: Status | ProbeError) -> str:
    if isinstance(answer, Status):
        return f"member {answer.id} of cluster {answer.cluster}, leader {answer.leader}"
    return answer.message
