"""`--dry-run`: what a deployment would change, told in the place of every test.

No record is written: nothing was verified.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence

import pytest

from nova_acceptance import masking
from nova_acceptance.cluster import Request, obtain
from nova_acceptance.collect import look
from nova_acceptance.deploy import Fate, PreflightError, Rehearsed, placed, preflight, rehearse
from nova_acceptance.deploying import namespaces_for, overlay_for, rendered_for
from nova_acceptance.errors import DeployError, NovaError, RefusedError, UsageError
from nova_acceptance.fixtures import SYSTEM, manifests_of
from nova_acceptance.kube import Kube, Object, Writing
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.progress import Progress
from nova_acceptance.report.escaping import plain

_STATUS = pytest.StashKey[int]()
_LONGEST = 4000
_COLOURS = {Fate.CREATED: "green", Fate.CHANGED: "yellow", Fate.REFUSED: "red"}


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Rehearse the deployment, and run no test."""
    config = session.config
    try:
        config.stash[_STATUS] = _rehearse(config)
    except NovaError as error:
        _line(config, f"dry run: {error}", red=True)
        config.stash[_STATUS] = _status_of(error)
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Have the run end with what the server has said."""
    yield
    session.exitstatus = session.config.stash.get(_STATUS, session.exitstatus)


def _rehearse(config: pytest.Config) -> int:
    system, option, progress = config.stash[SYSTEM], config.option, Progress()
    request = Request(
        cluster=option.cluster,
        nodes=option.nodes,
        node_image=option.node_image,
        may_create=False,
        is_looking=True,
    )
    cluster = obtain(request, progress)
    kube = Kube(cluster.kubeconfig, cluster.context, Writing.REHEARSED)
    manifests = manifests_of(config)
    if manifests is None:
        raise UsageError("there are no manifests", hint="name them with --manifests")
    overlay = overlay_for(config, kube, system)
    rendered = rendered_for(config, kube, manifests, overlay)
    objects = placed(kube, rendered).objects
    base = look(kube, namespaces_for(objects, system), system, logs=False)
    is_lost = _preflight(config, kube, objects, base)
    _read_secrets(kube, objects)
    return _tell(config, rehearse(kube, objects, base), is_lost=is_lost)


def _preflight(
    config: pytest.Config, kube: Kube, objects: Sequence[Object], base: Snapshot
) -> bool:
    """Show what is wrong already; return whether it keeps the system from being deployed."""
    try:
        for found in preflight(kube, objects, base):
            cure = found.cure or found.meaning.cure
            _line(config, f"preflight: {found.cause}: {found.summary} → {cure}", yellow=True)
    except PreflightError as error:
        _line(config, f"preflight: {error}", red=True)
        return True
    return False


def _read_secrets(kube: Kube, objects: Sequence[Object]) -> None:
    """Read what the Secrets hold now that would be applied; what was read is masked."""
    for home in {obj["metadata"]["namespace"] for obj in objects if obj["kind"] == "Secret"}:
        kube.list("v1", "Secret", namespace=home)


def _tell(config: pytest.Config, rehearsed: Sequence[Rehearsed], *, is_lost: bool) -> int:
    for each in rehearsed:
        colour = {_COLOURS[each.fate]: True} if each.fate in _COLOURS else {}
        config.get_terminal_writer().write(f"{each.fate:<10}", **colour)
        _line(config, each.name)
        for line in each.lines:
            _line(config, line, indent=12)
    counts = Counter(each.fate for each in rehearsed)
    told = ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate])
    _line(config, f"dry run: {told or 'no object'}; nothing was written", bold=True)
    is_taken = not is_lost and not counts[Fate.REFUSED]
    return pytest.ExitCode.OK if is_taken else ExitStatus.NOT_DEPLOYED


def _status_of(error: NovaError) -> int:
    if isinstance(error, RefusedError):
        return ExitStatus.REFUSED
    return ExitStatus.NOT_DEPLOYED if isinstance(error, DeployError) else ExitStatus.NOT_ASKED


def _line(config: pytest.Config, text: str, *, indent: int = 0, **markup: bool) -> None:
    writer = config.get_terminal_writer()
    for line in masking.mask(text).splitlines():
        writer.line(f"{'':<{indent}}{plain(line, _LONGEST)}", **markup)
