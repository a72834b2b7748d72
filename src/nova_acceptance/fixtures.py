"""What a test of the acceptance suite may ask for, and over what it is parametrised.

A precise order: options and nova.yaml are checked before the first test, then the cluster is
found or made, its credentials read back and registered for masking, and only then the first
object is written. Whatever a fixture opens it closes; a removal that fails is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import pytest

from nova_acceptance import masking, secrecy, timeouts
from nova_acceptance.cluster import Cluster, Request, consent, obtain
from nova_acceptance.collect import KUBE_SYSTEM, look
from nova_acceptance.components.kubernetes.reboots import rebooted_nodes
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.services import without_load_balancer
from nova_acceptance.components.kubernetes.storage import without_class
from nova_acceptance.components.registry import load
from nova_acceptance.deploy import (
    Deployment,
    Form,
    form_of,
    render,
)
from nova_acceptance.errors import (
    RenderError,
    SpecError,
)
from nova_acceptance.findings import FindingError
from nova_acceptance.kube import ApiError, Kube, Object, Writing
from nova_acceptance.kube.snapshot import UNDECLARED, Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from nova_acceptance.report import Recorder
from nova_acceptance.system import System, parts
from nova_acceptance.system.sample import Sample, sampled
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.diagnosis import Diagnosis
from nova_acceptance.verification.parameters import parametrizations
from nova_acceptance.verification.secret_values import SecretValues, plain_keys
from nova_acceptance.verification.survival import require_permission
from nova_acceptance.verification.topology import node_rows

MANIFESTS: Final = "manifests"
SPEC: Final = "nova.yaml"


_OF_THE_CLUSTER: Final = ("Node", "StorageClass", "Service", "EndpointSlice")
_CLAIMING: Final = ("Deployment", "StatefulSet", "PersistentVolumeClaim")
_CHANGING: Final = ("Deployment", "StatefulSet", "ReplicaSet", "Pod", "Service", "EndpointSlice")
"""What may be another a moment later, in a deployment that is done."""
_RESTARTING: Final = (*_CHANGING, "Node", "Event")
"""The same, and what says why a container has restarted."""

SYSTEM: Final = pytest.StashKey[System]()
"""Where the configuration keeps what the system should be."""
SAMPLE: Final = pytest.StashKey[Sample]()
"""Where it keeps how many of the connections are tried."""
RENDERED: Final = pytest.StashKey[list[Object]]()
"""Where it keeps what is going to be applied, where that takes no credentials of ours."""

AT_FIRST: Final = pytest.StashKey[Snapshot]()
"""Where it keeps what the API said when the system was deployed, or as it was found."""

SECRETS: Final = pytest.StashKey[SecretValues]()
"""Where it keeps what the Secrets held of a system that is verified as it was found."""


def pytest_configure(config: pytest.Config) -> None:
    """Read nova.yaml, and manifests from elsewhere, before anything else is touched.

    Raises:
        pytest.UsageError: one is wrong; the message says file, line and field.
    """
    try:
        system = load(config.rootpath / config.option.spec)
    except SpecError as error:
        raise pytest.UsageError(str(error)) from error
    option = config.option
    config.stash[SAMPLE] = sampled(system, option.sample_seed)
    config.stash[SYSTEM] = system = config.stash[SAMPLE].system
    try:
        if option.manifests is not None and not option.no_deploy:
            manifests = config.rootpath / option.manifests
            if form_of(manifests) is not Form.LAYERS:
                config.stash[RENDERED] = rendered = render(manifests)
                hide(rendered, system)
    except RenderError as error:
        raise pytest.UsageError(f"--manifests: {error}") from error


def manifests_of(config: pytest.Config) -> Path | None:
    """Return the manifests that a run is about; None where it verifies another system as it is."""
    option = config.option
    root = config.rootpath
    if option.manifests is None and option.no_deploy:
        is_another = (root / option.spec).resolve() != (root / SPEC).resolve()
        return None if is_another else root / MANIFESTS
    return root / str(option.manifests or MANIFESTS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over every part of nova.yaml that one of its arguments stands for."""
    for found in parametrizations(metafunc.config.stash[SYSTEM], metafunc.fixturenames):
        if found.values:
            metafunc.parametrize(found.names, found.values, ids=found.ids)
        else:
            nothing = pytest.param(*found.names, marks=pytest.mark.pointless, id="nothing")
            metafunc.parametrize(found.names, [nothing])


@pytest.fixture(scope="session")
def system(pytestconfig: pytest.Config) -> System:
    """What the system should be."""
    return pytestconfig.stash[SYSTEM]


@pytest.fixture(scope="session")
def transcript() -> Transcript:
    """What the clients ask and what comes back, for the test that is running."""
    return Transcript()


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """The cluster that `--cluster` names, found or made."""
    option = pytestconfig.option
    request = Request(
        cluster=option.cluster,
        nodes=option.nodes,
        node_image=option.node_image,
        may_create=not option.no_deploy,
        is_looking=option.read_only,
    )
    with shown(pytestconfig) as progress:
        return obtain(request, progress)


@pytest.fixture(scope="session")
def may_disrupt(pytestconfig: pytest.Config, cluster: Cluster) -> None:
    """Disruptive tests run on this cluster; every one of them asks this before anything else."""
    require_permission(
        is_local=cluster.is_local,
        is_allowed=pytestconfig.option.allow_disruptive,
        context=cluster.context,
    )


@pytest.fixture(scope="session")
def kube(
    pytestconfig: pytest.Config, cluster: Cluster, recorder: Recorder, diagnosis: Diagnosis
) -> Iterator[Kube]:
    """The cluster's API; what there is to say about the cluster is in the record from now on.

    At the end how often it was asked.
    """
    option = pytestconfig.option
    # Where the cluster stays; otherwise all goes with it.
    stays = cluster.remove_hint.startswith("nova-cluster remove")
    manifests = _option("--manifests", option.manifests) if stays else ""
    writing = Writing.NEVER if option.read_only else Writing.FREELY
    api = Kube(cluster.kubeconfig, cluster.context, writing, is_local=cluster.is_local)
    diagnosis.attach(api)
    recorder.tell(
        "cluster",
        name=cluster.name,
        provider=cluster.provider,
        reason=cluster.reason,
        version=api.server_version,
        nodes=node_rows(nodes_of(api)),
        reuse_hint=f"{cluster.reuse_hint}{_option('--spec', option.spec, SPEC)}",
        remove_hint=f"{cluster.remove_hint}{manifests}",
    )
    if not api.verifies:
        said = Phrase(
            "the kubeconfig says insecure-skip-tls-verify: nothing shows that {server} is the "
            "cluster",
            server=api.server,
        )
        recorder.tell("note", text=said)
    if not option.read_only:
        # Every other run writes, be it a probe pod: here is what comes before that.
        command = ["pytest", *map(str, pytestconfig.invocation_params.args)]
        with shown(pytestconfig) as progress:
            consent.require(cluster, api, option.allow_cluster, progress, command=command)
    yield api
    recorder.tell("usage", **api.usage)


@pytest.fixture(scope="module")
def healthy(deployment: Deployment | None, diagnosis: Diagnosis, system: System) -> None:  # noqa: ARG001
    """Nothing is known to be wrong with the system; otherwise a disruptive test stops here.

    For tests that kill pods: each asks it before anything else.
    """
    if found := diagnosis.unwell(
        each.name for each in system.components if each.layer == "infrastructure"
    ):
        raise FindingError(found)


@pytest.fixture(scope="session")
def cluster_objects(kube: Kube, transcript: Transcript) -> Seen:
    """What the API says of the cluster itself, whether Nova can be deployed or not."""
    return Seen(seen_of(kube, (KUBE_SYSTEM,), kinds=_OF_THE_CLUSTER), transcript)


@pytest.fixture(scope="session")
def classless_claims(
    pytestconfig: pytest.Config, kube: Kube, system: System
) -> Sequence[Phrase] | None:
    """The claims that name no storage class; None where those of nova.yaml are not all there."""
    there = pytestconfig.stash.get(AT_FIRST, None) or seen_of(
        kube, system.namespaces, system, kinds=_CLAIMING
    )
    if any(there.at(it.ref) is None for it in system.every_workload if it.claims):
        return None
    return without_class(there)


@pytest.fixture(scope="session")
def objects(
    *,
    pytestconfig: pytest.Config,
    kube: Kube,
    transcript: Transcript,
    system: System,
    recorder: Recorder,
    deployment: Deployment | None,  # noqa: ARG001
) -> Seen:
    """What the API says of Nova when the verification begins."""
    there = pytestconfig.stash.get(AT_FIRST, None) or seen_of(kube, system.namespaces, system)
    if nodes := rebooted_nodes(there):
        said = [f"{node} ({at})" if at else node for node, at in sorted(nodes.items())]
        text = Phrase("restarts of containers that ended with their node: {nodes}", nodes=said)
        recorder.tell("note", text=text)
    if services := without_load_balancer(there):
        text = Phrase("no load balancer has given an address to {services}", services=services)
        recorder.tell("note", text=text)
    return Seen(there, transcript)


def _while_nobody_disturbs(
    fixture_name: str,  # noqa: ARG001
    config: pytest.Config,
) -> Literal["session", "module"]:
    """Return a scope: between the modules of a worker of pytest-xdist another may disturb all."""
    return "module" if hasattr(config, "workerinput") else "session"


@pytest.fixture(scope=_while_nobody_disturbs)
def later_objects(kube: Kube, transcript: Transcript, system: System, objects: Seen) -> Seen:  # noqa: ARG001
    """What the API says of Nova a little later, when the first test wants to know."""
    return Seen(seen_of(kube, system.namespaces, system, kinds=_RESTARTING), transcript)


@pytest.fixture
def fresh_objects(
    kube: Kube,
    transcript: Transcript,
    system: System,
    deployment: Deployment | None,  # noqa: ARG001
) -> Seen:
    """What the API says of Nova's workloads, their pods and Services now."""
    return Seen(seen_of(kube, system.namespaces, system, kinds=_CHANGING), transcript)


@pytest.fixture(scope="session")
def secret_values(
    pytestconfig: pytest.Config,
    kube: Kube,
    system: System,
    deployment: Deployment | None,  # noqa: ARG001
) -> SecretValues:
    """The values of Nova's Secrets; nothing that is written shows one."""
    values = pytestconfig.stash.get(SECRETS, None)
    if values is None:
        values = SecretValues.of(kube, system)
        masking.register(values.to_mask())
    return values


def _option(name: str, value: str | None, default: str = "") -> str:
    """Return an option as a command has it, with a space before it; nothing where it is not set."""
    return f" {name}={value}" if value and value != default else ""


def hide(rendered: Sequence[Object], system: System) -> None:
    """Have nothing secret of rendered objects written anywhere from now on."""
    told = parts.passwords(system)
    masking.register(secrecy.secrets_among(rendered, plain=plain_keys(system), told=told))


def nodes_of(kube: Kube) -> list[Object]:
    """Return the nodes, or none where this user may not see them."""
    try:
        return kube.list("v1", "Node")
    except ApiError as error:
        if not error.forbidden:
            raise
        return []


def seen_of(
    kube: Kube,
    namespaces: Sequence[str],
    system: System = UNDECLARED,
    *,
    kinds: Sequence[str] = (),
) -> Snapshot:
    """Return what there is; an API that is away for a moment is waited for."""
    return look(kube, namespaces, system, kinds=kinds, logs=False, timeout=timeouts.READING)


@contextmanager
def shown(config: pytest.Config) -> Iterator[Progress]:
    """Yield what shows progress on the terminal, whatever pytest captures meanwhile."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield Progress()
        return
    with capture.global_and_fixture_disabled():
        yield Progress()
