"""Pods in whose only container the scripts run, with no question to the API about that."""

from __future__ import annotations

from typing import Any

from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.places import Place, PlaceKind, Places


def at(pod: PodRef) -> Place:
    """Return the place that is the pod's own container."""
    return Place(pod, PlaceKind.CONTAINER, pod, "main")


class OwnContainers(Places):
    """Every pod is asked from in its own container."""

    def of(self, pod: PodRef) -> Place:
        """Return the pod's own container, untried."""
        return at(pod)

    def _candidate(self, pod: PodRef, known: Any) -> Place:
        known.place = at(pod)
        return at(pod)
