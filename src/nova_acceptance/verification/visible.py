"""The part of a system whose objects were looked at: only of it can anything be asked."""

from __future__ import annotations

from collections.abc import Mapping

from nova_acceptance.kube import forbidden
from nova_acceptance.kube.snapshot import EVERYWHERE, Snapshot
from nova_acceptance.system import Component, System

_OF_ALL = (("Pod",), ("Service",), ("EndpointSlice", "Endpoints"))
"""Kinds without which nobody knows where a component is; of some, either will do."""


def visible(system: System, snapshot: Snapshot) -> tuple[System, Mapping[str, str]]:
    """Return the part of a system that a snapshot shows, and why each other component is not in it.

    Args:
        system: what nova.yaml says.
        snapshot: what was looked at.
    """
    hidden = {it.name: why for it in system.components if (why := _why_hidden(it, snapshot))}
    while more := {it.name: why for it in _others(system, hidden) if (why := _lacks(it, hidden))}:
        hidden |= more
    if not hidden:
        return system, hidden
    kept = tuple(_others(system, hidden))
    homes = {each.namespace for each in kept}
    fields = {name: getattr(system, name) for name in type(system).model_fields}
    # a copy would keep what the whole system had worked out of itself
    part = type(system).model_construct(
        **{
            **fields,
            "components": kept,
            "extra_namespaces": (),
            "configuration": tuple(it for it in system.configuration if it.namespace in homes),
        }
    )
    return part, hidden


def _others(system: System, hidden: Mapping[str, str]) -> list[Component]:
    return [each for each in system.components if each.name not in hidden]


def _why_hidden(component: Component, snapshot: Snapshot) -> str:
    namespace = component.namespace
    for kinds in ((component.workload.kind,), *_OF_ALL):
        if any(snapshot.knows(kind, namespace) for kind in kinds):
            continue
        for kind in kinds:
            failures = snapshot.failures
            error = failures.get((kind, namespace)) or failures.get((kind, EVERYWHERE))
            if error:
                may_not = forbidden(error)
                why = "this user may not list it" if may_not else "it could not be listed"
                return f"{kind} in {namespace}: {why}"
        return f"namespace {namespace} was not looked at"
    return ""


def _lacks(component: Component, hidden: Mapping[str, str]) -> str:
    missing = [name for name in component.needs if name in hidden]
    return f"it needs {', '.join(missing)}" if missing else ""
