"""What is wrong with a PostgreSQL by the word of its members' Patronis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.patroni.client import Patroni, View
from nova_acceptance.components.postgres.checks.admission import refused_followers
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase


@check
def other_leader(patroni: Patroni, leader: str) -> Iterator[Finding]:
    """Find that a member's Patroni takes another for the leader, or none of them names one.

    Args:
        patroni: every member's.
        leader: who leads, by PostgreSQL itself.
    """
    named = {name: view.leader for name, view in patroni.views.items()}
    evidence = [f"{name}: {other or 'none'}" for name, other in named.items()]
    if not any(named.values()):
        sentence = Phrase("no member's Patroni names a leader")
        yield Finding.here("NO_LEADER", sentence, *evidence)
    elif others := sorted(name for name, other in named.items() if other != leader):
        sentence = Phrase(
            "PostgreSQL's leader is {leader}, and Patroni says otherwise in {members}",
            leader=leader,
            members=others,
        )
        yield Finding.here("TWO_LEADERS", sentence, *evidence)


@check
def other_replicas(patroni: Patroni, postgres: Postgres, spec: Spec) -> Iterable[Finding]:
    """Find that a member's Patroni does not count all others as replicas that follow."""
    counted = {name: view.replicas for name, view in patroni.views.items()}
    wanted = frozenset(postgres.replicas)
    others = sorted(name for name in postgres.members if counted.get(name) != wanted)
    if not others:
        return []
    sentence = Phrase(
        "the replicas that follow are {wanted}, and Patroni says otherwise in {members}",
        wanted=sorted(wanted) or Phrase("none"),
        members=others,
    )
    evidence = [f"{name}: {', '.join(sorted(each))}" for name, each in counted.items()]
    is_alone = not all(counted.values())
    return (is_alone and refused_followers(postgres, spec)) or [
        Finding.here("REPLICA_NOT_STREAMING", sentence, *evidence)
    ]


@check
def diverged_timelines(patroni: Patroni) -> Iterator[Finding]:
    """Find that members follow histories of their own."""
    views = patroni.views
    evidence = [f"{name}: {_numbers(view)}" for name, view in views.items()]
    if apart := [name for name, view in views.items() if len(view.timelines) != 1]:
        sentence = Phrase(
            "Patroni sees the members on the timelines {timelines}, not on one, in {members}",
            timelines=sorted({number for view in views.values() for number in view.timelines})
            or Phrase("none"),
            members=apart,
        )
        yield Finding.here("TIMELINE_DIVERGED", sentence, *evidence)
    elif not views:
        yield Finding.here("NO_LEADER", Phrase("no member's Patroni names a leader"))


def _numbers(view: View) -> str:
    return ", ".join(map(str, sorted(view.timelines))) or "none"
