"""One look at a cluster: everything that the rules of diagnosis read, at one moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, NamedTuple, Self, TypeVar

from nova_acceptance import masking, timeouts
from nova_acceptance.collect import logs as last_words
from nova_acceptance.collect.kinds import OF_A_NAMESPACE, OF_THE_CLUSTER, SECRET, Listed
from nova_acceptance.collect.values import to_mask
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.errors import ClusterError, NovaError
from nova_acceptance.kube import ApiUnreachableError, Kube, Object
from nova_acceptance.kube.snapshot import EVERYWHERE, Log, Snapshot
from nova_acceptance.system import System

KUBE_SYSTEM: Final = "kube-system"
_AT_ONCE: Final = 16
_MANY: Final = 8
"""Namespaces above which a kind is listed in all of them by one question."""

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class _NotServedError(ClusterError):
    """A kind is unknown to the server: older, newer, or without it."""


class _Round(NamedTuple):
    listed: Listed
    namespace: str


def look(
    kube: Kube,
    namespaces: Iterable[str],
    system: System | None = None,
    *,
    logs: bool = True,
    timeout: float = timeouts.LOOK,
) -> Snapshot:
    """Return what a cluster looks like now, read-only, in one round of lists side by side.

    What could not be read is in the snapshot's `unread` and not in its `listed`, so that no rule
    takes it for absent.

    Args:
        kube: the API.
        namespaces: those to look at; kube-system, its Secrets aside, is looked at as well.
        system: what nova.yaml says, for the rules that compare with it.
        logs: whether the last lines of containers that are not well are read, too.
        timeout: seconds for all of it.

    Raises:
        ClusterError: the API gave no answer at all.
    """
    wanted = tuple(dict.fromkeys(namespaces))
    with _Look(kube, Snapshot(system=system), time.monotonic() + timeout) as begun:
        begun.list_all(wanted)
        if logs:
            begun.read_logs(dict.fromkeys((*wanted, KUBE_SYSTEM)))
        return begun.snapshot


class _Look:
    """One look: a snapshot that is filled by questions side by side until a deadline."""

    def __init__(self, kube: Kube, snapshot: Snapshot, deadline: float) -> None:
        self.snapshot = snapshot
        self._kube = kube
        self._deadline = deadline
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A request that hangs ends by its own time limit; nobody waits for it here.
        self._pool.shutdown(wait=False, cancel_futures=True)

    def list_all(self, wanted: Sequence[str]) -> None:
        snapshot = self.snapshot
        failed: list[BaseException] = []
        places = {*wanted, KUBE_SYSTEM, EVERYWHERE}
        for asked, answer in self._side_by_side(self._list, _rounds(wanted)):
            if isinstance(answer, BaseException):
                failed.append(answer)
                if (line := _unread(asked, answer)) not in snapshot.unread:
                    snapshot.unread.append(line)
                continue
            for obj in answer:
                if obj["metadata"].get("namespace", EVERYWHERE) in places:
                    snapshot.update("ADDED", obj, fresh=False)
            snapshot.listed.update((asked.listed.kind, place) for place in _covered(asked, wanted))
        if failed and not snapshot.listed:
            raise _no_answer(self._kube, failed)

    def read_logs(self, namespaces: Iterable[str]) -> None:
        snapshot = self.snapshot
        asked = last_words.sources(snapshot, namespaces)
        for source, log in self._side_by_side(self._read, asked):
            if isinstance(log, BaseException):
                line = f"log of {source.namespace}/{source.pod}: {_said(log)}"
                if line not in snapshot.unread:
                    snapshot.unread.append(line)
            elif log:
                key = source.namespace, source.pod, source.container
                snapshot.logs.setdefault(key, []).append(log)

    def _list(self, asked: _Round) -> list[Object]:
        kind = asked.listed.kind
        version = next((it for it in asked.listed.versions if self._kube.serves(it, kind)), None)
        if version is None:
            raise _NotServedError("the server does not serve it")
        found = self._kube.list(version, kind, namespace=asked.namespace or None)
        if kind != SECRET.kind:
            return found
        masking.register(value for secret in found for value in to_mask(secret))
        return [without_values(secret) for secret in found]

    def _read(self, source: last_words.Source) -> Log | None:
        return last_words.read(self._kube, source)

    def _side_by_side(
        self, ask: Callable[[_Question], _Answer], questions: Iterable[_Question]
    ) -> Iterator[tuple[_Question, _Answer | BaseException]]:
        """Yield each question with its answer, or with why there is none."""
        asked = {self._pool.submit(ask, question): question for question in questions}
        done, _ = wait(asked, timeout=max(0.0, self._deadline - time.monotonic()))
        for future, question in asked.items():
            if future in done:
                outcome = _outcome(future)
                yield question, outcome
            else:
                future.cancel()
                yield question, TimeoutError("no answer in time")


def _rounds(namespaces: Sequence[str]) -> Iterator[_Round]:
    """Yield what to list."""
    everywhere = len(namespaces) > _MANY
    for listed in OF_A_NAMESPACE:
        places = (EVERYWHERE,) if everywhere else dict.fromkeys((*namespaces, KUBE_SYSTEM))
        yield from (_Round(listed, place) for place in places)
    yield from (_Round(SECRET, place) for place in namespaces if place != KUBE_SYSTEM)
    yield from (_Round(listed, EVERYWHERE) for listed in OF_THE_CLUSTER)


def _covered(asked: _Round, wanted: Sequence[str]) -> Sequence[str]:
    """Return the places of which an answer now says what is not there."""
    if asked.namespace or asked.listed in OF_THE_CLUSTER:
        return (asked.namespace,)
    return (*wanted, KUBE_SYSTEM)


def _no_answer(kube: Kube, failed: Iterable[BaseException]) -> NovaError:
    told = [error for error in failed if isinstance(error, NovaError)]
    away = [error for error in told if isinstance(error, ApiUnreachableError)]
    for error in (*away, *told):
        return error
    return ClusterError(
        f"the Kubernetes API at {kube.server} answered nothing in time",
        hint="is the cluster running, and is the machine very busy? `nova-cluster status` tells",
    )


def _outcome(future: Future[_Answer]) -> _Answer | BaseException:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, NovaError | ValueError):
        return error
    raise error


def _unread(asked: _Round, error: BaseException) -> str:
    if isinstance(error, _NotServedError):
        return f"{asked.listed.kind}: {error.message}"
    where = f" in {asked.namespace}" if asked.namespace else ""
    return f"{asked.listed.kind}{where}: {_said(error)}"


def _said(error: BaseException) -> str:
    return error.message if isinstance(error, NovaError) else str(error)
