"""Ports of this machine that lead to a pod, or through a pod to wherever it can connect.

Client libraries (redis-py, psycopg) want an address. A *forward* leads to a pod's own port. A
*relay* leads through a pod: the connection begins inside it, by its resolver and its network, so
what a Service does for an application is what it does for the test.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.probes import in_pod

LEASES = range(20000, 30000)
"""Ports of a pod's loopback, below the ones that a kernel hands out by itself."""
LOOPBACK = "127.0.0.1"
RETRY = 0.05


@dataclass(frozen=True, slots=True)
class Route:
    """A port of 127.0.0.1, and who asks of whom when one connects to it.

    Attributes:
        port: the local port.
        source: `namespace/pod` of a relay, else `runner`.
        target: `host:port`, or `namespace/pod:port`.
    """

    port: int
    source: str
    target: str


class Routes:
    """Routes that are opened once, kept, and closed together. Threads may share it."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._forwards: dict[tuple[PodRef, int], Route] = {}
        self._relays: dict[PodRef, Relay] = {}

    def __enter__(self) -> Routes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for relay in self._relays.values():
            relay.end()  # all at once, before each is waited for
        self._stack.close()

    def to(self, pod: PodRef, port: int) -> Route:
        """Return the way to a pod's port; its successor of the same name is reached as well."""
        with self._lock:
            if (pod, port) not in self._forwards:
                local = int(self._stack.enter_context(self._kube.forward(pod, port)))
                self._forwards[pod, port] = Route(local, "runner", f"{pod}:{port}")
            return self._forwards[pod, port]

    def through(self, pod: PodRef, host: str, port: int) -> Route:
        """Return the way from inside `pod` to an address that the pod resolves and reaches.

        Raises:
            ProbeError: nothing could be started in the pod.
        """
        with self._lock:
            relay = self._relays.get(pod)
            if relay is None or relay.has_ended:
                relay = self._relays[pod] = self._stack.enter_context(Relay(self._kube, pod))
        return relay.to(host, port)


class Relay:
    """A relay in one pod, for as long as the context lasts."""

    def __init__(self, kube: Kube, pod: PodRef) -> None:
        self._kube = kube
        self._pod = pod
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._ways: dict[tuple[str, int], Route] = {}
        self._lease_port = secrets.choice(LEASES)
        self._failure: ProbeError | None = None
        self._running = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Relay:
        self._running.start()
        with ExitStack() as stack:
            local = int(stack.enter_context(self._kube.forward(self._pod, self._lease_port)))
            self._lease = stack.enter_context(self._take_lease(local))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._running.join(timeouts.PORT_FORWARD)

    def end(self) -> None:
        """Tell the relay that nothing more is wanted from it."""
        with contextlib.suppress(OSError):
            self._lease.sendall(b"null\n")

    @property
    def has_ended(self) -> bool:
        """Whether it is gone, with its pod most likely."""
        return not self._running.is_alive()

    def to(self, host: str, port: int) -> Route:
        """Return the way from inside the pod to `host:port`."""
        with self._lock:
            if (host, port) not in self._ways:
                inside = self._ask(host, port)
                local = int(self._stack.enter_context(self._kube.forward(self._pod, inside)))
                self._ways[host, port] = Route(local, str(self._pod), f"{host}:{port}")
            return self._ways[host, port]

    def _run(self) -> None:
        line = json.dumps({"lease": self._lease_port, "patience": timeouts.CONNECT})
        try:
            in_pod.run(self._kube, self._pod, "in_pod_relay", line, timeout=timeouts.RELAY)
        except ProbeError as error:
            self._failure = error

    def _take_lease(self, local: int) -> socket.socket:
        # The script takes a moment to listen, and a forward's connection is accepted here before
        # it is refused there: only an answer proves that the relay is up.
        deadline = time.monotonic() + timeouts.CONNECT
        while time.monotonic() < deadline and self._running.is_alive():
            with ExitStack() as stack, contextlib.suppress(OSError):
                lease = stack.enter_context(
                    socket.create_connection((LOOPBACK, local), timeouts.CONNECT)
                )
                if lease.recv(1):
                    stack.pop_all()
                    return lease
            time.sleep(RETRY)
        self._running.join(0 if self._failure is None else timeouts.CONNECT)
        raise self._failure or ProbeError(
            f"the relay in pod {self._pod} did not start within {timeouts.CONNECT:.0f} s",
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
            return int(answer)
        except (OSError, ValueError) as error:
            raise ProbeError(
                f"the relay in pod {self._pod} is gone",
                hint=f"was the pod replaced? `kubectl -n {self._pod.namespace} get pods`",
                evidence=[str(error)],
            ) from error
