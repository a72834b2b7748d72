"""What is wrong with an etcd, by what its members say: of themselves, together, and of a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from nova_acceptance.checks import check
from nova_acceptance.components.etcd.client import Member, Status
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.at_once import of_each

T = TypeVar("T")

NOBODY: Final = "0"
AGREED: Final = "agreed"

Members = Mapping[str, Member]
"""By the names of their pods."""
Answers = Mapping[str, Status | ProbeError]
"""What each member said of itself, or why it said nothing."""


@check
def disunity(members: Members, spec: Etcd) -> Iterable[Finding]:
    """Find an alarm, members of another cluster, and members that know no leader or are away."""
    return disunited_answers(roll_call(members), spec)


@check
def disunited_answers(answers: Answers, spec: Etcd) -> Iterator[Finding]:
    """Find the same in what the members said."""
    there = {name: each for name, each in answers.items() if isinstance(each, Status)}
    evidence = [f"{name}: {_told(each)}" for name, each in answers.items()]
    complaints = [line for each in there.values() for line in each.errors]
    led = [name for name, each in there.items() if each.leader != NOBODY]
    wanted = spec.runs.replicas
    if any("NOSPACE" in line.upper() for line in complaints):
        sentence = Phrase("etcd raises an alarm: {said}", said=complaints[0].strip())
        yield Finding.here("ETCD_NO_SPACE", sentence, *evidence)
    elif len({each.cluster for each in there.values()}) > 1:
        sentence = Phrase(
            "the members of etcd belong to different clusters: {members}",
            members=[f"{name} {each.cluster}" for name, each in there.items()],
        )
        yield Finding.here("ETCD_STRANGER", sentence, *evidence)
    elif len(led) < spec.quorum:
        sentence = Phrase(
            "{count} of {wanted} members of etcd know a leader; a quorum is {quorum}",
            count=len(led),
            wanted=wanted,
            quorum=spec.quorum,
        )
        yield Finding.here("ETCD_QUORUM_LOST", sentence, *evidence)
    elif len(led) < wanted:
        sentence = Phrase(
            "{count} of {wanted} members of etcd take part; not {missing}",
            count=len(led),
            wanted=wanted,
            missing=sorted(set(answers) - set(led)) or Phrase("those that have no pod"),
        )
        yield Finding.here("ETCD_MEMBER_LOST", sentence, *evidence)


@check
def wrong_members(members: Members, spec: Etcd) -> Iterator[Finding]:
    """Find that a member knows other members than those there are: one a pod.

    One that was added and has never begun has no name yet.
    """
    if apart := disunity(members, spec):
        yield from apart
        return
    for name, listed in _of_each(members, lambda member: member.members).items():
        known = set(filter(None, listed.values()))
        if unbegun := [f"{int(number):x}" for number, each in sorted(listed.items()) if not each]:
            sentence = Phrase(
                "{member} counts members that have never begun ({ids}): they have a say in the "
                "quorum, and confirm nothing",
                member=name,
                ids=unbegun,
            )
            cure = Phrase(
                "begin what was added, or take it off the list again: `etcdctl member remove {id}`",
                id=unbegun[0],
            )
            yield Finding.here("ETCD_MEMBER_LOST", sentence, cure=cure)
        if known != set(members):
            sentence = Phrase(
                "{member} knows the members {known}, and there are {wanted}",
                member=name,
                known=sorted(known),
                wanted=sorted(members),
            )
            yield Finding.here("ETCD_STRANGER", sentence)


@check
def wrong_leader(members: Members, spec: Etcd) -> Iterator[Finding]:
    """Find that members take different ones for the leader, or one that is no member."""
    answers = roll_call(members)
    yield from disunited_answers(answers, spec)
    there = [each for each in answers.values() if isinstance(each, Status)]
    leaders, ids = {each.leader for each in there} - {NOBODY}, {each.id for each in there}
    if len(leaders) > 1 or not leaders <= ids:
        sentence = Phrase(
            "the members of etcd take {leaders} for the leader; they are {members}",
            leaders=sorted(leaders),
            members=sorted(ids),
        )
        yield Finding.here("ETCD_STRANGER", sentence)


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

    return _of_each(members, status)


def _of_each(members: Members, ask: Callable[[Member], T]) -> dict[str, T]:
    """Ask every member the same, all at once."""
    asked = of_each(members, lambda name: ask(members[name]))
    return {name: future.result() for name, future in asked.items()}


def _other_values(members: Members, key: str, wanted: str | None) -> Iterator[Finding]:
    read = _of_each(members, lambda member: member.get(key))
    if others := [name for name, value in read.items() if value != wanted]:
        sentence = Phrase(
            "{members} read {found} under {key}, where {wanted} was written",
            members=others,
            found=[read[name] or Phrase("nothing") for name in others],
            key=key,
            wanted=wanted or Phrase("nothing"),
        )
        yield Finding.here("ETCD_STRANGER", sentence)


def _told(answer: Status | ProbeError) -> str:
    if isinstance(answer, Status):
        return f"member {answer.id} of cluster {answer.cluster}, leader {answer.leader}"
    return answer.message
