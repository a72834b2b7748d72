"""Looks at the part of a cluster that `nova-cluster diagnose` is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.collect.looking import look
from nova_acceptance.components.registry import load
from nova_acceptance.errors import UsageError
from nova_acceptance.kube import ApiError, Kube
from nova_acceptance.kube.snapshot import UNDECLARED, Snapshot
from nova_acceptance.system import System

SPEC: Final = Path("nova.yaml")
_CLUSTERS_OWN: Final = "kube-"


def seen(kube: Kube, namespaces: Sequence[str] = (), spec: Path | None = None) -> Snapshot:
    """Look at a cluster; nothing is changed there.

    Args:
        kube: the API.
        namespaces: where to look; none takes those of nova.yaml where they exist, else all but
            the cluster's own.
        spec: what the system should be; None takes the working directory's nova.yaml, where it
            is one and its namespaces are looked at.

    Raises:
        UsageError: there is no such namespace, or the file is wrong.
        ClusterError: the API did not answer.
    """
    chosen = spec or (SPEC if SPEC.is_file() else None)
    system = load(chosen) if chosen else UNDECLARED
    wanted = _wanted(kube, namespaces, system, is_named=spec is not None)
    is_meant = spec is not None or not set(system.namespaces).isdisjoint(wanted)
    return look(kube, wanted, system if is_meant else UNDECLARED, timeout=timeouts.EXAMINATION)


def _wanted(kube: Kube, namespaces: Sequence[str], system: System, *, is_named: bool) -> list[str]:
    """Return where to look; names that are given have to exist, as far as that can be seen."""
    there = every_namespace(kube)
    ours = list(system.namespaces)
    if namespaces:
        return existing(namespaces, there)
    if there is None:
        if ours:
            return ours
        raise NamespacesUnlistedError
    if is_named or not there.isdisjoint(ours):
        return ours
    return sorted(name for name in there if not name.startswith(_CLUSTERS_OWN))


class NamespacesUnlistedError(UsageError):
    """This user may not list namespaces, and none is named."""

    def __init__(self) -> None:
        super().__init__(
            "this user may not list namespaces",
            hint="say where to look: --namespace NAME, as often as there are namespaces",
        )


def existing(namespaces: Sequence[str], there: set[str] | None) -> list[str]:
    """Return namespaces that somebody named, which have to exist, as far as that can be seen.

    Args:
        namespaces: their names.
        there: what `every_namespace` returned.

    Raises:
        UsageError: one of them does not.
    """
    unknown = [name for name in namespaces if there is not None and name not in there]
    if there is not None and unknown:
        raise UsageError(
            f"there is no namespace {', '.join(unknown)}",
            evidence=[f"there are: {', '.join(sorted(there))}"],
        )
    return list(namespaces)


def every_namespace(kube: Kube) -> set[str] | None:
    """Return the names of all namespaces; None where this user may not list them."""
    try:
        return {each["metadata"]["name"] for each in kube.list("v1", "Namespace")}
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return None
        raise
