"""From a test that failed to the cause that explains it, by looks at the cluster that are few.

A look costs a round of lists, and one broken thing makes many tests fail: a look serves all that
fail within a few seconds, and after a number of looks the last one serves all the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.diagnosis import (
    BY_ID,
    Diagnosis,
    Doctor,
    Explanation,
    Ranked,
    Ref,
    Snapshot,
    ref,
)
from nova_acceptance.diagnosis.families import (
    dns,
    etcd,
    postgres,
    presence,
    redis,
    selection,
    services,
)
from nova_acceptance.diagnosis.status import status_of
from nova_acceptance.diagnosis.workloads import workload_of
from nova_acceptance.errors import NovaError
from nova_acceptance.probes.answers import of_error
from nova_acceptance.probes.claims import Shown
from nova_acceptance.probes.concerned import API, Concerned, home_of, of_workload
from nova_acceptance.system import System

UNKNOWN: Final = "UNKNOWN"
MOST_LOOKS: Final = 10
"""Looks at the cluster that a run takes for its failures."""
_LINES: Final = 12

_URL: Final = frozenset(
    {
        "STALE_ENDPOINT_URL",
        "URL_TARGET_WRONG",
        "URL_PORT_WRONG",
        "URL_DATABASE_WRONG",
        "URL_USER_WRONG",
        "URL_PASSWORD_WRONG",
        "URL_SCHEME_WRONG",
    }
)
_OF_SERVICES: Final = frozenset(
    cause.id
    for cause in (*presence.CAUSES, *services.CAUSES, *selection.CAUSES)
    if not cause.is_symptom
)
_OF_THE_DATA: Final = frozenset(
    cause.id for cause in (*etcd.CAUSES, *postgres.CAUSES, *redis.CAUSES)
)
_OF_NAMES: Final = frozenset(cause.id for cause in dns.CAUSES)
_ANY: Final = frozenset({"*"})

EXPLAINED_BY: Final[dict[str, frozenset[str]]] = {
    "ETCD_QUORUM_LOST": _ANY,
    "ETCD_MEMBER_LOST": _ANY,
    "DNS_DOWN": _ANY,
    "NETWORK_CUT": frozenset({"NETWORK_POLICY_DENIES", "NODE_NOT_READY"}),
    "PRIMARY_READ_ONLY": frozenset({"ETCD_QUORUM_LOST", "DISK_FULL", "TWO_LEADERS"}),
    "PASSWORD_REFUSED": _URL,
    "ADMISSION_REFUSED": _URL,
    "ROLE_MISSING": _URL,
    "DATABASE_MISSING": _URL,
    "REDIS_WRONG_PASSWORD": _URL,
    "REDIS_READ_ONLY": _URL,
    "SERVICE_UNHEALTHY": _OF_SERVICES,
    "SELECTOR_WRONG": _OF_SERVICES,
    "PRIMARY_SERVICE_ASTRAY": _OF_SERVICES | {"TWO_LEADERS"},
    "DNS_WRONG_ANSWER": _OF_SERVICES | {"DNS_ZONE_LOST"},
    "DNS_NO_SPECIFICATION": frozenset({"DNS_ZONE_LOST"}),
    "NAME_RESOLVES_WRONGLY": _OF_SERVICES | {"HOST_ALIAS_WRONG"},
    "PORT_UNDECLARED_OPEN": _OF_SERVICES,
    "TIMELINE_DIVERGED": frozenset({"TWO_LEADERS"}),
    "REPLICA_LAGS": frozenset({"TWO_LEADERS"}),
    # what is on its way out because of something else
    "POD_LEFT_OVER": frozenset({"REPLICAS_WRONG", "NODE_NOT_READY", "NAMESPACE_TERMINATING"}),
    "CLAIM_LEFT_OVER": frozenset({"REPLICAS_WRONG"}),
    **dict.fromkeys(_URL, _URL),
}
"""What a cluster's objects may show that an answer is only the consequence of.

A wrong password is PostgreSQL's answer, and the URL that holds it the cause.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a test failed, as reports show it.

    Attributes:
        explanation: the causes; empty where none is known.
        summary: what failed, for the case that none is known.
        seen: what was seen of the objects concerned, a line each.
        refs: the objects that tell of it.
    """

    explanation: Explanation
    summary: str
    seen: tuple[str, ...]
    refs: tuple[Ref, ...]

    @property
    def root(self) -> Diagnosis | None:
        """The first cause; None where none is known."""
        return self.explanation.causes[0].root if self.explanation.causes else None

    @property
    def headline(self) -> str:
        """The one line that a reader needs."""
        if self.root:
            return self.explanation.headline
        return f"{UNKNOWN}: {self.summary} → no known cause explains it; what was seen is below"

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings tell of the same cause."""
        said = self.as_dict()
        return said["cause"], said["subject"]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of a diagnosis in the record."""
        root = self.root
        symptoms = self.explanation.causes[0].symptoms if root else ()
        others = [each.root for each in self.explanation.causes[1:]]
        return {
            "cause": root.cause.id if root else UNKNOWN,
            "subject": str(root.subject) if root else str(next(iter(self.refs), "")),
            "summary": root.summary if root else self.summary,
            "cure": (root.cure or root.cause.cure) if root else "",
            "evidence": list(root.evidence if root else self.seen),
            "chain": [str(each) for each in self.explanation.chain],
            "symptoms": [_brief(each) for each in symptoms],
            "others": [_brief(each) for each in others],
        }

    def lines(self) -> list[str]:
        """Return the headline and what belongs to it, line by line."""
        said = self.as_dict()
        found = [self.headline]
        if len(said["chain"]) > 1:
            found.append(f"  the way there: {' → '.join(said['chain'])}")
        found += [f"  seen: {line}" for line in said["evidence"][:_LINES]]
        found += [f"  with it: {each['cause']}: {each['summary']}" for each in said["symptoms"]]
        found += [f"  besides: {each['cause']}: {each['summary']}" for each in said["others"]]
        return found


class Examiner:
    """Explains failures by looks at one cluster; threads may share it.

    Args:
        look: takes a look at the cluster.
        system: what nova.yaml says.
        clock: seconds.
    """

    def __init__(
        self,
        look: Callable[[], Snapshot],
        system: System,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._system = system
        self._clock = clock
        self._lock = threading.Lock()
        self._doctor: Doctor | None = None
        self._failure: NovaError | None = None
        self._looked = float("-inf")
        self._looks = 0

    @property
    def snapshot(self) -> Snapshot | None:
        """What the last look saw; None where there was none."""
        return self._doctor.snapshot if self._doctor else None

    def explain(self, concerned: Concerned, shown: Shown | None, summary: str) -> Finding:
        """Return why a test failed.

        Args:
            concerned: its objects.
            shown: what the failure itself shows, if anything.
            summary: what failed, in a sentence.
        """
        own = self._diagnosis(shown, concerned) if shown else None
        if own and not own.is_symptom and own.cause.id not in EXPLAINED_BY:
            known = self.fresh() if _is_of_the_api(own) else None
            return self._finding(_alone(own), concerned, summary, known)
        doctor = self.fresh()
        if doctor is None:
            own = own or self._unreachable()
            return self._finding(_alone(own) if own else Explanation(()), concerned, summary, None)
        found = self._by_objects(doctor, concerned, own)
        return self._finding(found, concerned, summary, doctor)

    def overall(self) -> tuple[Ranked, ...]:
        """Return all that the cluster's objects show to be wrong; nothing where it is away."""
        doctor = self.fresh()
        return doctor.overall() if doctor else ()

    def fresh(self) -> Doctor | None:
        """Return a look that is recent, or the last one once there were many; None if it failed."""
        with self._lock:
            is_recent = self._clock() - self._looked < timeouts.LOOK_SERVES
            if is_recent or self._looks >= MOST_LOOKS:
                return self._doctor
            self._looks += 1
            try:
                self._doctor, self._failure = Doctor(self._look()), None
            except NovaError as error:
                self._doctor, self._failure = None, error
            self._looked = self._clock()
            return self._doctor

    def _by_objects(
        self, doctor: Doctor, concerned: Concerned, own: Diagnosis | None
    ) -> Explanation:
        weak = own if own and own.is_symptom else None
        best: Explanation | None = None
        start: list[Ref] = []
        for tier in concerned.tiers or ((),):
            start += _with_workloads(doctor.snapshot, tier)
            found = doctor.explain(start, weak)
            if more := [each for each in self._behind(found, own) if each not in start]:
                start += more
                found = doctor.explain(start, weak)
            if said := _said_by(found, own):
                return said
            best = best if best and best.causes else found
        if own and (not weak or own.cause.id in _OF_THE_DATA):
            return _alone(own)
        if beneath := [each for each in self._beneath(start) if each not in start]:
            start += beneath
            if said := _said_by(doctor.explain(start, weak), own):
                return said
        return _specific(best) if best else Explanation(())

    def _beneath(self, start: Iterable[Ref]) -> Iterator[Ref]:
        """Yield what a workload stands on although it runs: Patroni waits for etcd in silence."""
        if of_workload(self._system.workload(self._system.postgres.workload)) in start:
            yield of_workload(self._system.workload(self._system.etcd.workload))

    def _behind(self, found: Explanation, own: Diagnosis | None) -> Iterator[Ref]:
        """Yield objects behind what was found that no configuration names."""
        causes = {
            each.cause.id for ranked in found.causes for each in (ranked.root, *ranked.symptoms)
        } | ({own.cause.id} if own else set())
        if causes & {"NO_LEADER", "PRIMARY_READ_ONLY", "DATABASE_STARTING"}:
            yield of_workload(self._system.workload(self._system.etcd.workload))
        if causes & {"SPREAD_LOST"} and self.snapshot:
            for node in self.snapshot.of_kind("Node"):
                yield Ref("Node", "", node["metadata"]["name"])
        if own and own.cause.id in ("POD_LEFT_OVER", "CLAIM_LEFT_OVER"):
            for workload in self._system.every_workload:
                if workload.namespace in (own.subject.namespace, own.subject.name):
                    yield of_workload(workload)
        servers = home_of("DNS_DOWN", self._system)
        if servers and causes & _OF_NAMES:
            yield servers

    def _diagnosis(self, shown: Shown, concerned: Concerned) -> Diagnosis:
        subject = (
            shown.subject
            or home_of(shown.cause, self._system)
            or next(iter((*concerned.targets, *concerned.askers)), API)
        )
        return Diagnosis(
            BY_ID[shown.cause], subject, shown.sentence, shown.cure, evidence=shown.evidence
        )

    def _unreachable(self) -> Diagnosis | None:
        shown = of_error(self._failure) if self._failure else None
        return self._diagnosis(shown, Concerned((API,))) if shown else None

    def _finding(
        self, found: Explanation, concerned: Concerned, summary: str, doctor: Doctor | None
    ) -> Finding:
        asked = (*concerned.targets, *concerned.askers)
        refs = dict.fromkeys((*found.chain, *(each.root.subject for each in found.causes), *asked))
        seen = tuple(_seen(doctor.snapshot, concerned.targets)) if doctor else ()
        return Finding(found, summary, seen, tuple(refs))


def _said_by(found: Explanation, own: Diagnosis | None) -> Explanation | None:
    """Return the explanation from its first cause that is none of a symptom, and fits."""
    fits = _ANY if own is None or own.is_symptom else EXPLAINED_BY[own.cause.id]
    fits |= {own.cause.id} if own else set()
    causes = [
        each
        for each in found.causes
        if not each.root.is_symptom and ("*" in fits or each.root.cause.id in fits)
    ]
    if not causes:
        return None
    rest = tuple(each for each in found.causes if each not in causes)
    return replace(found, causes=(*causes, *rest))


def _specific(found: Explanation) -> Explanation:
    """Put what a database says of itself before what its pods' probes say of it."""
    every = [each for ranked in found.causes for each in (ranked.root, *ranked.symptoms)]
    named = [each for each in every if each.cause.id in _OF_THE_DATA]
    if not named:
        return found
    root, *_ = named
    rest = [ranked for ranked in found.causes if ranked.root is not root]
    return replace(found, causes=(Ranked(root), *rest))


def _alone(own: Diagnosis) -> Explanation:
    return Explanation((Ranked(own),), (own.subject,))


def _with_workloads(snapshot: Snapshot, tier: Iterable[Ref]) -> Iterator[Ref]:
    """Yield objects, and after a pod its workload, at which most that is wrong with it is told."""
    for where in tier:
        yield where
        pod = snapshot.at(where) if where.kind == "Pod" else None
        workload = workload_of(snapshot, pod) if pod else None
        if workload:
            yield ref(workload)


def _is_of_the_api(own: Diagnosis) -> bool:
    """Whether a diagnosis is about objects, of which a look tells more."""
    return own.subject != API


def _brief(each: Diagnosis) -> dict[str, str]:
    return {"cause": each.cause.id, "subject": str(each.subject), "summary": each.summary}


def _seen(snapshot: Snapshot, refs: Iterable[Ref]) -> Iterator[str]:
    for where in refs:
        found = snapshot.at(where)
        if found is None:
            known = snapshot.knows(where.kind, where.namespace)
            yield f"{where}: {'absent' if known else 'not looked at'}"
            continue
        endpoints = snapshot.get("Endpoints", where.namespace, where.name)
        status = status_of(found, endpoints)
        yield f"{where}: {status.message or status.reason or status.state.value}"
    yield from snapshot.unread
