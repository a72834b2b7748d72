"""Connections that begin in a pod: the runner's end of the relay that carries them.

One thread a place holds the exec in which `in_pod_relay` runs, and everything that goes through it:
a port of this machine for each target, the connections to these ports, and what is asked about
names. All of it travels as frames on the exec's standard input and output, so a connection costs no
request to the API. What is lost of the exec is lost of every connection; the next one begins it
anew behind the same port.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, NovaError, ProbeError
from nova_acceptance.kube import ApiError, ApiUnreachableError, Fault, PodRef, Running, forbidden
from nova_acceptance.kube.failures import kubelet_trouble
from nova_acceptance.vantage.in_pod import SCRIPTS
from nova_acceptance.vantage.in_pod_relay import ALIVE, FIND, LOOKUP
from nova_acceptance.vantage.places import Place, Places
from nova_acceptance.vantage.relay_session import Session, Told, Waiting, reset, settle

_WAITING = 128
"""Connections that may wait at one port until they are carried on."""
_WAKES = 4096
"""Octets of being woken that are read at once."""


class UnresolvedError(ProbeError):
    """A host that a relay was to lead to does not resolve where it runs."""

    def __init__(self, host: str, said: str) -> None:
        super().__init__(f"{host} does not resolve ({said})")
        self.said = said


class Tunnel:
    """A port of this machine that leads through a relay to one target.

    Attributes:
        port: the port, of 127.0.0.1.
        host: where it leads to, as the relay's place resolves it.
        at: the port there.
    """

    def __init__(self, relay: Relay, host: str, at: int) -> None:
        self.host = host
        self.at = at
        self.relay = relay
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=_WAITING)
        self.listener.setblocking(False)
        self.port: int = self.listener.getsockname()[1]

    @property
    def refusal(self) -> ApiError | None:
        """How the API said that this user may not go this way; None if it did not."""
        return self.relay.refusal

    def fault_since(self, moment: float) -> Fault | None:
        """Return what has been wrong with the way since a moment; None where nothing was.

        Args:
            moment: in seconds of `time.monotonic`.
        """
        return self.relay.fault_since(moment)


class Relay:
    """The relay of one place; threads may share it.

    Args:
        places: from where pods' networks are asked.
        place: whose.
        running: its program, where it runs already.

    Attributes:
        refusal: how the API said that this user may not begin it, or that itself has no way to the
            pod's node; None if it did not.
    """

    def __init__(self, places: Places, place: Place, running: Running | None = None) -> None:
        self.refusal: ApiError | None = None
        self._places = places
        self._kube = places.kube
        self._place = place
        self._tunnels: list[Tunnel] = []
        self._faults: list[tuple[float, Fault]] = []
        self._wanted: deque[Callable[[], object]] = deque()
        self._session = Session(running, self._gone) if running else None
        self._is_beginning = False
        self._is_over = False
        self._woken, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Tell it that nothing more is wanted."""
        self._is_over = True
        self._do(lambda: None)

    def close(self) -> None:
        """End it, and wait for that."""
        self.end()
        self._thread.join(timeouts.PORT_FORWARD)

    @property
    def is_running(self) -> bool:
        """Whether its program runs in the pod."""
        return self._session is not None

    def find(self, host: str, port: int) -> None:
        """See that a host resolves in its place.

        Raises:
            UnresolvedError: it does not.
            ProbeError: it could not be asked.
            ClusterError: the API was away.
        """
        said = self._answer(FIND, json.dumps([host, port]).encode(), timeouts.RELAY_START + LOOKUP)
        if said:
            raise UnresolvedError(host, said)

    def tunnel(self, host: str, port: int) -> Tunnel:
        """Return a new port of this machine that leads to `host:port`."""
        made = Tunnel(self, host, port)
        self._do(partial(self._tunnels.append, made))
        return made

    def answers(self, questions: Sequence[object], patience: float) -> Iterator[str]:
        """Yield what `in_pod_agent` writes when it is asked these, some whole lines at a time.

        Args:
            questions: each as JSON has it.
            patience: seconds for all of them.

        Raises:
            ProbeError: the program is gone, or did not answer all of them in time.
            ClusterError: the API was away.
        """
        told: Told = SimpleQueue()
        body = json.dumps({"agent": SCRIPTS["in_pod_agent"], "questions": questions})
        self._do(partial(self._question, told, body.encode()))
        if not self._thread.is_alive():
            raise self._ended()
        until = time.monotonic() + patience
        while True:
            try:
                said = told.get(timeout=max(0.0, until - time.monotonic()))
            except Empty as error:
                gone = self._gone(TimeoutError("no answer in time"))
                self._do(partial(self._give_up, told, gone))
                raise gone from error
            if isinstance(said, NovaError):
                raise said
            if not said:
                return
            yield said

    def fault_since(self, moment: float) -> Fault | None:
        """Return what has been wrong with the way since a moment; None where nothing was.

        For whoever got no answer through it and must not take that for the target's own.

        Args:
            moment: in seconds of `time.monotonic`.
        """
        if found := self._seen_since(moment):
            return found
        if not self._kube.answers():
            return Fault(self._unreachable(TimeoutError("no answer in time")), is_away=True)
        if self._is_beginning:
            late = TimeoutError("the way into the pod is still being made")
            return Fault(self._unreachable(late), is_away=False)
        try:
            if self.is_running:
                self._answer(ALIVE, b"", timeouts.CONNECT)
        except NovaError as error:
            return self._seen_since(moment) or self._fault(error)
        return self._seen_since(moment)

    def _seen_since(self, moment: float) -> Fault | None:
        found = [fault for at, fault in list(self._faults) if at >= moment]
        return max(found, key=lambda fault: fault.is_away, default=None)

    def _answer(self, kind: int, body: bytes, patience: float) -> str:
        """Return what the program answers to a frame; one that does not is given up."""
        answer: Future[str] = Future()
        self._do(partial(self._ask, answer, kind, body))
        if not self._thread.is_alive():
            raise self._ended()
        try:
            return answer.result(patience)
        except TimeoutError as error:
            gone = self._gone(error)
            self._do(partial(self._give_up, answer, gone))
            raise gone from error

    def _do(self, work: Callable[[], object]) -> None:
        """Have the thread do something."""
        self._wanted.append(work)
        with suppress(OSError):  # it has ended
            self._waker.send(b"!")

    # What follows is done by the relay's own thread.

    def _serve(self) -> None:
        try:
            while not self._is_over:
                self._turn()
        finally:
            self._finish()

    def _turn(self) -> None:
        """Wait until something can be done, and do it."""
        session = self._session
        try:
            ready = dict(self._waited(session))
            if ready.pop(self._woken.fileno(), 0):
                self._woken.recv(_WAKES)
            # what was wanted before a connection came counts for it: it may end what runs
            while self._wanted:
                self._wanted.popleft()()
            for descriptor, events in ready.items():
                self._move(session, descriptor, events)
            if self._session:
                self._session.flush()
        except NovaError as error:
            self._lose(error)

    def _waited(self, session: Session | None) -> list[tuple[int, int]]:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        for tunnel in self._tunnels:
            poll.register(tunnel.listener, select.POLLIN)
        return session.wait_at(poll) if session else poll.poll()

    def _move(self, session: Session | None, descriptor: int, events: int) -> None:
        for tunnel in self._tunnels:
            if tunnel.listener.fileno() == descriptor:
                self._accept(tunnel)
                return
        if session and session is self._session:
            session.move(descriptor, events)

    def _accept(self, tunnel: Tunnel) -> None:
        try:
            connection, _ = tunnel.listener.accept()
        except OSError:
            return
        try:
            session = self._begun()
        except NovaError as error:
            self._note(error)
            reset(connection)
        else:
            session.open(connection, tunnel.host, tunnel.at)

    def _ask(self, answer: Future[str], kind: int, body: bytes) -> None:
        try:
            session = self._begun()
        except NovaError as error:
            settle(answer, error)
        else:
            session.ask(answer, kind, body)

    def _question(self, told: Told, body: bytes) -> None:
        try:
            session = self._begun()
        except NovaError as error:
            told.put(error)
        else:
            session.question(told, body)

    def _begun(self) -> Session:
        """Return what runs, begun where nothing does."""
        if self._is_over:
            raise self._ended()
        if self._session is None:
            self._is_beginning = True
            try:
                _, running = begin(self._places, self._place.pod)
            finally:
                self._is_beginning = False
            self._session = Session(running, self._gone)
        return self._session

    def _give_up(self, answer: Waiting, error: NovaError) -> None:
        """Let go of what runs and does not answer, where it was asked."""
        if self._session and self._session.waits_for(answer):
            self._lose(error)

    def _lose(self, error: NovaError) -> None:
        """Let go of what runs, and of everything that goes through it."""
        self._note(error, is_cut=True)
        session, self._session = self._session, None
        if session:
            session.close(error)

    def _note(self, error: NovaError, *, is_cut: bool = False) -> None:
        """Keep what went wrong, before a client can see that something did."""
        fault = self._fault(error)
        if not fault.is_away:
            self.refusal = forbidden(error) or kubelet_trouble(error) or self.refusal
        if fault.is_away or is_cut:
            self._faults.append((time.monotonic(), fault))

    def _fault(self, error: NovaError) -> Fault:
        told = error if isinstance(error, ClusterError) else self._unreachable(error)
        return Fault(told, is_away=self._kube.is_passing(error))

    def _finish(self) -> None:
        self._is_over = True
        session, self._session = self._session, None
        if session:
            session.end()
            session.close(self._ended())
        while self._wanted:  # who asks now is told that it has ended
            self._wanted.popleft()()
        for each in (self._woken, self._waker, *(tunnel.listener for tunnel in self._tunnels)):
            each.close()

    def _gone(self, why: Exception | None = None) -> ProbeError | ApiUnreachableError:
        """Return that the program is gone, or that it is the API that is."""
        error = why or ConnectionResetError("it has ended")
        return self._ended(str(error)) if self._kube.answers() else self._unreachable(error)

    def _ended(self, seen: str = "it has ended") -> ProbeError:
        pod = self._place.inside
        return ProbeError(
            f"the relay in pod {pod} is gone",
            hint=f"was the pod replaced? `kubectl -n {pod.namespace} get pods`",
            evidence=[seen],
        )

    def _unreachable(self, error: Exception) -> ApiUnreachableError:
        return ApiUnreachableError(
            f"the relay in pod {self._place.inside}", self._kube.server, error
        )


def begin(places: Places, pod: PodRef) -> tuple[Place, Running]:
    """Begin the relay's program where a pod's network can be asked.

    Returns:
        Where it runs, and the program, which listens and is to be closed by the caller.

    Raises:
        UnaskedError: there is no place to run it in, with the reason.
        ProbeError: it could not be run, or said nothing in time.
        ClusterError: the API was away.
    """
    place, (running, _said) = places.begin(
        pod,
        "in_pod_relay",
        json.dumps({"patience": timeouts.RELAY_ALONE}),
        timeout=timeouts.RELAY_START,
    )
    return place, running
