"""Whether a pod's port is open on its loopback alone, found out from outside of the pod.

A port-forward ends on the pod's loopback, and the API's proxy at the pod's own address. The first
being taken where the second is refused shows where the server listens.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.vantage.routes import LOOPBACK

_WORDS: Final = b"GET / HTTP/1.0\r\n\r\n"
"""What a server of any protocol answers, or ends the connection for: silence shows nothing."""
_SHOWN: Final = 40


def taken_on_loopback(kube: Kube, pod: PodRef, port: int) -> str:
    """Return how a connection by a port-forward was answered; empty where nobody took it.

    Where it cannot be told, as the port-forward itself failed or nothing came, that is nobody.
    """
    forward = kube.forward(pod, port)
    with forward as local, suppress(OSError):
        with socket.create_connection((LOOPBACK, local), timeouts.PORT_FORWARD) as connection:
            connection.settimeout(timeouts.CONNECT)
            connection.sendall(_WORDS)
            answer = connection.recv(_SHOWN)
        if not forward.error:
            said = repr(answer.decode("utf-8", "replace")) if answer else "the end of it"
            return f"a port-forward to {pod} port {port} is taken, and answered with {said}"
    return ""


def seen_on_loopback(kube: Kube, pod: PodRef, port: int) -> tuple[str, ...]:
    """Return what shows that a port is open on the loopback and refused at the pod's address.

    It is nothing where it is not so, and where that cannot be told.
    """
    taken = taken_on_loopback(kube, pod, port)
    refused = kube.refused_by(pod, port) if taken else ""
    return (taken, f"at the pod's own address: {refused}") if refused else ()
