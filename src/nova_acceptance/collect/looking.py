"""One look at a cluster: everything that the rules of diagnosis read, at one moment."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from nova_acceptance import secrecy, timeouts
from nova_acceptance.collect.asking import side_by_side
from nova_acceptance.collect.logs import Source, of_refusing, read_all, sources
from nova_acceptance.collect.loopbacks import Loopbacks
from nova_acceptance.collect.started import compare
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.registry import homes
from nova_acceptance.errors import ClusterError, NovaError
from nova_acceptance.kube import ApiUnreachableError, Kube, Object, forbidden
from nova_acceptance.kube.kinds import KINDS, LOOKED_FOR, Kind, kind_served, version_served
from nova_acceptance.kube.snapshot import EVERYWHERE, UNDECLARED, Snapshot
from nova_acceptance.system import System

KUBE_SYSTEM: Final = "kube-system"
_SECRET: Final = "Secret"  # noqa: S105 - a kind
"""Listed in the namespaces that are asked for; never in kube-system, where they explain nothing."""
_NAMESPACE: Final = "Namespace"
_MANY: Final = 8
"""Namespaces above which a kind is listed in all of them by one question, on any cluster."""


class _NotServedError(ClusterError):
    """A kind is unknown to the server: older, newer, or without it."""


class _Round(NamedTuple):
    kind: Kind
    namespace: str


class _Listed(NamedTuple):
    kind: str
    objects: list[Object]


def look(
    kube: Kube,
    namespaces: Iterable[str],
    system: System = UNDECLARED,
    *,
    kinds: Collection[str] = (),
    logs: bool = True,
    timeout: float = timeouts.LOOK,
) -> Snapshot:
    """Return what a cluster looks like now, read-only, in one round of lists side by side.

    What could not be read is in the snapshot's `unread` and not in its `listed`, so that no rule
    takes it for absent.

    Args:
        kube: the API.
        namespaces: those to look at.
        system: what nova.yaml says, for the rules that compare with it.
        kinds: what to look for, nowhere else; none takes all that the rules read, each kind where
            they read it, and kube-system, its Secrets aside, is looked at as well.
        logs: whether the last lines of containers that are not well are read, too, and ports that
            refuse the kubelet are tried.
        timeout: seconds for all of it.

    Raises:
        ClusterError: the API gave no answer at all.
    """
    wanted = tuple(dict.fromkeys(namespaces))
    places = wanted if kinds else tuple(dict.fromkeys((*wanted, KUBE_SYSTEM)))
    deadline = time.monotonic() + timeout
    snapshot = Snapshot(system=system)
    looked_for = [KINDS[name] for name in kinds or LOOKED_FOR]
    is_wide = kube.is_local or len(places) > _MANY
    rounds = [*_rounds(looked_for, places, {} if kinds else homes(system), is_wide=is_wide)]
    _list_all(kube, snapshot, rounds, places, deadline)
    if logs:
        pods = [pod for place in wanted for pod in snapshot.of_kind("Pod", place)]
        with ThreadPoolExecutor(2, thread_name_prefix="look") as beside:
            compared = beside.submit(compare, kube, snapshot, pods, deadline)
            tried = beside.submit(Loopbacks(kube, snapshot).refresh, deadline)
            _read_logs(kube, snapshot, sources(snapshot, places), deadline)
            _read_logs(kube, snapshot, of_refusing(snapshot), deadline)
        tried.result()
        for pod, error in compared.result().items():
            snapshot.unread.append(f"what {pod} was started with: {_said(error)}")
    return snapshot


def is_whole(snapshot: Snapshot) -> bool:
    """Whether a look read all that is served and that this user may list.

    What an API that hung for a moment has not said can be asked for once more.
    """
    return all(
        isinstance(error, _NotServedError) or forbidden(error)
        for error in snapshot.failures.values()
    )


def _read_logs(kube: Kube, snapshot: Snapshot, asked: Iterable[Source], deadline: float) -> None:
    for source, error in read_all(kube, snapshot, asked, until=deadline):
        line = f"log of {source.namespace}/{source.pod}: {_said(error)}"
        if line not in snapshot.unread:
            snapshot.unread.append(line)


def _list_all(
    kube: Kube,
    snapshot: Snapshot,
    rounds: Iterable[_Round],
    places: Sequence[str],
    deadline: float,
) -> None:
    failed: list[Exception] = []
    forbidden_in: dict[str, list[str]] = {}
    for asked, answer in _answers(kube, rounds, places, deadline):
        if isinstance(answer, Exception):
            failed.append(answer)
            error = answer if isinstance(answer, NovaError) else _no_answer(kube, ())
            snapshot.failures[asked.kind.name, asked.namespace] = error
            if forbidden(error):
                forbidden_in.setdefault(asked.namespace, []).append(asked.kind.name)
            elif (line := _unread(asked, answer)) not in snapshot.unread:
                snapshot.unread.append(line)
            continue
        for obj in answer.objects:
            if obj["metadata"].get("namespace", EVERYWHERE) in (*places, EVERYWHERE):
                snapshot.update("ADDED", obj, fresh=False)
        snapshot.listed.update((answer.kind, place) for place in _covered(asked, places))
    for place, names in forbidden_in.items():
        where = f"in {place}" if place else "in the whole cluster"
        snapshot.unread.append(f"{where}: this user may not list {', '.join(names)}")
    if failed and not snapshot.listed:
        raise _no_answer(kube, failed)


def _answers(
    kube: Kube, rounds: Iterable[_Round], places: Sequence[str], deadline: float
) -> Iterator[tuple[_Round, _Listed | Exception]]:
    """Yield what each list answered; who may list in no more than some places is asked there.

    A Role can let a user get its own namespace, and no Role lets anybody list namespaces: those
    that are wanted are got one by one, and nothing is said of the others.
    """
    forbidden_everywhere: list[_Round] = []
    for asked, answer in side_by_side(lambda asked: _list(kube, asked), rounds, until=deadline):
        is_namespace = asked.kind.name == _NAMESPACE
        is_wide = (asked.kind.is_namespaced or is_namespace) and not asked.namespace
        if is_wide and isinstance(answer, Exception) and forbidden(answer):
            own = [place for place in places if not (is_namespace and place == KUBE_SYSTEM)]
            forbidden_everywhere += [_Round(asked.kind, place) for place in own]
        else:
            yield asked, answer
    if forbidden_everywhere:
        yield from side_by_side(
            lambda asked: _list(kube, asked), forbidden_everywhere, until=deadline
        )


def _list(kube: Kube, asked: _Round) -> _Listed:
    kind = kind_served(kube, asked.kind.name)
    version = version_served(kube, kind)
    if version is None:
        raise _NotServedError("the server does not serve it")
    if kind == _NAMESPACE and asked.namespace:
        only = kube.get(version, kind, asked.namespace)
        return _Listed(kind, [only] if only else [])
    found = kube.list(version, kind, namespace=asked.namespace or None)
    if kind != _SECRET:
        return _Listed(kind, found)
    for secret in found:
        secrecy.hide(secret)
    return _Listed(kind, [without_values(secret) for secret in found])


def _rounds(
    kinds: Iterable[Kind],
    places: Sequence[str],
    homes: Mapping[str, Collection[str]],
    *,
    is_wide: bool,
) -> Iterator[_Round]:
    """Yield what to list: the kinds of `homes` there alone, the others in all places.

    That is one question a kind where it may be wide, and Secrets are never asked for so.
    """
    for kind in kinds:
        if not kind.is_namespaced:
            yield _Round(kind, EVERYWHERE)
        elif kind.name in homes:
            yield from (_Round(kind, place) for place in places if place in homes[kind.name])
        elif kind.name == _SECRET:
            yield from (_Round(kind, place) for place in places if place != KUBE_SYSTEM)
        else:
            yield from (_Round(kind, place) for place in ((EVERYWHERE,) if is_wide else places))


def _covered(asked: _Round, places: Sequence[str]) -> Sequence[str]:
    """Return the places of which an answer now says what is not there."""
    if asked.namespace or not asked.kind.is_namespaced:
        return (asked.namespace,)
    return places


def _no_answer(kube: Kube, failed: Iterable[Exception]) -> NovaError:
    told = [error for error in failed if isinstance(error, NovaError)]
    away = [error for error in told if isinstance(error, ApiUnreachableError)]
    for error in (*away, *told):
        return error
    return ClusterError(
        f"the Kubernetes API at {kube.server} answered nothing in time",
        hint="is the cluster running, and is the machine very busy? `nova-cluster status` tells",
    )


def _unread(asked: _Round, error: Exception) -> str:
    if isinstance(error, _NotServedError):
        return f"{asked.kind.name}: {error.message}"
    where = f" in {asked.namespace}" if asked.namespace else ""
    return f"{asked.kind.name}{where}: {_said(error)}"


def _said(error: Exception) -> str:
    return error.message if isinstance(error, NovaError) else str(error)
