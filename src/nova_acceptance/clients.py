"""The clients that a test of the acceptance suite may ask for.

Each is made once and is cheap to make; one that cannot be made fails every test that wants it at
once, with the cause, and nobody tries it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest

from nova_acceptance.cluster.runs import Run
from nova_acceptance.components.dns import questions as dns_questions
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.lookups import ask_pilot, wrong_dns
from nova_acceptance.components.kubernetes.policies import distinguishing
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints, vantage_points
from nova_acceptance.components.network import questions as reachability_questions
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.network.enforcement import open_despite
from nova_acceptance.components.network.matrix import reachability_cells
from nova_acceptance.components.network.questions import dial
from nova_acceptance.components.network.settling import early_answers
from nova_acceptance.components.wanted import Wanted, foreseen, names
from nova_acceptance.findings import Finding, FindingError, Ref, ref
from nova_acceptance.fixtures import SAMPLE
from nova_acceptance.kube import ApiError, Kube, PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.report import Recorder
from nova_acceptance.system import Component, Passage, System
from nova_acceptance.tenancy import DISRUPTIVE
from nova_acceptance.turns import BACKGROUND
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.left_over import remove_left_over
from nova_acceptance.vantage.outcomes import Outcome, outcome_of
from nova_acceptance.vantage.places import PlaceKind, Places
from nova_acceptance.vantage.probe_pods import IMAGE, Settings
from nova_acceptance.vantage.questions import Exchanged
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.survey import Answers, Failures, Survey
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients, RunAccess
from nova_acceptance.verification.diagnosis import Diagnosis
from nova_acceptance.verification.secret_values import SecretValues
from nova_acceptance.verification.survival import Survival
from nova_acceptance.verification.url_trials import TriedUrls

_FROM_MANY_PODS: Final = ("reachability", "connections", "way")
"""Fixtures by which a test asks from a pod of its own; for others one or two pods are asked."""
_ASKED_LAST: Final = "lookups"
"""The fixture of what is asked once that has been."""
_FELT: Final = "denial"
"""The parameter of tests that wait until nobody looks into their server."""
_ASKED_AFTERWARDS: Final = frozenset({"dns_answers", "later_objects"})
"""Fixtures of what is not known as soon as the system has been looked at."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests behind those that can run while it is asked what they read.

    First come those that read what is known already, last those that disturb the system. Of a
    component there is the more to wait for, the more it is asked.
    """
    asked = Counter(map(_component_of, items))

    def turn(item: pytest.Item) -> tuple[int, ...]:
        component = _component_of(item)
        return (
            item.get_closest_marker(DISRUPTIVE) is not None,
            names(item, _ASKED_LAST),
            names(item, *_FROM_MANY_PODS),
            names(item, _FELT),
            not _ASKED_AFTERWARDS.isdisjoint(getattr(item, "fixturenames", ())),
            asked[component] if component else 0,
        )

    items.sort(key=turn)


def _component_of(item: pytest.Item) -> str:
    """Return the name of the component that a test is about; empty where it is about none."""
    if not (isinstance(item, pytest.Function) and hasattr(item, "callspec")):
        return ""
    values = item.callspec.params.values()
    return next((each.name for each in values if isinstance(each, Component)), "")


@pytest.fixture(scope="session")
def component_pods(objects: Seen, system: System) -> VantagePoints:
    """A pod of every component that has one which runs, by the component's name."""
    return vantage_points(objects, {each.name: [each.workload] for each in system.components})


@pytest.fixture(scope="session")
def namespace_pods(objects: Seen, system: System) -> VantagePoints:
    """A pod of every namespace that has one which runs, by the namespace."""
    homes = {
        namespace: [each for each in system.every_workload if each.namespace == namespace]
        for namespace in system.namespaces
    }
    return vantage_points(objects, {name: each for name, each in homes.items() if each})


@pytest.fixture(scope="session")
def places(
    *,
    pytestconfig: pytest.Config,
    kube: Kube,
    system: System,
    objects: Seen,
    recorder: Recorder,
    run: Run,
) -> Iterator[Places]:
    """From where the network of each pod is asked; what was made for it is gone at the end."""
    option = pytestconfig.option
    if not option.read_only:
        remove_left_over(kube, system.namespaces, run.is_alive)
    settings = Settings(
        option.probe_image or IMAGE,
        is_own=not option.probe_pods,
        is_ephemeral=option.ephemeral,
        is_writing=not option.read_only,
        run=run.id,
    )
    with Places(kube, settings) as opened:
        yield opened
        _tell(opened, objects, recorder)


@pytest.fixture(scope="session")
def routes(places: Places) -> Iterator[Routes]:
    """Routes into pods and through them, for client libraries."""
    with Routes(places) as opened:
        yield opened


@pytest.fixture(scope="session")
def pilot(
    *,
    places: Places,
    routes: Routes,
    namespace_pods: VantagePoints,
    system: System,
    transcript: Transcript,
) -> Iterator[Future[Outcome[dict[PodRef, list[Exchanged]]]]]:
    """What the cluster's DNS answers a pod of every namespace, asked once, from now on."""

    def answers() -> dict[PodRef, list[Exchanged]]:
        found = ask_pilot(places, namespace_pods.values(), system, routes)
        transcript.add(*(answer.evidence for answers in found.values() for answer in answers))
        return found

    pool = ThreadPoolExecutor(1, thread_name_prefix="pilot")
    try:  # interrupted in `submit`, it may have a thread that would wait for ever
        yield pool.submit(outcome_of, answers)
    finally:
        # its routes are closed next: a run that is interrupted does not wait for an answer
        pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture(scope="session")
def dns_answers(
    pilot: Future[Outcome[dict[PodRef, list[Exchanged]]]],
) -> Outcome[dict[PodRef, list[Exchanged]]]:
    """The same, once it is there."""
    return pilot.result()


@pytest.fixture(scope="session")
def dns_finding(
    places: Places,
    dns_answers: Outcome[dict[PodRef, list[Exchanged]]],
    component_pods: VantagePoints,
    system: System,
) -> Outcome[Finding | None]:
    """What is wrong with the cluster's DNS, or with the way there, asked once."""
    return outcome_of(
        lambda: wrong_dns(places, dns_answers.answer(), system, component_pods.values())
    )


@pytest.fixture(scope="session")
def dns(dns_finding: Outcome[Finding | None]) -> None:
    """The cluster's DNS answers, and soon; where it does not, nothing is asked by name at all."""
    if found := dns_finding.answer():
        raise FindingError(found)


@pytest.fixture(scope="session")
def reachability(
    *,
    places: Places,
    routes: Routes,
    transcript: Transcript,
    system: System,
    objects: Seen,
    component_pods: VantagePoints,
    namespace_pods: VantagePoints,
    recorder: Recorder,
    diagnosis: Diagnosis,
    dns: None,  # noqa: ARG001
    pytestconfig: pytest.Config,
) -> Survey:
    """What answers when a pod connects: every target of every component's pod, asked at once.

    A pod of each other namespace tries the open ports as well, for comparison. What comes of it is
    in the record as soon as it has been asked.
    """
    questions = reachability_questions.every_question(system, objects, component_pods)
    for pod in namespace_pods.values():
        asked = [*questions.get(pod, ()), *reachability_questions.open_ports(system)]
        questions[pod] = list(dict.fromkeys(asked))

    def record(answers: Answers, failures: Failures) -> None:
        cells = reachability_cells(system, component_pods, answers, failures)
        recorder.tell("reachability", cells=cells)

        def state(passage: Passage) -> str:
            pod = component_pods.get(passage.source.name)
            question = dial(passage.door.front, passage.door.port, system)
            answer = answers.get((pod, question)) if pod else None
            if not (pod and answer) or places.of(pod).kind is PlaceKind.PROBE_POD:
                return ""
            return answer.state

        # Policies of a namespace that this user may not read close nothing that is known here.
        if said := open_despite(objects.bare(), system, state):
            recorder.tell("note", text=said)
            diagnosis.policies_unenforced()

    sample = pytestconfig.stash[SAMPLE]
    if sample.tried < sample.named:
        said = Phrase(
            "of {named} connections that `reachability` names by whole namespaces {tried} are "
            "tried, a sample: `--sample-seed {seed}` draws it again",
            named=sample.named,
            tried=sample.tried,
            seed=str(pytestconfig.option.sample_seed),
        )
        recorder.tell("note", text=said)
    unsettled = early_answers(system, objects, component_pods)
    return Survey(places, transcript, questions, record, unsettled, routes=routes)


@pytest.fixture(scope="session")
def lookups(
    *,
    places: Places,
    routes: Routes,
    transcript: Transcript,
    system: System,
    objects: Seen,
    namespace_pods: VantagePoints,
    dns: None,  # noqa: ARG001
) -> Lookups:
    """What the cluster's DNS says: every name from every namespace, asked at once."""
    questions = dns_questions.every_question(system, objects)
    asked = dict.fromkeys(namespace_pods.values(), questions)
    survey = Survey(places, transcript, asked, routes=routes)
    return Lookups(survey, namespace_pods, objects, system)


@pytest.fixture(scope="session")
def connections(
    *,
    places: Places,
    system: System,
    objects: Seen,
    routes: Routes,
    reachability: Survey,
    component_pods: VantagePoints,
) -> Connections:
    """Connections from pods to Services; one that the survey found closed fails with its cause."""
    return Connections(
        places=places,
        system=system,
        objects=objects,
        routes=routes,
        survey=reachability,
        pods=component_pods,
    )


@pytest.fixture(scope="session")
def access(
    transcript: Transcript, connections: Connections, secret_values: SecretValues
) -> RunAccess:
    """How clients reach the components."""
    return RunAccess(transcript, connections, secret_values)


@pytest.fixture(scope="session")
def clients(access: RunAccess) -> Iterator[Clients]:
    """A client of each component."""
    opened = Clients(access)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def background(
    pytestconfig: pytest.Config,
    clients: Clients,  # noqa: ARG001 - they are closed later
) -> Iterator[Background]:
    """Where it is asked what is known to be wanted, while other tests run."""
    with Background() as opened:
        pytestconfig.stash[BACKGROUND] = opened
        yield opened


@pytest.fixture(scope="session")
def urls(
    connections: Connections,
    transcript: Transcript,
    clients: Clients,
    secret_values: SecretValues,
    background: Background,  # noqa: ARG001 - which is closed before
) -> TriedUrls:
    """The URLs in the components' Secrets, tried from inside the component's own pod."""
    return TriedUrls(connections, transcript, clients, secret_values)


@pytest.hookimpl(tryfirst=True)
def pytest_nova_foresee(request: pytest.FixtureRequest) -> None:
    """What pods reach is asked in the background, then all names, and the URLs that tests try.

    Reachability and names at once would be more than a DNS takes that has one core.
    """
    wanted, tried = Wanted.by(request.node, _ASKED_LAST), Wanted.by(request.node, "way")
    is_wanted = any(Wanted.by(request.node, it).by_name() for it in _FROM_MANY_PODS)
    survey: Survey | None = foreseen(request, "reachability") if is_wanted else None
    lookups: Lookups | None = foreseen(request, "lookups") if wanted.tests() else None
    tests = tried.tests()
    urls: TriedUrls | None = foreseen(request, "urls") if tests else None
    surveys = [*([survey] if survey else []), *([lookups.survey] if lookups else [])]
    background: Background | None = foreseen(request, "background") if surveys or urls else None
    if background is None:
        return
    if surveys:
        first, *others = surveys
        first.begin(background, *others)
    if urls:
        urls.foresee(background, [parts["url"] for parts in tests])
    wanted.begun(background)


@pytest.fixture(scope="session")
def survival(access: RunAccess, clients: Clients, system: System) -> Survival:
    """Says whether what a pod holds would outlive it, each time anew."""
    return Survival(access, clients, system)


def _tell(places: Places, objects: Seen, recorder: Recorder) -> None:
    """Record once from where the pods' networks were asked."""
    for kind, pods in places.used().items():
        if not pods:
            continue
        said = {
            PlaceKind.CONTAINER: Phrase(
                "asked from inside their own containers: {pods}", pods=pods
            ),
            PlaceKind.EPHEMERAL: Phrase("asked from ephemeral containers in: {pods}", pods=pods),
            PlaceKind.PROBE_POD: Phrase("asked from probe pods in place of: {pods}", pods=pods),
        }
        recorder.tell("note", text=said[kind])
        if kind is PlaceKind.PROBE_POD and (policies := _distinguishing(objects, pods)):
            told = Phrase(
                "probe pods are judged by other rules than the pods in whose place they ask: "
                "{policies} selects pods by their labels",
                policies=sorted(policies),
            )
            recorder.tell("note", text=told)


def _distinguishing(objects: Seen, pods: Iterable[PodRef]) -> set[Ref]:
    """Return the policies that tell pods from the probe pods that ask in their place.

    Where they may not be read, whoever takes an answer for the pod's own is told so.
    """
    try:
        seen = [objects.get("Pod", pod.namespace, pod.name) for pod in pods]
        return {ref(it) for pod in seen if pod for it in distinguishing(objects, pod)}
    except ApiError as error:
        if not error.forbidden:
            raise
        return set()
