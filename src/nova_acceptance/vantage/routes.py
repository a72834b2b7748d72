"""Ports of this machine that lead to a pod, or through a pod to wherever it can connect.

Client libraries (redis-py, psycopg) want an address. A *forward* leads to a pod's own port. A
*relay* leads through a pod: the connection begins inside it, by its resolver and its network, so
what a Service does for an application is what it does for the test. Both keep their local port when
the API goes away and comes back, and can tell whether they were at fault.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, ProbeError, UnaskedError
from nova_acceptance.findings import NOWHERE, Finding, FindingError
from nova_acceptance.kube import (
    ApiError,
    ApiUnreachableError,
    Fault,
    Forward,
    PodRef,
    Running,
    unwritten,
)
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.vantage.agent import Round, ask
from nova_acceptance.vantage.places import Place, Places
from nova_acceptance.vantage.questions import Question
from nova_acceptance.vantage.relay import Relay, UnresolvedError, begin

AnswerT = TypeVar("AnswerT")

LOOPBACK = "127.0.0.1"
"""Where every route begins."""
RUNNER = "runner"
"""Who asks through a port-forward."""
RETRY_API = 0.5
_DESCRIPTORS = 8192
"""Open files that are more than enough for a thousand relays."""


class Way(Protocol):
    """What carries the connections of a port of this machine."""

    @property
    def port(self) -> int:
        """The port, of 127.0.0.1."""

    @property
    def refusal(self) -> ApiError | None:
        """How the API said that this user may not go this way; None if it did not."""

    def fault_since(self, moment: float) -> Fault | None:
        """Return what has been wrong with it since a moment of `time.monotonic`."""


@dataclass(frozen=True, slots=True)
class Route:
    """A port of 127.0.0.1, and who asks of whom when one connects to it.

    Attributes:
        port: the local port.
        source: the place of a relay, else `runner`.
        target: `host:port`, or `namespace/pod:port`.
        way: what carries it, where something does.
        instead_of: why it leads to a pod itself and not through the network to a Service.
        is_read_only: whether what is asked along it must not change anything.
    """

    port: int
    source: str
    target: str
    way: Way | None = field(default=None, repr=False, compare=False)
    instead_of: UnaskedError | None = field(default=None, repr=False, compare=False)
    is_read_only: bool = field(default=False, repr=False, compare=False)

    def require_network(self) -> None:
        """See that a connection comes over the cluster's network.

        A port-forward ends on the pod's loopback, from which servers often let in whom they would
        refuse otherwise, and it leads to one pod whatever a Service does.

        Raises:
            UnaskedError: it does not.
        """
        if self.instead_of:
            raise self.instead_of

    def require_writing(self) -> None:
        """See that something may be changed at its end: asked before whatever is no mere question.

        Raises:
            UnaskedError: nothing is written in this run.
        """
        if self.is_read_only:
            raise unwritten()

    def require_right(self) -> None:
        """See that the API lets this user open a way to the pod, as far as it was asked.

        Raises:
            UnaskedError: it does not.
        """
        refusal = self.way.refusal if self.way else None
        if refusal:
            raise UnaskedError(
                refusal.forbidden or verbatim(refusal.message),
                hint=Phrase("grant it, or do without these answers")
                if refusal.forbidden and not refusal.is_of_policy
                else refusal.hint,
                evidence=[self.target, refusal.detail],
            ) from refusal

    def fault_since(self, moment: float) -> Fault | None:
        """Return what has been wrong with the way itself since a moment of `time.monotonic`."""
        return self.way.fault_since(moment) if self.way else None


class Routes:
    """Routes that are opened once, kept, and closed together. Threads may share it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._kube = places.kube
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, str], Route] = {}
        self._relays: dict[PodRef, Relay] = {}
        self._is_closed = False
        _take_descriptors()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_closed = True
        for relay in self._relays.values():
            relay.end()  # all at once, before each is waited for
        for relay in self._relays.values():
            relay.close()
        self._stack.close()

    def to(self, pod: PodRef, port: int) -> Route:
        """Return the route to a pod's port; its successor of the same name is reached as well."""
        return self._kept(RUNNER, f"{pod}:{port}", lambda: self._forward(pod, port))

    def through(self, pod: PodRef, host: str, port: int) -> Route:
        """Return the route from the place of `pod` to an address that it resolves and reaches.

        The pod may be replaced and the API may go away: the route is opened anew behind its port.

        Raises:
            FindingError: the host does not resolve there.
            UnaskedError: there is no place to start from.
            ProbeError: nothing could be started there.
            ClusterError: the API was away for too long.
        """
        place = self._places.of(pod)
        relay = self._relay(place)
        try:
            self._find(relay, host, port)
        except UnresolvedError as error:
            sentence = Phrase(
                "{pod} cannot resolve {host} ({said})", pod=pod, host=host, said=error.said
            )
            raise FindingError(Finding("NAME_UNRESOLVED", NOWHERE, sentence)) from error
        return self._kept(str(place), f"{host}:{port}", lambda: relay.tunnel(host, port))

    def ask(
        self,
        pod: PodRef,
        questions: Sequence[Question[AnswerT]],
        heard: Callable[[Question[AnswerT], AnswerT], object] = lambda _question, _answer: None,
    ) -> list[AnswerT]:
        """Ask from a pod's place as `agent.ask` does, in the exec that carries connections as well.

        What is not answered there is asked in an exec of its own, with all the patience that takes.

        Raises:
            UnaskedError: there is no place to ask from.
            ProbeError: it could not be asked, or the routes are closed.
            ClusterError: the API was away for too long.
        """
        if not questions:
            return []
        asked = Round(questions, heard)
        with suppress(ProbeError, ClusterError):
            place, relay = self._begun(pod)
            for said in relay.answers(asked.wanted, asked.patience):
                for line in said.splitlines():
                    asked.take(place, line)
            if (answers := asked.answers()) is not None:
                return answers
        if self._is_closed:
            raise self._closed(pod)
        return ask(self._places, pod, questions, heard)

    def _begun(self, pod: PodRef) -> tuple[Place, Relay]:
        """Return the relay of a pod's place; where nothing was asked yet, its start shows it."""
        if place := self._places.proven(pod):
            return place, self._relay(place)
        place, running = begin(self._places, pod)
        return place, self._relay(place, running)

    def _kept(self, source: str, target: str, made: Callable[[], Way]) -> Route:
        with self._lock:
            if (source, target) not in self._routes:
                way = made()
                self._routes[source, target] = Route(
                    way.port, source, target, way, is_read_only=self._kube.is_read_only
                )
            return self._routes[source, target]

    def _forward(self, pod: PodRef, port: int) -> Forward:
        forward = self._kube.forward(pod, port)
        self._stack.enter_context(forward)
        return forward

    def _relay(self, place: Place, running: Running | None = None) -> Relay:
        with self._lock, ExitStack() as unwanted:
            if running:
                unwanted.enter_context(running)
            if self._is_closed:
                raise self._closed(place.inside)
            if place.inside not in self._relays:
                unwanted.pop_all()
                self._relays[place.inside] = Relay(self._places, place, running)
            return self._relays[place.inside]

    def _closed(self, pod: PodRef) -> ProbeError:
        return ProbeError(f"the routes through pod {pod} are closed")

    def _find(self, relay: Relay, host: str, port: int) -> None:
        """See that a host resolves, once the API lets us ask."""
        deadline = time.monotonic() + timeouts.API_AWAY
        unanswered = 0
        while True:
            try:
                relay.find(host, port)
            except (ClusterError, ProbeError) as error:
                # one request that hangs is the API's where it has been in trouble, else the node's
                is_odd = isinstance(error.__cause__, ApiUnreachableError) and self._kube.outages
                unanswered += bool(is_odd)
                goes_on = self._kube.is_passing(error) or (is_odd and unanswered == 1)
                if not goes_on or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(RETRY_API)


def _take_descriptors() -> None:
    """Let this process have as many open files as its user may give it.

    A relay has three, a route one, and a desktop's usual limit is 256.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
