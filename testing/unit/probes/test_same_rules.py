"""Whether what a probe pod was answered shows anything of the pod in whose place it asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.errors import UnaskedError
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.system import System
from nova_acceptance.vantage.places import PlaceKind
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.diagnosis.elsewhere import APP, cluster, deployment, made, template

WEB = PodRef(APP, "web-1-x")
POLICY = made(
    "NetworkPolicy",
    "web",
    {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]},
)


def plugin(image: str) -> Object:
    of = template("net", {"image": image})
    of["spec"]["volumes"] = [{"name": "cni", "hostPath": {"path": "/etc/cni/net.d"}}]
    return made("DaemonSet", "net", {"template": of}, {}, namespace="kube-system")


def connections(kind: PlaceKind, *more: Object) -> Connections:
    nothing: Any = None
    places: Any = SimpleNamespace(of=lambda _: SimpleNamespace(kind=kind))
    objects = Seen(cluster(*deployment("web"), *more), Transcript())
    return Connections(places, System(components=()), objects, nothing, nothing, {"web": WEB})


def test_policy_that_tells_a_probe_pod_from_the_pod_leaves_the_question_open() -> None:
    with pytest.raises(UnaskedError, match="judged by other rules"):
        connections(PlaceKind.PROBE_POD, POLICY).require_same_rules(WEB)


def test_policy_that_nothing_enforces_tells_nobody_apart() -> None:
    there = connections(PlaceKind.PROBE_POD, POLICY, plugin("docker.io/flannel/flannel:v0.25.1"))
    there.require_same_rules(WEB)

    with pytest.raises(UnaskedError):
        connections(PlaceKind.PROBE_POD, POLICY, plugin("calico/node:v3")).require_same_rules(WEB)


def test_pod_that_is_asked_itself_is_judged_by_its_own_rules() -> None:
    connections(PlaceKind.CONTAINER, POLICY).require_same_rules(WEB)
