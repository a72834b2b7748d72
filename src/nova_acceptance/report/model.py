"""A run as it is reported: verdicts, layers, components and tests.

Plain data that a renderer reads; `report.reading` builds it from a record. It knows neither
pytest nor HTML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from nova_acceptance.phrase import NOTHING, Phrase
from nova_acceptance.report.topology import Topology

LAYERS: Final = ("infrastructure", "services", "networking")
"""The layers of the acceptance, in the order in which a reader wants them."""

OTHER: Final = "other"


class Verdict(StrEnum):
    """What a run says of a system, of a layer or of a component."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCOMPLETE = "incomplete"
    NOT_VERIFIED = "not verified"


class Outcome(StrEnum):
    """What became of a test that was collected."""

    FAILED = "failed"
    ERROR = "error"
    NO_RESULT = "no result"
    NOT_ASKED = "not asked"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Problem:
    """What kept a run from being complete.

    Attributes:
        kind: a key below `words.problem` of the texts.
        values: what fills its placeholders.
    """

    kind: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifests:
    """Which manifests a run was about.

    Attributes:
        commit: the full commit of the repository they are in; empty where they are in none.
        is_changed: whether they differ from that commit.
        digest: of the manifests and nova.yaml as they were, in hexadecimal.
    """

    commit: str = ""
    is_changed: bool = False
    digest: str = ""


NO_CLUSTER: Final = "no-cluster"
"""The problem of a run that found no cluster, and so has nothing to say of the system."""
REFUSED: Final = "refused"
"""The problem of a run that was not to write to the cluster, and has nothing to say either."""
UNBEGUN: Final = frozenset({NO_CLUSTER, REFUSED})

REJECTING: Final = frozenset({Outcome.FAILED, Outcome.ERROR})
BROKEN: Final = REJECTING | {Outcome.QUARANTINED}
"""What shows that something is wrong, whether it counts or not."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a failure does not count: a reason, who mends it, and the last day, in ISO 8601."""

    reason: str
    owner: str
    until: str

    def __str__(self) -> str:
        return f"{self.until}: {self.reason} ({self.owner})"


@dataclass(slots=True)
class Test:
    """One test, or one module that could not be collected.

    Attributes:
        nodeid: pytest's name of it.
        layer: one of `LAYERS`, or `OTHER`.
        doc: the fact that it shows: the first line of its docstring.
        markers: the names of its markers.
        subjects: names that its markers and parameters give; those of components tie it to them.
        outcome: what became of it.
        seconds: set-up, call and teardown together.
        began: seconds from the run's start until its set-up; None where that is not known.
        cause: the name of the cause that explains its failure; empty where there is none.
        culprit: the object at which that cause is.
        quarantine: why its failure does not count; None where it does, or there is none.
        why_not: why it could not be asked; empty where it was.
        message: the failure in one line.
        text: the failure in full.
        evidence: dicts with the fields of `evidence.Evidence`.
        sections: captured output, (heading, text).
        worker: the worker of pytest-xdist, or "".
    """

    nodeid: str
    layer: str = OTHER
    doc: str = ""
    markers: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    outcome: Outcome = Outcome.NO_RESULT
    seconds: float = 0.0
    message: str = ""
    text: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list)
    sections: list[tuple[str, str]] = field(default_factory=list)
    worker: str = ""
    began: float | None = None
    cause: str = ""
    culprit: str = ""
    why_not: Phrase = NOTHING
    quarantine: Quarantine | None = None

    def concerns(self, component: str) -> bool:
        """Tell whether the test says something about a component."""
        return component in self.subjects or component in self.markers


Key = tuple[str, str]
"""A cause's stable name and the object at which it is."""


class Symptom(NamedTuple):
    """What a cause brought about: a cause's stable name, its object, and a sentence."""

    cause: str
    subject: str
    summary: Phrase

    @property
    def key(self) -> Key:
        """What it is known by where the run named it as well."""
        return self.cause, self.subject


class Explained(NamedTuple):
    """A failed test that a cause explains, and what else is wrong with the test's objects."""

    nodeid: str
    others: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Named:
    """A cause that the run named, with what it explains.

    Attributes:
        cause: the stable name, or `UNKNOWN`.
        subject: the object at which it is.
        summary: what is wrong, in a sentence.
        cure: what to do.
        evidence: what was seen, a line each.
        chain: the objects on the way to the subject.
        symptoms: what it brought about.
        explained: the tests that it explains.
        seconds: from the run's start until it was named.
        source: who named it first: `preflight`, `deployment` or `test`.
        collected: what was kept of it, as paths relative to the run's directory.
        follows: the cause that it is only the consequence of; None where it stands by itself.
    """

    cause: str
    subject: str
    summary: Phrase
    cure: Phrase
    evidence: tuple[str, ...]
    chain: tuple[str, ...]
    symptoms: tuple[Symptom, ...]
    explained: tuple[Explained, ...]
    seconds: float | None
    source: str = ""
    collected: tuple[str, ...] = ()
    follows: Key | None = None

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.cause, self.subject

    @property
    def tests(self) -> int:
        """How many tests it explains."""
        return len(self.explained)

    @property
    def headline(self) -> str:
        """Cause, summary and cure in one line."""
        return f"{self.cause}: {self.summary}" + (f" → {self.cure}" if self.cure else "")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the system as the last snapshot saw it, and what the tests say of it.

    Attributes:
        layer: the layer that it belongs to.
        name: its name.
        kind: the kind of its object.
        namespace: where it is.
        wanted: how many replicas, or endpoints, it is to have.
        ready: how many of them are ready.
        restarts: of all its containers; None where it has none.
        nodes: where its pods are.
        images: of its containers.
        outcomes: of the tests that are about it, one of which may be about others as well.
        is_blamed: whether a failure of one of them is its own, as far as is known.
    """

    layer: str
    name: str
    kind: str
    namespace: str
    wanted: int
    ready: int
    restarts: int | None
    nodes: tuple[str, ...]
    images: tuple[str, ...]
    outcomes: Counter[Outcome]
    is_blamed: bool = True

    @property
    def verdict(self) -> Verdict:
        """Rejected when it is not ready or a test of it failed."""
        if self.is_short:
            return Verdict.REJECTED
        return verdict_of(self.outcomes)

    @property
    def is_short(self) -> bool:
        """Whether it is not ready, and that is not what is known of it and does not count."""
        is_known = self.outcomes[Outcome.QUARANTINED] > 0
        return self.ready < self.wanted and not is_known

    @property
    def is_affected(self) -> bool:
        """Whether it is ready, and what failed about it has its cause at something else."""
        failed = verdict_of(self.outcomes) is Verdict.REJECTED
        return failed and not self.is_blamed and self.ready >= self.wanted


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: its components, and the outcomes of all of its tests."""

    name: str
    components: tuple[Component, ...]
    outcomes: Counter[Outcome]

    @property
    def verdict(self) -> Verdict:
        """Rejected when a test of it failed or a component is not ready."""
        if any(component.is_short for component in self.components):
            return Verdict.REJECTED
        return verdict_of(self.outcomes)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a report tells of one run.

    Attributes:
        name: the run's name, which is its directory's.
        started: the first event's time; None in an empty record.
        ended: the last event's time.
        finished: whether the run came to its own end.
        problems: what kept it from being complete.
        tests: in the order in which they were collected.
        deselected: tests that the command line left out.
        uncollected: layers of which it wanted none, so that nobody knows how many there are.
        cluster, deployment: the texts and numbers of these facts; empty when there are none.
        counts: objects of the system by kind, counted from the cluster.
        external: systems that are declared and not verified.
        notes: what else a reader should know.
        causes: the causes that were named, the deepest first.
        reason: why this cluster was taken.
        topology: where the system runs.
        manifests: which manifests it was about.
        usage: how often the API was asked, by what was asked; empty where that is not known.
    """

    name: str
    started: datetime | None
    ended: datetime | None
    finished: bool
    exit_status: int | None
    problems: tuple[Problem, ...]
    tests: tuple[Test, ...]
    layers: tuple[Layer, ...]
    deselected: int
    versions: dict[str, str]
    options: dict[str, Any]
    arguments: tuple[str, ...]
    cluster: dict[str, Any]
    deployment: dict[str, Any]
    counts: dict[str, int]
    external: tuple[dict[str, Any], ...]
    notes: tuple[Phrase, ...]
    causes: tuple[Named, ...] = ()
    reason: Phrase = NOTHING
    topology: Topology = field(default_factory=Topology)
    manifests: Manifests = field(default_factory=Manifests)
    usage: Mapping[str, int] = field(default_factory=dict)
    uncollected: tuple[str, ...] = ()

    @property
    def is_as_found(self) -> bool:
        """Whether it deployed nothing: what runs there need not be of its manifests."""
        return bool(self.options.get("no-deploy"))

    @property
    def identity(self) -> dict[str, str]:
        """Which run this was, of what and where; empty what its record does not tell."""
        return {
            "run": self.name,
            "cluster": str(self.cluster.get("name") or ""),
            "provider": str(self.cluster.get("provider") or ""),
            "kubernetes": str(self.cluster.get("version") or ""),
            "nodes": str(len(self.topology.nodes)),
            "overlay": str(self.deployment.get("overlay") or ""),
            "commit": self.manifests.commit,
            "digest": self.manifests.digest,
        }

    @property
    def is_partial(self) -> bool:
        """Whether it looked at a part only: tests were left out, or a layer has none."""
        unverified = (layer for layer in self.layers if layer.components and not layer.outcomes)
        return bool(self.deselected or self.uncollected) or any(unverified)

    @property
    def has_affected(self) -> bool:
        """Whether a component is merely affected by the fault of another."""
        return any(part.is_affected for layer in self.layers for part in layer.components)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many tests came to which outcome."""
        return count(self.tests)

    @property
    def seconds(self) -> float:
        """From the first event to the last."""
        if self.started is None or self.ended is None:
            return 0.0
        return (self.ended - self.started).total_seconds()

    @property
    def verdict(self) -> Verdict:
        """The whole run's verdict.

        Rejected as soon as anything failed; accepted only when the run came to its end, every
        collected test has a result and at least one passed. A run that could not be begun says
        nothing of the system.
        """
        if any(problem.kind in UNBEGUN for problem in self.problems):
            return Verdict.NOT_VERIFIED
        if any(layer.verdict is Verdict.REJECTED for layer in self.layers):
            return Verdict.REJECTED
        verdict = verdict_of(self.outcomes)
        if self.problems or not self.finished or verdict is Verdict.NOT_VERIFIED:
            return Verdict.INCOMPLETE
        return verdict


def count(tests: Iterable[Test]) -> Counter[Outcome]:
    """Count tests by outcome."""
    return Counter(test.outcome for test in tests)


def urgency(test: Test) -> tuple[int, int]:
    """Sort what needs attention first, then the layers in their order; collected order stays."""
    layer = LAYERS.index(test.layer) if test.layer in LAYERS else len(LAYERS)
    return list(Outcome).index(test.outcome), layer


def verdict_of(outcomes: Counter[Outcome]) -> Verdict:
    """Judge tests alone: what was not shown is never accepted."""
    if not outcomes.total():
        return Verdict.NOT_VERIFIED
    if any(outcomes[outcome] for outcome in REJECTING):
        return Verdict.REJECTED
    unknown = outcomes[Outcome.NO_RESULT] + outcomes[Outcome.NOT_ASKED]
    if unknown or not outcomes[Outcome.PASSED]:
        return Verdict.INCOMPLETE
    return Verdict.ACCEPTED
