"""What a test of the acceptance suite may ask for, and over what it is parametrised.

A precise order: options and nova.yaml are checked before the first test, then the cluster is
found or made, its credentials read back and registered for masking, and only then the first
object is written. Whatever a fixture opens it closes; a removal that fails is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import pytest

from nova_acceptance import masking
from nova_acceptance.cluster import Cluster, Request, obtain
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.deploy import Deployment, deploy, load_credentials, remove, render
from nova_acceptance.errors import ClusterError, SpecError
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.probes.etcd import Member
from nova_acceptance.probes.nodes import hosts
from nova_acceptance.probes.objects import Objects
from nova_acceptance.probes.patroni import Patroni
from nova_acceptance.probes.plans import absent_names, lookups, reachability_questions
from nova_acceptance.probes.postgres import MAINTENANCE, Postgres
from nova_acceptance.probes.redis import Redis
from nova_acceptance.probes.routes import Routes
from nova_acceptance.probes.secret_values import SecretValues
from nova_acceptance.probes.snapshot import counts, external_rows, rows
from nova_acceptance.probes.sql import Login
from nova_acceptance.probes.survey import Survey
from nova_acceptance.probes.witness import Witness
from nova_acceptance.progress import Progress
from nova_acceptance.report import EvidenceLog, Recorder
from nova_acceptance.system import System, load, parts

MANIFESTS: Final = "manifests"
MULTI_NODE: Final = "multi-node"
SINGLE_NODE: Final = "single-node"


_SYSTEM: Final = pytest.StashKey[System]()
_Named = Iterable[Any]

PARAMETERS: Final[Mapping[str, Callable[[System], _Named]]] = {
    "namespace": lambda system: system.namespaces,
    "workload": lambda system: system.every_workload,
    "claim": lambda system: [c for w in system.every_workload for c in w.claimed],
    "configuration": lambda system: system.every_configuration,
    "front": parts.fronts,
    "headless": lambda system: [f for f in parts.fronts(system) if f.service.headless],
    "clustered": lambda system: [f for f in parts.fronts(system) if not f.service.headless],
    "door": parts.doors,
    "passage": parts.passages,
    "service": lambda system: system.services,
    "use": lambda system: parts.uses(system, inside=True),
    "external_use": lambda system: parts.uses(system, inside=False),
    "absent": absent_names,
    "certificate": lambda system: system.certificates,
    "database": lambda system: system.postgres.databases,
    "schema": parts.schemas,
    "spec_role": lambda system: system.postgres.roles,
    "reach": parts.reaches,
}
"""Over what a test runs that takes an argument of that name."""


def pytest_configure(config: pytest.Config) -> None:
    """Read nova.yaml, before anything else is touched.

    Raises:
        pytest.UsageError: it is wrong; the message says file, line and field.
    """
    try:
        config.stash[_SYSTEM] = load(config.rootpath / config.option.spec)
    except SpecError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over every part of nova.yaml that one of its arguments stands for."""
    for name, listed in PARAMETERS.items():
        if name in metafunc.fixturenames:
            found = list(listed(metafunc.config.stash[_SYSTEM]))
            metafunc.parametrize(name, found, ids=[_spelled(item) for item in found])


def _spelled(item: Any) -> str:
    return item if isinstance(item, str) else str(item.name)


@pytest.fixture(scope="session")
def system(pytestconfig: pytest.Config) -> System:
    """What the system should be."""
    return pytestconfig.stash[_SYSTEM]


@pytest.fixture(scope="session")
def witness() -> Witness:
    """Takes down what the probes ask, for the test that is running."""
    return Witness()


@pytest.fixture(autouse=True)
def _witnessed(witness: Witness, evidence: EvidenceLog) -> Iterator[None]:
    with witness.listening(evidence.add):
        yield


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """The cluster that `--cluster` names, found or made."""
    option = pytestconfig.option
    with _shown(pytestconfig) as progress:
        request = Request(cluster=option.cluster, nodes=option.nodes, node_image=option.node_image)
        return obtain(request, progress)


@pytest.fixture(scope="session")
def kube(cluster: Cluster, recorder: Recorder) -> Kube:
    """The cluster's API; what there is to say about the cluster is in the record from now on."""
    api = Kube(cluster.kubeconfig, cluster.context)
    recorder.cluster(
        name=cluster.name,
        provider=cluster.provider,
        reason=cluster.reason,
        version=api.server_version,
        nodes=[node["metadata"]["name"] for node in api.list("v1", "Node")],
        reuse_hint=cluster.reuse_hint,
        remove_hint=cluster.remove_hint,
    )
    return api


@pytest.fixture(scope="session")
def deployment(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    kube: Kube,
    system: System,
    recorder: Recorder,
) -> Iterator[Deployment | None]:
    """Nova, deployed and ready; None with `--no-deploy`, which takes it as it is."""
    option = pytestconfig.option
    manifests = pytestconfig.rootpath / MANIFESTS
    if option.no_deploy:
        masking.register(load_credentials(kube, manifests).values())
        recorder.note("--no-deploy: the system is verified as it was found")
        yield None
        _snapshot(kube, system, recorder)
        return
    overlay = option.overlay or _overlay(kube, system)
    objects: list[Object] = []
    try:
        with _shown(pytestconfig) as progress, _locked(f"deploying to {kube.server}", progress):
            # Read back under the lock: two workers must not make two passwords for one system.
            credentials = load_credentials(kube, manifests)
            masking.register(credentials.values())
            objects = render(manifests, overlay, credentials, tmp_path_factory.mktemp("render"))
            done = deploy(kube, objects, progress=progress)
        recorder.deployment(
            overlay=overlay,
            seconds=round(sum(done.seconds.values()), 3),
            counts={"applied": len(done.applied)},
            timeline=[pod.as_dict() for pod in done.timeline],
            phases=done.seconds,
        )
        _snapshot(kube, system, recorder)
        yield done
    finally:
        # Of a deployment that failed, too: what there is, and its removal where that was asked for.
        try:
            _snapshot(kube, system, recorder)
        finally:
            if option.teardown and objects:
                with _shown(pytestconfig) as progress:
                    remove(kube, objects, progress)


@pytest.fixture(scope="session")
def cluster_objects(kube: Kube, witness: Witness) -> Objects:
    """What the API says of the cluster itself, whether Nova can be deployed or not."""
    return Objects(kube, witness)


@pytest.fixture(scope="session")
def objects(kube: Kube, witness: Witness, deployment: Deployment | None) -> Objects:  # noqa: ARG001
    """What the API says of Nova when the verification begins."""
    return Objects(kube, witness)


@pytest.fixture
def fresh_objects(kube: Kube, witness: Witness, deployment: Deployment | None) -> Objects:  # noqa: ARG001
    """What the API says of Nova now."""
    return Objects(kube, witness)


@pytest.fixture(scope="session")
def secret_values(kube: Kube, system: System, deployment: Deployment | None) -> SecretValues:  # noqa: ARG001
    """The values of Nova's Secrets; nothing that is written shows one."""
    plain = frozenset(item.url_key for item in system.external)
    values = SecretValues(kube, system.namespaces, plain)
    masking.register(values.to_mask())
    return values


@pytest.fixture(scope="session")
def service_pods(objects: Objects, system: System) -> dict[str, PodRef]:
    """A pod of every service, by the service's name."""
    return {service.name: _pod(objects, system, service.name) for service in system.services}


@pytest.fixture(scope="session")
def namespace_pods(objects: Objects, system: System) -> dict[str, PodRef]:
    """A pod of every namespace, by the namespace."""
    found: dict[str, PodRef] = {}
    for workload in system.every_workload:
        if workload.namespace not in found:
            found[workload.namespace] = _pod(objects, system, workload.name)
    return found


@pytest.fixture(scope="session")
def routes(kube: Kube) -> Iterator[Routes]:
    """Ways into pods and through them, for client libraries."""
    with Routes(kube) as opened:
        yield opened


@pytest.fixture(scope="session")
def reachability(
    kube: Kube,
    witness: Witness,
    system: System,
    objects: Objects,
    service_pods: dict[str, PodRef],
) -> Survey:
    """What answers when a service's pod connects: every target of every service, asked at once."""
    return Survey(kube, witness, reachability_questions(system, objects, service_pods))


@pytest.fixture(scope="session")
def names(
    kube: Kube,
    witness: Witness,
    system: System,
    objects: Objects,
    namespace_pods: dict[str, PodRef],
) -> Survey:
    """What the cluster's DNS says: every name from every namespace, asked at once."""
    questions = lookups(system, objects)
    return Survey(kube, witness, dict.fromkeys(namespace_pods.values(), questions))


@pytest.fixture(scope="session")
def redis(
    system: System,
    routes: Routes,
    service_pods: dict[str, PodRef],
    secret_values: SecretValues,
    witness: Witness,
) -> Iterator[Redis]:
    """Redis through its Service, as a service's pod reaches it."""
    spec = system.redis
    workload = system.workload(spec.workload)
    front = next(front for front in parts.fronts(system) if front.name == spec.service)
    (port,) = front.service.ports.values()
    route = routes.through(next(iter(service_pods.values())), front.full_name(system.zone), port)
    password = secret_values.text(workload.namespace, spec.password.secret, spec.password.key)
    opened = Redis(route, password, witness)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres(
    system: System,
    objects: Objects,
    routes: Routes,
    logins: Callable[[str, str], Login],
    witness: Witness,
) -> Iterator[Postgres]:
    """PostgreSQL's members, asked as the superuser from inside their pods."""
    workload = system.workload(system.postgres.workload)
    members = {pod.name: pod for pod in objects.refs_of(workload)}
    superuser = next(r for r in system.postgres.roles if "SUPERUSER" in r.attributes)
    login = logins(superuser.name, MAINTENANCE)
    opened = Postgres(members, system.postgres.port, login, routes, witness)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def logins(system: System, secret_values: SecretValues) -> Callable[[str, str], Login]:
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
def patroni(kube: Kube, system: System, objects: Objects, witness: Witness) -> Patroni:
    """Every member's Patroni, each asked from inside its pod."""
    pods = objects.refs_of(system.workload(system.postgres.workload))
    members = {pod.name: pod for pod in pods}
    return Patroni(kube, members, system.postgres.patroni_port, witness)


def _pod(objects: Objects, system: System, workload: str) -> PodRef:
    pods = objects.refs_of(system.workload(workload))
    if not pods:
        raise ClusterError(
            f"{workload} has no pod to ask from",
            hint="`kubectl get pods -A` shows what there is; deploy without --no-deploy",
        )
    return pods[0]


def _overlay(kube: Kube, system: System) -> str:
    spread = max(workload.replicas for workload in system.every_workload)
    return MULTI_NODE if len(hosts(kube.list("v1", "Node"))) >= spread else SINGLE_NODE


def _snapshot(kube: Kube, system: System, recorder: Recorder) -> None:
    now = Objects(kube, Witness())
    recorder.snapshot(rows(system, now), counts=counts(system, now), external=external_rows(system))


def _locked(purpose: str, progress: Progress) -> AbstractContextManager[None]:
    """Let one worker, and one run of this user, do it at a time."""
    name = re.sub(r"[^a-z0-9]+", "-", purpose)
    return exclusive(Home.of_user().root / "locks" / name, purpose, progress)


@contextmanager
def _shown(config: pytest.Config) -> Iterator[Progress]:
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield Progress()
        return
    with capture.global_and_fixture_disabled():
        yield Progress()
