"""The clients that a test of the acceptance suite may ask for.

Each is made once and is cheap to make; one that cannot be made fails every test that wants it at
once, with the cause, and nobody tries it again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_acceptance.components.dns import questions as dns_questions
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.lookups import ask_dns
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints, vantage_points
from nova_acceptance.components.network import questions as reachability_questions
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.network.matrix import reachability_cells
from nova_acceptance.findings import FindingError
from nova_acceptance.kube import Kube
from nova_acceptance.report import Recorder
from nova_acceptance.system import System
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.survey import Answers, Failures, Survey
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients, RunAccess
from nova_acceptance.verification.secret_values import SecretValues


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
def routes(kube: Kube) -> Iterator[Routes]:
    """Routes into pods and through them, for client libraries."""
    with Routes(kube) as opened:
        yield opened


@pytest.fixture(scope="session")
def dns(kube: Kube, namespace_pods: VantagePoints, system: System) -> None:
    """The cluster's DNS answers, and soon; where it does not, nothing is asked by name at all."""
    if found := ask_dns(kube, namespace_pods.values(), system):
        raise FindingError(found)


@pytest.fixture(scope="session")
def reachability(
    *,
    kube: Kube,
    transcript: Transcript,
    system: System,
    objects: Seen,
    component_pods: VantagePoints,
    namespace_pods: VantagePoints,
    recorder: Recorder,
    dns: None,  # noqa: ARG001
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

    return Survey(kube, transcript, questions, record)


@pytest.fixture(scope="session")
def lookups(
    *,
    kube: Kube,
    transcript: Transcript,
    system: System,
    objects: Seen,
    namespace_pods: VantagePoints,
    dns: None,  # noqa: ARG001
) -> Lookups:
    """What the cluster's DNS says: every name from every namespace, asked at once."""
    questions = dns_questions.every_question(system, objects)
    survey = Survey(kube, transcript, dict.fromkeys(namespace_pods.values(), questions))
    return Lookups(survey, namespace_pods, objects, system)


@pytest.fixture(scope="session")
def connections(
    *,
    kube: Kube,
    system: System,
    objects: Seen,
    routes: Routes,
    reachability: Survey,
    component_pods: VantagePoints,
) -> Connections:
    """Connections from pods to Services; one that the survey found closed fails with its cause."""
    return Connections(
        kube=kube,
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
