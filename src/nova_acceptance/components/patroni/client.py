"""Patroni's own view of PostgreSQL's members, by its REST API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.vantage.agent import ask_everywhere
from nova_acceptance.vantage.questions import Get, Page
from nova_acceptance.vantage.transcript import Transcript

LEADERS = frozenset({"leader", "master", "primary", "standby_leader"})
FOLLOWS = frozenset({"streaming", "running"})
"""Before Patroni 3.0.4 a replica that streams is said to run."""


@dataclass(frozen=True, slots=True)
class View:
    """The members as one of them sees them.

    Attributes:
        leader: the name of the member that leads; empty while none does.
        replicas: the names of those that follow.
        timelines: the histories that the members are on; one where they agree.
    """

    leader: str
    replicas: frozenset[str]
    timelines: frozenset[int]


@dataclass(frozen=True, eq=False)
class Patroni:
    """Every member's Patroni, each asked from inside its own pod.

    Source: https://patroni.readthedocs.io/en/latest/rest_api.html, "Cluster status endpoints".

    Args:
        kube: the API that the pods are behind.
        members: the pods by name.
        port: where Patroni listens.
        transcript: who takes down what is asked.
    """

    _kube: Kube
    _members: Mapping[str, PodRef]
    _port: int
    _transcript: Transcript

    @property
    def views(self) -> dict[str, View]:
        """What each member says now, by the member's name.

        Raises:
            ProbeError: one did not answer.
        """
        question = Get("127.0.0.1", self._port, "/cluster")
        asked = ask_everywhere(self._kube, {pod: [question] for pod in self._members.values()})
        self._transcript.add(*(page.evidence for (page,) in asked.values()))
        return {pod.name: _view(pod, page) for pod, (page,) in asked.items()}


def _view(pod: PodRef, page: Page) -> View:
    try:
        members: list[dict[str, Any]] = json.loads(page.body)["members"]
        return View(
            next((m["name"] for m in members if m["role"] in LEADERS), ""),
            frozenset(
                m["name"] for m in members if m["role"] not in LEADERS and m["state"] in FOLLOWS
            ),
            frozenset(int(m["timeline"]) for m in members if "timeline" in m),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ProbeError(
            f"Patroni in pod {pod} gave no list of members",
            hint="Patroni's log tells more: `kubectl logs -l app.kubernetes.io/name=postgres -A`",
            evidence=[page.evidence.answer],
        ) from error
