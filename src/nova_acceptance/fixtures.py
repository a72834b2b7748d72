"""What a test of the acceptance suite may ask for, and over what it is parametrised.

A precise order: options and nova.yaml are checked before the first test, then the cluster is
found or made, its credentials read back and registered for masking, and only then the first
object is written. Whatever a fixture opens it closes; a removal that fails is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest

from nova_acceptance import masking, timeouts
from nova_acceptance.cluster import Cluster, Request, obtain
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.collect import KUBE_SYSTEM, look
from nova_acceptance.collect.values import values_of
from nova_acceptance.components.kubernetes.placement import hosts
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.registry import load
from nova_acceptance.deploy import (
    Deployment,
    Form,
    PreflightError,
    RolloutError,
    deploy,
    form_of,
    load_credentials,
    placed,
    preflight,
    remove,
    render,
)
from nova_acceptance.errors import (
    ApplyError,
    ClusterError,
    DeployError,
    NovaError,
    RenderError,
    SpecError,
)
from nova_acceptance.findings import Finding, FindingError, Ref
from nova_acceptance.kube import ApiError, Kube, Object
from nova_acceptance.kube.snapshot import UNDECLARED, Snapshot
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.progress import Progress
from nova_acceptance.report import EvidenceLog, Recorder
from nova_acceptance.system import System, parts
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.diagnosis import Diagnosis
from nova_acceptance.verification.inventory import KINDS, snapshot
from nova_acceptance.verification.parameters import parametrizations
from nova_acceptance.verification.secret_values import SecretValues
from nova_acceptance.verification.topology import node_rows

MANIFESTS: Final = "manifests"
SPEC: Final = "nova.yaml"
MULTI_NODE: Final = "multi-node"
SINGLE_NODE: Final = "single-node"


_OF_THE_CLUSTER: Final = ("Node", "StorageClass", "Service", "EndpointSlice")
_CHANGING: Final = ("Deployment", "StatefulSet", "ReplicaSet", "Pod", "Service", "EndpointSlice")
"""What may be another a moment later, in a deployment that is done."""

SYSTEM: Final = pytest.StashKey[System]()
"""Where the configuration keeps what the system should be."""
_RENDERED: Final = pytest.StashKey[list[Object]]()
"""Where it keeps what is going to be applied, where that takes no credentials of ours."""


def pytest_configure(config: pytest.Config) -> None:
    """Read nova.yaml, and manifests from elsewhere, before anything else is touched.

    Raises:
        pytest.UsageError: one is wrong; the message says file, line and field.
    """
    try:
        system = config.stash[SYSTEM] = load(config.rootpath / config.option.spec)
    except SpecError as error:
        raise pytest.UsageError(str(error)) from error
    option = config.option
    try:
        if option.manifests is not None and not option.no_deploy:
            manifests = config.rootpath / option.manifests
            if form_of(manifests) is not Form.LAYERS:
                config.stash[_RENDERED] = rendered = render(manifests)
                _hide(rendered, system)
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


@pytest.fixture(autouse=True)
def _transcribed(transcript: Transcript, evidence: EvidenceLog) -> Iterator[None]:
    with transcript.listening(evidence.add):
        yield


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config, recorder: Recorder) -> Cluster:
    """The cluster that `--cluster` names, found or made."""
    option = pytestconfig.option
    request = Request(cluster=option.cluster, nodes=option.nodes, node_image=option.node_image)
    try:
        with _shown(pytestconfig) as progress:
            return obtain(request, progress)
    except NovaError as error:
        said = verbatim(error.message)
        if error.hint:
            said = Phrase("{what} → {hint}", what=said, hint=error.hint)
        recorder.tell("no-cluster", text=said)
        raise


@pytest.fixture(scope="session")
def kube(
    pytestconfig: pytest.Config, cluster: Cluster, recorder: Recorder, diagnosis: Diagnosis
) -> Kube:
    """The cluster's API; what there is to say about the cluster is in the record from now on."""
    option = pytestconfig.option
    # Where the cluster stays; otherwise all goes with it.
    stays = cluster.remove_hint.startswith("nova-cluster remove")
    manifests = _option("--manifests", option.manifests) if stays else ""
    api = Kube(cluster.kubeconfig, cluster.context)
    diagnosis.attach(api)
    recorder.tell(
        "cluster",
        name=cluster.name,
        provider=cluster.provider,
        reason=cluster.reason,
        version=api.server_version,
        nodes=node_rows(_nodes(api)),
        reuse_hint=f"{cluster.reuse_hint}{_option('--spec', option.spec, SPEC)}",
        remove_hint=f"{cluster.remove_hint}{manifests}",
    )
    return api


@pytest.fixture(scope="session")
def deployment(
    *,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    kube: Kube,
    system: System,
    recorder: Recorder,
    diagnosis: Diagnosis,
) -> Iterator[Deployment | None]:
    """Nova, deployed and ready; None with `--no-deploy`, which takes it as it is."""
    option = pytestconfig.option
    manifests = manifests_of(pytestconfig)
    if option.no_deploy or manifests is None:
        # What may not be read is not known here, and so cannot be written either.
        with suppress(ClusterError):
            masking.register(SecretValues(kube, system.namespaces, _plain(system)).to_mask())
        recorder.tell("note", text=Phrase("--no-deploy: the system is verified as it was found"))
        diagnosis.look_around()
        yield None
        _snapshot(kube, system, recorder)
        return
    rendered = pytestconfig.stash.get(_RENDERED, None)
    with _deploying():
        overlay = "" if rendered is not None else option.overlay or _overlay(kube, system)
    objects: list[Object] = []
    try:
        with (
            _deploying(),
            _shown(pytestconfig) as progress,
            _locked(f"deploying to {kube.server}", progress),
        ):
            if rendered is None:
                # Read back under the lock: two workers must not make two passwords for one system.
                credentials = load_credentials(kube, manifests)
                masking.register(credentials.values())
                into = tmp_path_factory.mktemp("render")
                rendered = render(manifests, overlay, credentials, into)
                _hide(rendered, system)
            objects, by_default = placed(kube, rendered)
            if by_default:
                _tell_of_default(by_default, progress, recorder)
            base = look(kube, _namespaces(objects, system), system, logs=False)
            try:
                _say(preflight(kube, objects, base), progress, recorder, diagnosis)
                done = deploy(kube, objects, progress=progress, base=base, on_lost=diagnosis.lost)
            except DeployError as error:
                source = "preflight" if isinstance(error, PreflightError) else "deployment"
                diagnosis.tell(error, source)
                # What became ready only in part is verified all the same, each part for itself.
                if not (isinstance(error, RolloutError) and error.deployment):
                    raise
                done = error.deployment
        recorder.tell(
            "deployment",
            overlay=overlay,
            seconds=round(sum(done.seconds.values()), 3),
            counts={"applied": len(done.applied)},
            timeline=[asdict(pod) for pod in done.timeline],
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
    return Seen(_seen(kube, (KUBE_SYSTEM,), kinds=_OF_THE_CLUSTER), transcript)


@pytest.fixture(scope="session")
def objects(
    kube: Kube,
    transcript: Transcript,
    system: System,
    deployment: Deployment | None,  # noqa: ARG001
) -> Seen:
    """What the API says of Nova when the verification begins."""
    return Seen(_seen(kube, system.namespaces, system), transcript)


@pytest.fixture(scope="module")
def later_objects(kube: Kube, transcript: Transcript, system: System, objects: Seen) -> Seen:  # noqa: ARG001
    """What the API says of Nova a little later, when the tests of a module begin."""
    return Seen(_seen(kube, system.namespaces, system), transcript)


@pytest.fixture
def fresh_objects(
    kube: Kube,
    transcript: Transcript,
    system: System,
    deployment: Deployment | None,  # noqa: ARG001
) -> Seen:
    """What the API says of Nova's workloads, their pods and Services now."""
    return Seen(_seen(kube, system.namespaces, system, kinds=_CHANGING), transcript)


@pytest.fixture(scope="session")
def secret_values(kube: Kube, system: System, deployment: Deployment | None) -> SecretValues:  # noqa: ARG001
    """The values of Nova's Secrets; nothing that is written shows one."""
    values = SecretValues(kube, system.namespaces, _plain(system))
    masking.register(values.to_mask())
    return values


@contextmanager
def _deploying() -> Iterator[None]:
    """Have what the API forbids end the deployment as one that has failed."""
    try:
        yield
    except ApiError as error:
        if not error.forbidden:
            raise
        raise ApplyError(error.message, hint=error.hint, evidence=error.evidence) from error


def _option(name: str, value: str | None, default: str = "") -> str:
    """Return an option as a command has it, with a space before it; nothing where it is not set."""
    return f" {name}={value}" if value and value != default else ""


def _plain(system: System) -> frozenset[str]:
    """Return the keys of Secrets that hold where something outside is, and no secret."""
    return frozenset(url.key for url in parts.urls(system, inside=False))


def _hide(rendered: Sequence[Object], system: System) -> None:
    """Have no value of a rendered Secret written anywhere from now on."""
    masking.register(values_of(rendered, _plain(system)))


def _namespaces(objects: Sequence[Object], system: System) -> list[str]:
    """Return where anything of the system is, or is going to be."""
    named = (obj["metadata"].get("namespace") for obj in objects)
    return list(dict.fromkeys((*system.namespaces, *filter(None, named))))


def _tell_of_default(by_default: Sequence[Ref], progress: Progress, recorder: Recorder) -> None:
    said = Phrase("named no namespace, and so are in `default`: {objects}", objects=by_default)
    progress.say(said)
    recorder.tell("note", text=said)


def _say(
    warnings: list[Finding],
    progress: Progress,
    recorder: Recorder,
    diagnosis: Diagnosis,
) -> None:
    """Show and record what is wrong with the objects and keeps none from becoming ready."""
    for found in warnings:
        said = Phrase(
            "preflight: {cause}: {summary} → {cure}",
            cause=found.cause,
            summary=found.summary,
            cure=found.cure or Phrase(found.meaning.cure),
        )
        progress.say(said)
        recorder.tell("note", text=said, evidence=found.evidence)
        diagnosis.warn(found)


def _overlay(kube: Kube, system: System) -> str:
    spread = max(workload.replicas for workload in system.every_workload)
    return MULTI_NODE if len(hosts(kube.list("v1", "Node"))) >= spread else SINGLE_NODE


def _nodes(kube: Kube) -> list[Object]:
    """Return the nodes, or none where this user may not see them."""
    try:
        return kube.list("v1", "Node")
    except ApiError as error:
        if not error.forbidden:
            raise
        return []


def _snapshot(kube: Kube, system: System, recorder: Recorder) -> None:
    try:
        seen = _seen(kube, system.namespaces, system, kinds=KINDS)
        told = snapshot(system, Seen(seen, Transcript()))
    except ApiError as error:
        if not error.forbidden:
            raise
        text = Phrase("the state of the system is not known: {why}", why=error.forbidden)
        recorder.tell("note", text=text)
    else:
        recorder.tell("snapshot", **told)


def _seen(
    kube: Kube,
    namespaces: Sequence[str],
    system: System = UNDECLARED,
    *,
    kinds: Sequence[str] = (),
) -> Snapshot:
    """Return what there is; an API that is away for a moment is waited for."""
    return look(kube, namespaces, system, kinds=kinds, logs=False, timeout=timeouts.READING)


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
