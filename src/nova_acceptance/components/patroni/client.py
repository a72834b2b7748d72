"""Patroni's own view of PostgreSQL's members, by its REST API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage.at_once import of_each
from nova_acceptance.vantage.http import exchange
from nova_acceptance.vantage.lately import Lately
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript, shorten

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
    """Every member's Patroni, each asked by itself.

    Source: https://patroni.readthedocs.io/en/latest/rest_api.html, "Cluster status endpoints".

    Args:
        members: the routes to them by the names of their pods.
        transcript: who takes down what is asked.
    """

    _members: Mapping[str, Route]
    _transcript: Transcript
    _views: Lately[dict[str, View]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_views", Lately(self._transcript, self._ask))

    @property
    def views(self) -> dict[str, View]:
        """What each member says now, or said to another test a moment ago, by the member's name.

        A connection answers once, and opening one through the API is most of the work.

        Raises:
            ProbeError: one did not answer.
        """
        return self._views.told()

    def _ask(self) -> dict[str, View]:
        asked = of_each(self._members, lambda name: self._view(self._members[name]))
        return {name: future.result() for name, future in asked.items()}

    def _view(self, route: Route) -> View:
        source, target = route.source, route.target
        with self._transcript.asking("GET /cluster", source=source, target=target) as asking:
            status, body = exchange(route, "GET", "/cluster")
            asking.answered(f"{status} {body}")
        return _view(target, body)


def _view(target: str, body: str) -> View:
    try:
        members: list[dict[str, Any]] = json.loads(body)["members"]
        return View(
            next((m["name"] for m in members if m["role"] in LEADERS), ""),
            frozenset(
                m["name"] for m in members if m["role"] not in LEADERS and m["state"] in FOLLOWS
            ),
            frozenset(int(m["timeline"]) for m in members if "timeline" in m),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ProbeError(
            f"Patroni at {target} gave no list of members",
            hint="Patroni's log tells more: `kubectl logs -l app.kubernetes.io/name=postgres -A`",
            evidence=[shorten(body)],
        ) from error
