"""The probes that a test of the acceptance suite may ask for.

Each is made once and is cheap to make; one that cannot be made fails every test that wants it at
once, with the cause, and nobody tries it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nova_acceptance.claims import BrokenClaimError, broken
from nova_acceptance.components.dns.lookups import ask_dns
from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.etcd.quorum import of_members, roll_call
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.network.matrix import reachability_cells
from nova_acceptance.components.network.questions import lookups, open_doors, reachability_questions
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.client import MAINTENANCE, Postgres
from nova_acceptance.components.postgres.sql import Login
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.report import Recorder
from nova_acceptance.system import System, parts
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.survey import Answers, Failures, Survey
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.askers import Askers, of_workloads
from nova_acceptance.verification.secret_values import SecretValues


@pytest.fixture(scope="session")
def service_pods(objects: Objects, system: System) -> Askers:
    """A pod of every service that has one which runs, by the service's name."""
    return of_workloads(objects, {each.name: [each.workload] for each in system.services})


@pytest.fixture(scope="session")
def namespace_pods(objects: Objects, system: System) -> Askers:
    """A pod of every namespace that has one which runs, by the namespace."""
    homes = {
        namespace: [each for each in system.every_workload if each.namespace == namespace]
        for namespace in system.namespaces
    }
    return of_workloads(objects, {name: each for name, each in homes.items() if each})


@pytest.fixture(scope="session")
def routes(kube: Kube) -> Iterator[Routes]:
    """Ways into pods and through them, for client libraries."""
    with Routes(kube) as opened:
        yield opened


@pytest.fixture(scope="session")
def dns(kube: Kube, namespace_pods: Askers, system: System) -> None:
    """The cluster's DNS answers, and soon; where it does not, nothing is asked by name at all."""
    if found := ask_dns(kube, namespace_pods.values(), system):
        raise BrokenClaimError(found)


@pytest.fixture(scope="session")
def reachability(
    *,
    kube: Kube,
    witness: Witness,
    system: System,
    objects: Objects,
    service_pods: Askers,
    namespace_pods: Askers,
    recorder: Recorder,
    dns: None,  # noqa: ARG001
) -> Survey:
    """What answers when a pod connects: every target of every service's pod, asked at once.

    A pod of each other namespace dials the open doors as well, for comparison. What comes of it is
    in the record as soon as it has been asked.
    """
    others = dict.fromkeys(namespace_pods.values(), open_doors(system))
    questions = {**others, **reachability_questions(system, objects, service_pods)}

    def record(answers: Answers, failures: Failures) -> None:
        recorder.reachability(reachability_cells(system, service_pods, answers, failures))

    return Survey(kube, witness, questions, record)


@pytest.fixture(scope="session")
def names(
    *,
    kube: Kube,
    witness: Witness,
    system: System,
    objects: Objects,
    namespace_pods: Askers,
    dns: None,  # noqa: ARG001
) -> Survey:
    """What the cluster's DNS says: every name from every namespace, asked at once."""
    questions = lookups(system, objects)
    return Survey(kube, witness, dict.fromkeys(namespace_pods.values(), questions))


@pytest.fixture(scope="session")
def ways(
    kube: Kube, system: System, objects: Objects, routes: Routes, reachability: Survey
) -> Ways:
    """The ways from pods to Services; one that the survey found closed fails with its cause."""
    return Ways(kube, system, objects, routes, reachability)


@pytest.fixture(scope="session")
def redis(
    system: System,
    ways: Ways,
    service_pods: Askers,
    secret_values: SecretValues,
    witness: Witness,
) -> Iterator[Redis]:
    """Redis through its Service, as a service's pod reaches it."""
    spec = system.redis
    workload = system.workload(spec.workload)
    front = next(front for front in parts.fronts(system) if front.name == spec.service)
    (port,) = front.service.ports.values()
    route = ways.first_to(service_pods.values(), front, port)
    password = secret_values.text(workload.namespace, spec.password.secret, spec.password.key)
    opened = Redis(route, password, witness)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres(
    system: System,
    objects: Objects,
    routes: Routes,
    passwords: Callable[[str, str], Login],
    witness: Witness,
) -> Iterator[Postgres]:
    """PostgreSQL's members, asked as the superuser from inside their pods."""
    workload = system.workload(system.postgres.workload)
    members = {pod.name: pod for pod in objects.refs_of(workload)}
    superuser = next(r for r in system.postgres.roles if "SUPERUSER" in r.attributes)
    login = passwords(superuser.name, MAINTENANCE)
    opened = Postgres(members, system.postgres.port, login, routes, witness)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def logins(
    passwords: Callable[[str, str], Login], postgres: Postgres
) -> Callable[[str, str], Login]:
    """Makes a login from the names of a role that exists and of a database.

    PostgreSQL does not tell a role that is not there from one whose password is wrong.
    """

    def login(role: str, database: str) -> Login:
        if not postgres.has_role(role):
            raise broken("ROLE_MISSING", Phrase("there is no role {role}", role=role))
        return passwords(role, database)

    return login


@pytest.fixture(scope="session")
def passwords(system: System, secret_values: SecretValues) -> Callable[[str, str], Login]:
    """Makes a login from the names of a role and a database, with the role's own password."""
    namespace = system.workload(system.postgres.workload).namespace

    def login(role: str, database: str) -> Login:
        home = system.postgres.role(role).password
        if home is None:
            raise ValueError(f"nova.yaml gives {role} no password")
        return Login(role, database, secret_values.text(namespace, home.secret, home.key))

    return login


@pytest.fixture(scope="session")
def etcd(system: System, objects: Objects, routes: Routes, witness: Witness) -> dict[str, Member]:
    """The members of etcd by the names of their pods."""
    pods = objects.refs_of(system.workload(system.etcd.workload))
    return {pod.name: Member(routes.to(pod, system.etcd.client_port), witness) for pod in pods}


@pytest.fixture(scope="session")
def quorum(etcd: dict[str, Member], system: System) -> None:
    """The members of etcd agree; where they do not, nothing is written through them."""
    wanted = system.workload(system.etcd.workload).replicas
    found = of_members(roll_call(etcd), wanted)
    if found:
        raise BrokenClaimError(found)


@pytest.fixture(scope="session")
def patroni(kube: Kube, system: System, objects: Objects, witness: Witness) -> Patroni:
    """Every member's Patroni, each asked from inside its pod."""
    pods = objects.refs_of(system.workload(system.postgres.workload))
    members = {pod.name: pod for pod in pods}
    return Patroni(kube, members, system.postgres.patroni_port, witness)
