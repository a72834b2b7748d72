"""What a system says by its own protocols, asked by `nova-cluster diagnose`.

Only what changes nothing is asked, and only what the user has the rights for. What could not be
asked is neither right nor wrong, and is told with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import randbelow
from typing import Final

from nova_acceptance import masking
from nova_acceptance.components.dns import questions as dns_questions
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.lookups import ask_dns
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.vantage_points import vantage_points
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.network.questions import every_question, open_ports
from nova_acceptance.components.network.settling import early_answers
from nova_acceptance.diagnosis.coverage import COMPONENTS, Asked, Topic, Unasked
from nova_acceptance.errors import NovaError, UnaskedError
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Kube, forbidden
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import System, parts
from nova_acceptance.system.sample import sampled
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.survey import Survey
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients, RunAccess
from nova_acceptance.verification.answers import of_error
from nova_acceptance.verification.examiner import Examiner
from nova_acceptance.verification.protocol_questions import (
    Opened,
    Question,
    of_components,
    of_network,
    unknown,
)
from nova_acceptance.verification.scope import scope_of
from nova_acceptance.verification.secret_values import SecretValues
from nova_acceptance.verification.visible import visible

_UNSAID: Final = "nova.yaml does not say what runs there"
_LEFT_OUT: Final = "--api-only"
_NOT_RUNNING: Final = "no container of it runs"
_NO_KIND: Final = "nothing is known to ask of its kind"


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of asking.

    Attributes:
        findings: what is wrong, each with its object, and with the cause that objects show for it.
        asked: what was asked, and what could not be.
    """

    findings: tuple[Finding, ...]
    asked: Asked


def ask(kube: Kube, snapshot: Snapshot, *, is_api_only: bool = False) -> Answers:
    """Ask a system all that is known to be asked without changing anything.

    Args:
        kube: the API.
        snapshot: what its objects showed a moment ago, with what nova.yaml says.
        is_api_only: whether nothing is asked but the API.
    """
    declared = snapshot.system
    if is_api_only or not declared.components:
        return Answers((), Asked(why_nothing=_LEFT_OUT if is_api_only else _UNSAID))
    system, hidden = visible(declared, snapshot)
    answered = Round(Examiner(lambda: snapshot, system), system)
    answered.leave_components(hidden)
    if system.components:
        try:
            # this command makes nothing on a cluster
            with _opened(Places(kube), snapshot, system) as opened:
                _ask_all(opened, answered)
        except NovaError as error:
            return Answers((), Asked(why_nothing=_reason(error)))
    return answered.answers()


def _ask_all(opened: Opened, answered: Round) -> None:
    """Ask components first; by names and across the network only where the DNS answers."""
    questions = list(of_components(opened))
    names = (each.name for each in unknown(opened.system, (it.topic for it in questions)))
    answered.leave_components(dict.fromkeys(names, _NO_KIND))
    # of one without a pod most checks find nothing, which is no answer
    running = opened.connections.pods
    answered.leave((it for it in questions if it.topic.name not in running), _NOT_RUNNING)
    answered.ask(it for it in questions if it.topic.name in running)
    places = opened.connections.places
    try:
        wrong = ask_dns(
            places,
            opened.lookups.points.values(),
            opened.system,
            opened.connections.pods.values(),
        )
    except NovaError:
        wrong = None  # every question by a name says it of itself
    if wrong:
        cause = answered.take(wrong, ()).cause
        answered.leave(of_network(opened), f"{cause}, told above")
    else:
        answered.ask(of_network(opened))


class Round:
    """Questions asked one after the other, and what came of them.

    Args:
        examiner: finds the cause that objects show for what is found.
        system: what nova.yaml says.
    """

    def __init__(self, examiner: Examiner, system: System) -> None:
        self._examiner = examiner
        self._system = system
        self._found: dict[tuple[object, ...], Finding] = {}
        self._answered: dict[Topic, int] = {}
        self._unasked: dict[Topic, str] = {}
        self._lost: set[Topic] = set()

    def ask(self, questions: Iterable[Question]) -> None:
        """Ask, one after the other, without asking again where nobody answered."""
        for each in questions:
            self._answered.setdefault(each.topic, 0)
            if each.topic not in self._lost:
                self._ask(each)

    def leave(self, questions: Iterable[Question], why: str) -> None:
        """Take down that questions are not asked, and why."""
        for each in questions:
            self._answered.setdefault(each.topic, 0)
            self._unasked.setdefault(each.topic, why)

    def leave_components(self, why: Mapping[str, str]) -> None:
        """Take down the components that are not asked, and why, by their names."""
        self._unasked |= {Topic(COMPONENTS, name): said for name, said in why.items()}

    def answers(self) -> Answers:
        """Return what came of all of it."""
        unasked = [
            Unasked(topic, why, was_begun=self._answered.get(topic, 0) > 0)
            for topic, why in self._unasked.items()
        ]
        asked = [topic for topic in self._answered if topic not in self._unasked]
        return Answers(tuple(self._found.values()), Asked(tuple(asked), tuple(unasked)))

    def take(self, found: Finding, about: Iterable[object]) -> Finding:
        """Keep what was found, by its cause, and return that."""
        scope = scope_of(self._system, about)
        why = self._examiner.explain(scope, found, found.summary).root or found
        return self._found.setdefault(why.key, why)

    def _ask(self, question: Question) -> None:
        topic = question.topic
        try:
            shown = list(question.find())
        except Exception as error:  # noqa: BLE001 - a client's library raises what it will
            if question.is_last:
                self._lost.add(topic)
            may_not = isinstance(error, UnaskedError) or forbidden(error)
            if may_not or (answer := of_error(error)) is None:
                self._unasked.setdefault(topic, _reason(error))
            else:
                cause = self.take(answer, question.about).cause
                self._unasked.setdefault(topic, f"{cause}, told above")
            return
        self._answered[topic] += 1
        for one in shown:
            self.take(one, question.about)


def _reason(error: BaseException) -> str:
    """Return in one line why something could not be asked."""
    if refused := forbidden(error):
        return str(refused.forbidden)
    if isinstance(error, NovaError):
        return error.message
    return f"{type(error).__name__}: {error}".splitlines()[0]


@contextmanager
def opened_clients(places: Places, snapshot: Snapshot, system: System) -> Iterator[Clients]:
    """Yield a client of each component, for a command that is no run.

    Args:
        places: from where components are asked.
        snapshot: what the cluster's objects showed a moment ago.
        system: what nova.yaml says.

    Raises:
        NovaError: what clients need to know of the cluster could not be read.
    """
    with _opened(places, snapshot, system) as opened:
        yield opened.clients


@contextmanager
def _opened(places: Places, snapshot: Snapshot, system: System) -> Iterator[Opened]:
    transcript = Transcript()
    system = sampled(system, randbelow(10**6)).system
    secrets = SecretValues(
        places.kube,
        system.namespaces,
        frozenset(url.key for url in parts.urls(system, inside=False)),
        parts.passwords(system),
    )
    masking.register(secrets.to_mask())
    objects = Seen(snapshot, transcript)
    points = vantage_points(objects, {it.name: [it.workload] for it in system.components})
    homes = {
        namespace: [each for each in system.every_workload if each.namespace == namespace]
        for namespace in system.namespaces
    }
    at_home = vantage_points(objects, {name: each for name, each in homes.items() if each})
    questions = every_question(system, objects, points)
    for pod in at_home.values():  # they try the open ports as well, for comparison
        questions[pod] = list(dict.fromkeys([*questions.get(pod, ()), *open_ports(system)]))
    names = dns_questions.every_question(system, objects)
    lookups = Survey(places, transcript, dict.fromkeys(at_home.values(), names))
    with Routes(places) as routes:
        connections = Connections(
            places=places,
            system=system,
            objects=objects,
            routes=routes,
            survey=Survey(
                places,
                transcript,
                questions,
                unsettled=early_answers(system, objects, points),
            ),
            pods=points,
        )
        clients = Clients(RunAccess(transcript, connections, secrets))
        try:
            yield Opened(
                system=system,
                clients=clients,
                connections=connections,
                lookups=Lookups(lookups, at_home, objects, system),
                secrets=secrets,
                transcript=transcript,
            )
        finally:
            clients.close()
