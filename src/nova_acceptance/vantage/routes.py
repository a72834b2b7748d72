"""Ports of this machine that lead to a pod, or through a pod to wherever it can connect.

Client libraries (redis-py, psycopg) want an address. A *forward* leads to a pod's own port. A
*relay* leads through a pod: the connection begins inside it, by its resolver and its network, so
what a Service does for an application is what it does for the test. Both keep their local port when
the API goes away and comes back, and can tell whether they were at fault.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, ProbeError, UnaskedError
from nova_acceptance.findings import NOWHERE, Finding, FindingError
from nova_acceptance.kube import (
    Again,
    ApiUnreachableError,
    Fault,
    Forward,
    PodRef,
    forbidden,
    is_api_away,
    unwritten,
)
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.vantage.places import Place, Places

LEASES = range(20000, 30000)
"""Ports of a pod's loopback, below the ones that a kernel hands out by itself."""
LOOPBACK = "127.0.0.1"
RUNNER = "runner"
"""Who asks through a port-forward."""
RETRY = 0.05
RETRY_API = 0.5


@dataclass(frozen=True, slots=True)
class Route:
    """A port of 127.0.0.1, and who asks of whom when one connects to it.

    Attributes:
        port: the local port.
        source: the place of a relay, else `runner`.
        target: `host:port`, or `namespace/pod:port`.
        forward: what carries it, where something does.
        instead_of: why it leads to a pod itself and not through the network to a Service.
        is_read_only: whether what is asked along it must not change anything.
    """

    port: int
    source: str
    target: str
    forward: Forward | None = field(default=None, repr=False, compare=False)
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
        refusal = self.forward.refusal if self.forward else None
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
        return self.forward.fault_since(moment) if self.forward else None


class Routes:
    """Routes that are opened once, kept, and closed together. Threads may share it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._kube = places.kube
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, str], Route] = {}
        self._relays: dict[PodRef, Relay] = {}
        self._starting: dict[PodRef, threading.Lock] = {}
        self._forbidden: dict[str, ClusterError] = {}
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_closed = True
            for relay in self._relays.values():
                relay.end()  # all at once, before each is waited for
        self._stack.close()

    def to(self, pod: PodRef, port: int) -> Route:
        """Return the route to a pod's port; its successor of the same name is reached as well."""
        return self._kept(RUNNER, f"{pod}:{port}", pod, port)

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
        try:
            self._inside(place, host, port)
        except _UnresolvedError as error:
            sentence = Phrase(
                "{pod} cannot resolve {host} ({said})", pod=pod, host=host, said=error.said
            )
            raise FindingError(Finding("NAME_UNRESOLVED", NOWHERE, sentence)) from error
        inside = partial(self._inside_now, place, host, port)
        return self._kept(str(place), f"{host}:{port}", place.inside, inside)

    def _kept(self, source: str, target: str, pod: PodRef, port: int | Callable[[], int]) -> Route:
        with self._lock:
            if (source, target) not in self._routes:
                forward = self._kube.forward(pod, port)
                local = self._stack.enter_context(forward)
                self._routes[source, target] = Route(
                    local, source, target, forward, is_read_only=self._kube.is_read_only
                )
            return self._routes[source, target]

    def _inside(self, place: Place, host: str, port: int) -> int:
        """Return the port of the place's loopback that leads there, once the API lets us ask."""
        deadline = time.monotonic() + timeouts.API_AWAY
        unanswered = 0
        while True:
            try:
                return self._inside_now(place, host, port)
            except (ClusterError, ProbeError) as error:
                # one request that hangs is the API's where it has been in trouble, else the node's
                is_odd = isinstance(error.__cause__, ApiUnreachableError) and self._kube.outages
                unanswered += bool(is_odd)
                goes_on = is_api_away(error) or (is_odd and unanswered == 1)
                if not goes_on or time.monotonic() > deadline:
                    raise
            time.sleep(RETRY_API)

    def _inside_now(self, place: Place, host: str, port: int) -> int:
        pod = place.inside
        with self._lock:
            starting = self._starting.setdefault(pod, threading.Lock())
        with starting:  # a relay takes a while to start: those of other pods start meanwhile
            with self._lock:
                relay = self._relays.get(pod)
                if self._is_closed:
                    raise ProbeError(f"the routes through pod {pod} are closed")
                if refused := self._forbidden.get(pod.namespace):
                    raise refused
            if relay is None or relay.has_ended:
                if relay is not None:
                    relay.end()  # it may live on in the pod without a route to it
                relay = self._started(place)
            return relay.inside(host, port)

    def _started(self, place: Place) -> Relay:
        pod = place.inside
        with ExitStack() as stack:
            try:
                relay = stack.enter_context(Relay(self._places, place))
            except ClusterError as error:
                if forbidden(error):
                    with self._lock:
                        self._forbidden[pod.namespace] = error
                raise
            with self._lock:
                if self._is_closed:
                    relay.end()
                    raise ProbeError(f"the routes through pod {pod} are closed")
                self._relays[pod] = relay
                self._stack.callback(stack.pop_all().close)
        return relay


class _UnresolvedError(ProbeError):
    """A host that a relay was to lead to does not resolve where it runs."""

    def __init__(self, host: str, said: str) -> None:
        super().__init__(f"{host} does not resolve ({said})")
        self.said = said


class Relay:
    """A relay in one place, for as long as the context lasts."""

    def __init__(self, places: Places, place: Place) -> None:
        self._places = places
        self._kube = places.kube
        self._place = place
        self._pod = place.inside
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._ports: dict[tuple[str, int], int] = {}
        self._is_lost = False
        self._lease_port = secrets.choice(LEASES)
        self._failure: ProbeError | ClusterError | None = None
        self._spoke = threading.Event()
        self._running = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._running.start()
        self._spoke.wait(timeouts.RELAY_SPEAKS)
        with ExitStack() as stack:
            forward = self._kube.forward(self._pod, self._lease_port)
            local = stack.enter_context(forward)
            self._lease = stack.enter_context(self._take_lease(forward, local))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._running.join(timeouts.PORT_FORWARD)

    def end(self) -> None:
        """Tell the relay that nothing more is wanted from it."""
        with contextlib.suppress(OSError):
            self._lease.sendall(b"null\n")

    @property
    def has_ended(self) -> bool:
        """Whether it is gone, with its pod most likely, or can no longer be asked."""
        return self._is_lost or not self._running.is_alive() or _has_closed(self._lease)

    def inside(self, host: str, port: int) -> int:
        """Return the port of the pod's loopback that leads to `host:port`.

        Raises:
            ProbeError: the relay is gone, or the host does not resolve there.
            ApiUnreachableError: the API is away.
        """
        with self._lock:
            if (host, port) not in self._ports:
                self._ports[host, port] = self._ask(host, port)
            return self._ports[host, port]

    def _run(self) -> None:
        line = json.dumps({"lease": self._lease_port, "patience": timeouts.RELAY_START})
        try:
            # Whoever wants a relay asks for another: this one's lease would come too late.
            self._places.run(
                self._place.pod,
                "in_pod_relay",
                line,
                timeout=timeouts.RELAY,
                again=Again.NEVER,
                heard=lambda _place, _line: self._spoke.set(),
            )
        except (ClusterError, ProbeError) as error:
            self._failure = error
        finally:
            self._spoke.set()

    def _take_lease(self, forward: Forward, local: int) -> socket.socket:
        # Its word that it listens may be held up on the way, and a forward's connection is accepted
        # here before it is refused there: only an answer proves that the relay is up.
        deadline = time.monotonic() + timeouts.RELAY_START
        while time.monotonic() < deadline and self._running.is_alive():
            with ExitStack() as stack, contextlib.suppress(OSError):
                lease = stack.enter_context(
                    socket.create_connection((LOOPBACK, local), timeouts.PORT_FORWARD)
                )
                if lease.recv(1):
                    stack.pop_all()
                    return lease
            if forward.refusal:
                raise forward.refusal
            time.sleep(RETRY)
        self._running.join(0 if self._failure is None else timeouts.CONNECT)
        if self._failure is None and not self._kube.answers():
            raise self._away(TimeoutError("the relay did not start"))
        raise self._failure or ProbeError(
            f"the relay in pod {self._pod} did not start within {timeouts.RELAY_START:.0f} s",
            hint=f"`kubectl -n {self._pod.namespace} describe pod {self._pod.name}`",
        )

    def _ask(self, host: str, port: int) -> int:
        try:
            self._lease.sendall(json.dumps([host, port]).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = self._lease.recv(64)
                if not part:
                    break
                answer += part
            number, _, said = answer.decode().strip().partition(" ")
            if said:
                raise _UnresolvedError(host, said)
            return int(number)
        except (OSError, ValueError) as error:
            self._is_lost = True
            if not self._kube.answers():
                raise self._away(error) from error
            raise ProbeError(
                f"the relay in pod {self._pod} is gone",
                hint=f"was the pod replaced? `kubectl -n {self._pod.namespace} get pods`",
                evidence=[str(error)],
            ) from error

    def _away(self, error: Exception) -> ApiUnreachableError:
        return ApiUnreachableError(f"the relay in pod {self._pod}", self._kube.server, error)


def _has_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended a connection on which nothing is expected."""
    poll = select.poll()
    try:
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):  # reset, or closed here
        return True
