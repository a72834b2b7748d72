"""The deployment of the system: the one fixture that writes it, and what comes before and after.

What is to be applied is rendered and looked at before the first write, the run holds the system
from then on, and what became ready only in part is verified all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pytest

from nova_acceptance import masking
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.collect import is_whole, look
from nova_acceptance.components.kubernetes.placement import hosts
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.deploy import (
    Deployment,
    PreflightError,
    RolloutError,
    deploy,
    load_credentials,
    placed,
    preflight,
    remove,
    render,
)
from nova_acceptance.deploy.unfinished import Unfinished
from nova_acceptance.errors import (
    ApplyError,
    ClusterError,
    DeployError,
)
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.fixtures import (
    AT_FIRST,
    RENDERED,
    SECRETS,
    SYSTEM,
    hide,
    manifests_of,
    nodes_of,
    seen_of,
    shown,
)
from nova_acceptance.kube import ApiError, Kube, Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from nova_acceptance.report import Recorder
from nova_acceptance.system import System
from nova_acceptance.tenancy import Hold, beginning, command_of, removing
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.diagnosis import Diagnosis
from nova_acceptance.verification.inventory import KINDS, snapshot
from nova_acceptance.verification.secret_values import SecretValues

MULTI_NODE: Final = "multi-node"
SINGLE_NODE: Final = "single-node"
_VERIFYING: Final = "verifying"


@pytest.fixture(scope="session")
def deployment(
    *,
    pytestconfig: pytest.Config,
    kube: Kube,
    system: System,
    recorder: Recorder,
    diagnosis: Diagnosis,
    hold: Hold,
) -> Iterator[Deployment | None]:
    """Nova, deployed and ready; None with `--no-deploy`, which takes it as it is.

    From here on the run holds the system, so that no other one disturbs it.
    """
    option = pytestconfig.option
    manifests = manifests_of(pytestconfig)
    if option.no_deploy or manifests is None:
        with shown(pytestconfig) as progress:
            hold.take(_VERIFYING, progress)
        _tell_of_unfinished(hold, recorder)
        _look(pytestconfig, kube, system, diagnosis)
        said = Phrase("--no-deploy: the system is verified as it was found")
        if option.read_only:
            said = Phrase("--read-only: the system is verified as it was found, without a write")
        recorder.tell("note", text=said)
        _keep(pytestconfig, diagnosis.look_around())
        yield None
        _snapshot(kube, system, recorder)
        return
    with _deploying():
        overlay = overlay_for(pytestconfig, kube, system)
    objects: list[Object] = []

    def planning() -> tuple[list[Object], Snapshot]:
        # Under the lock: two runs, or two workers, must not make two passwords for one system.
        rendered = rendered_for(pytestconfig, kube, manifests, overlay)
        return _planned(kube, system, rendered, progress, recorder, diagnosis)

    try:
        with (
            _deploying(),
            shown(pytestconfig) as progress,
            beginning(
                kube,
                hold,
                plan=planning,
                lock=lambda: _locked(f"deploying to {kube.server}", progress),
                progress=progress,
                command=command_of(pytestconfig),
            ) as begun,
        ):
            objects, base = begun.objects, begun.base
            try:
                with begun.marked():
                    done = deploy(
                        kube, objects, progress=progress, base=base, on_lost=diagnosis.lost
                    )
            except DeployError as error:
                diagnosis.tell(error, "deployment")
                # What became ready only in part is verified all the same, each part for itself.
                if not (isinstance(error, RolloutError) and error.deployment):
                    raise
                done = error.deployment
            hold.take(_VERIFYING, progress)
        recorder.tell(
            "deployment",
            overlay=overlay,
            seconds=round(sum(done.seconds.values()), 3),
            counts={"applied": len(done.applied)},
            timeline=[asdict(pod) for pod in done.timeline],
            phases=done.seconds,
        )
        _keep(pytestconfig, _snapshot(kube, system, recorder, kinds=()))
        yield done
    finally:
        # Of a deployment that failed, too: what there is, and its removal where that was asked for.
        try:
            _snapshot(kube, system, recorder)
        finally:
            if option.teardown and objects and hold.tenure.is_lost:
                recorder.tell("note", text=Phrase("--teardown: what another run holds stays"))
            elif option.teardown and objects:
                with shown(pytestconfig) as progress:
                    hold.take("removing", progress)
                    with removing(hold, objects, command_of(pytestconfig)):
                        remove(kube, objects, progress)


def _look(config: pytest.Config, kube: Kube, system: System, diagnosis: Diagnosis) -> None:
    """Look at a system that is verified as it was found, and read its Secrets meanwhile."""
    with ThreadPoolExecutor(1) as beside:
        hiding = beside.submit(_hide_secrets, config, kube, system)
        diagnosis.look()
        hiding.result()


def _hide_secrets(config: pytest.Config, kube: Kube, system: System) -> None:
    """Have nothing that the system's Secrets hold written anywhere from now on.

    What may not be read is not known here, and so cannot be written either.
    """
    with suppress(ClusterError):
        config.stash[SECRETS] = secrets = SecretValues.of(kube, system)
        masking.register(secrets.to_mask())


def overlay_for(config: pytest.Config, kube: Kube, system: System) -> str:
    """Return the overlay that is deployed; empty where the manifests have none."""
    if config.stash.get(RENDERED, None) is not None:
        return ""
    return config.option.overlay or _overlay(kube, system)


def rendered_for(config: pytest.Config, kube: Kube, manifests: Path, overlay: str) -> list[Object]:
    """Return what is applied, with passwords that the cluster has already, or new ones.

    No value of its Secrets is written anywhere from now on.
    """
    rendered = config.stash.get(RENDERED, None)
    if rendered is None:
        credentials = load_credentials(kube, manifests)
        rendered = render(manifests, overlay, credentials)
        hide(rendered, config.stash[SYSTEM])
    return rendered


def namespaces_for(objects: Sequence[Object], system: System) -> list[str]:
    """Return where anything of the system is, or is going to be."""
    named = (obj["metadata"].get("namespace") for obj in objects)
    return list(dict.fromkeys((*system.namespaces, *filter(None, named))))


def _planned(  # noqa: PLR0917 - what there is to tell goes to three
    kube: Kube,
    system: System,
    rendered: list[Object],
    progress: Progress,
    recorder: Recorder,
    diagnosis: Diagnosis,
) -> tuple[list[Object], Snapshot]:
    """Return what is to be applied, and what there is; nothing is written.

    Raises:
        PreflightError: it cannot become ready.
    """
    objects, by_default = placed(kube, rendered)
    if by_default:
        _tell_of_default(by_default, progress, recorder)
    base = look(kube, namespaces_for(objects, system), system, logs=False)
    try:
        _say(preflight(kube, objects, base), progress, recorder, diagnosis)
    except PreflightError as error:
        diagnosis.tell(error, "preflight")
        raise
    return objects, base


@contextmanager
def _deploying() -> Iterator[None]:
    """Have what the API forbids end the deployment as one that has failed."""
    try:
        yield
    except ApiError as error:
        if not error.forbidden:
            raise
        raise ApplyError(error.message, hint=error.hint, evidence=error.evidence) from error


def _tell_of_unfinished(hold: Hold, recorder: Recorder) -> None:
    """Record that what is verified was never deployed to its end."""
    if left := Unfinished.read(hold.tenure.unfinished):
        said = Phrase(
            "a {deed} was broken off by run {run}: {command}",
            deed=left.deed,
            run=left.run,
            command=left.command,
        )
        recorder.tell("note", text=said)


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
    """Return the overlay that the nodes have room for; that of one where they may not be seen."""
    spread = max(workload.replicas for workload in system.every_workload)
    return MULTI_NODE if len(hosts(nodes_of(kube))) >= spread else SINGLE_NODE


def _keep(config: pytest.Config, seen: Snapshot | None) -> None:
    """Let what was seen serve the tests that ask what there was when the verification began."""
    if seen is not None and is_whole(seen):
        config.stash[AT_FIRST] = seen


def _snapshot(
    kube: Kube, system: System, recorder: Recorder, *, kinds: Sequence[str] = KINDS
) -> Snapshot | None:
    """Record the state of the system, and return what was seen; None where it may not be read."""
    try:
        seen = seen_of(kube, system.namespaces, system, kinds=kinds)
        told = snapshot(system, Seen(seen, Transcript()))
    except ApiError as error:
        if not error.forbidden:
            raise
        text = Phrase("the state of the system is not known: {why}", why=error.forbidden)
        recorder.tell("note", text=text)
        return None
    recorder.tell("snapshot", **told)
    return seen


def _locked(purpose: str, progress: Progress) -> AbstractContextManager[None]:
    """Let one worker, and one run of this user, do it at a time."""
    name = re.sub(r"[^a-z0-9]+", "-", purpose)
    return exclusive(Home.of_user().root / "locks" / name, purpose, progress)
