"""A cluster DNS that answers late or wrongly: a relay that stands before the real one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.kube import Object
from testing.faults.fault import Names
from testing.faults.ground import Ground, GroundError
from testing.faults.undo import UndoStack

_NAMESPACE: Final = "kube-system"
_SERVICE: Final = "kube-dns"
_RELAY: Final = "name-relay"
_IMAGE: Final = "docker.io/nova/base:1"
_SCRIPT: Final = Path(__file__).with_name("parts") / "name_relay.py"
_PAUSE: Final = 0.3


def answer_otherwise(ground: Ground, wanted: Names, undo: UndoStack) -> None:
    """Put the relay before the cluster's DNS."""
    service = ground.get("Service", _NAMESPACE, _SERVICE)
    if service is None:
        raise GroundError("the cluster has no DNS of the usual name")
    upstream = _upstream(service["spec"]["selector"])
    name = upstream["metadata"]["name"]
    undo.push("taking a Service away", lambda: ground.delete("Service", _NAMESPACE, name))
    undo.push("taking the relay away", lambda: ground.delete("Pod", _NAMESPACE, _RELAY, now=True))
    ground.put(upstream)
    found = ground.get("Service", _NAMESPACE, name) or {}
    ground.put(_pod([found["spec"]["clusterIP"], str(wanted.delay), wanted.name, wanted.address]))
    _await_ready(ground)
    back = {"spec": {"selector": {**service["spec"]["selector"], "run": None}}}
    undo.push(
        "giving the DNS its pods back",
        lambda: ground.patch("Service", _NAMESPACE, _SERVICE, back),
    )
    gone = dict.fromkeys(service["spec"]["selector"])
    ground.patch("Service", _NAMESPACE, _SERVICE, {"spec": {"selector": {**gone, "run": _RELAY}}})


def _await_ready(ground: Ground) -> None:
    deadline = time.monotonic() + timeouts.REJOIN
    while time.monotonic() < deadline:
        pod = ground.get("Pod", _NAMESPACE, _RELAY)
        if pod is not None and is_ready(pod):
            return
        time.sleep(_PAUSE)
    raise GroundError("the name relay does not start")


def _upstream(selector: dict[str, str]) -> Object:
    ports = [{"name": p.lower(), "port": 53, "protocol": p} for p in ("UDP", "TCP")]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{_RELAY}-upstream", "namespace": _NAMESPACE},
        "spec": {"selector": selector, "ports": ports},
    }


def _pod(arguments: list[str]) -> Object:
    container: dict[str, Any] = {
        "name": _RELAY,
        "image": _IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", _SCRIPT.read_text(encoding="utf-8"), *arguments],
        "readinessProbe": {"tcpSocket": {"port": 53}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _RELAY, "namespace": _NAMESPACE, "labels": {"run": _RELAY}},
        "spec": {
            "containers": [container],
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
        },
    }
