"""What a fault changes, in the words of nova.yaml: which components, and which other objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.components.redis.spec import Redis
from nova_acceptance.system import Component, System
from testing.faults.fault import Deploy, Fault, Step, Target

EVERYWHERE: Final = frozenset({"nodes", "api", "network", "dns"})
"""Families whose faults reach every component."""

_ON_NODES: Final = frozenset({"cordon", "taint", "names", "node", "filter"})
_ON_OBJECTS: Final = frozenset({"patch", "delete"})
_ON_PODS: Final = frozenset({"doom", "restart", "expire", "stranger", "signal"})
_IN_PODS: Final = frozenset({"exec", "file", "background"})
_OF_A_NAMESPACE: Final = frozenset({"NetworkPolicy", "ResourceQuota", "LimitRange", "Namespace"})
"""Kinds that reach every pod of their namespace, whatever they are called."""
_ENDPOINTS: Final = frozenset({"Endpoints", "EndpointSlice"})
"""Kinds that let some connections through and others not, so that the suite looks at every
component of the namespace, with whatever is wrong there, for what tells them apart."""
_BY_ITSELF: Final = frozenset({"Job", "CronJob", "Pod"})
"""Kinds that change nothing of a component where they are nobody's."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a fault changes.

    Attributes:
        components: names of the components whose objects, pods or data it changes, and of
            `namespace/name` of other objects that belong to none.
        felt: those, and the components that need one of them.
        names: what its objects are called, and their namespaces.
        is_everything: whether it changes what belongs to no component, such as a node.
    """

    components: frozenset[str] = frozenset()
    felt: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    is_everything: bool = False


class Owners:
    """Which component of a nova.yaml an object belongs to, by what it is called.

    Args:
        system: what nova.yaml says.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._known = [
            (name, component) for component in system.components for name in _names_of(component)
        ]
        self._known.sort(key=lambda each: len(each[0]), reverse=True)  # the longest name is meant

    def of(self, name: str, namespace: str = "") -> str | None:
        """Return the name of the component that an object belongs to; None where to none.

        An object is a component's by the name of its workload, of a Service or claim, of what
        others connect to, or by a name that begins so, as those of pods and Secrets do.
        """
        for known, component in self._known:
            is_its = name == known or name.startswith(f"{known}-")
            if is_its and namespace in ("", component.namespace):
                return component.name
        return None

    def in_namespace(self, namespace: str) -> frozenset[str]:
        """Return the names of the components of a namespace."""
        return frozenset(c.name for c in self._system.components if c.namespace == namespace)

    def feeling(self, components: frozenset[str]) -> frozenset[str]:
        """Return these components, and those that need one of them, however indirectly."""
        users = {
            component.name
            for component in self._system.components
            for need in (*component.needs, *(use.name for use in component.uses))
            if (owner := self._system.owner_of(need)) and owner.name in components
        }
        return components if users <= components else self.feeling(components | users)

    def reach(self, fault: Fault) -> Reach:
        """Return what a fault changes."""
        found: set[str] = set()
        names: set[str] = set()
        if fault.family in EVERYWHERE or fault.through:
            return Reach(is_everything=True)
        if fault.deploy is not None:
            found |= self._deployed(fault.deploy)
            if not found:
                return Reach(is_everything=True)
        for step in fault.breaks:
            targets = list(self._targets(step))
            if not targets:
                return Reach(is_everything=True)
            for target, labels in targets:
                owned = self._owned(target, labels)
                if not owned:
                    return Reach(is_everything=True)
                found |= owned
                names |= {target.name, target.namespace}
        if fault.expect:
            found |= self._named_in(fault.expect.subject)
        components = frozenset(found)
        return Reach(components, self.feeling(components), frozenset(names))

    def _owned(self, target: Target, labels: dict[str, str]) -> frozenset[str]:
        """Return what an object belongs to; nothing where everything may depend on it."""
        namespace = target.name if target.kind == "Namespace" else target.namespace
        if namespace not in self._system.namespaces:
            return frozenset()
        if target.kind not in _OF_A_NAMESPACE | _ENDPOINTS:
            for name in (target.name, *labels.values()):
                if owner := self.of(name, namespace):
                    return frozenset({owner})
            if target.kind in _BY_ITSELF:
                return frozenset({f"{namespace}/{target.name}"})
        return self.in_namespace(namespace) or frozenset({namespace})

    def _deployed(self, deploy: Deploy) -> frozenset[str]:
        """Return the components whose manifests are changed, or that are made anew.

        Nothing where that may be all of them: one of the changes is nobody's, or nothing is
        written, since every test fails then.
        """
        owners = [
            *(self.of(each.target.get("name", "")) for each in deploy.patches),
            *(self._edited(PurePath(each.file)) for each in deploy.edits),
            *(self.of(each.workload, each.namespace) for each in deploy.afresh),
        ]
        known = frozenset(owner for owner in owners if owner)
        return known if deploy.writes and all(owners) else frozenset()

    def _edited(self, file: PurePath) -> str | None:
        """Return whose manifests a file is part of: it is called so, or its directory is."""
        return self.of(file.stem) or self.of(file.parent.name)

    def _named_in(self, subject: str) -> set[str]:
        return {
            each.name
            for each in self._system.components
            if re.search(rf"(?<![\w-]){re.escape(each.name)}(?![\w-])", subject)
        }

    def _targets(self, step: Step) -> Iterator[tuple[Target, dict[str, str]]]:
        """Yield the objects that a step changes, with their labels; none where it is a node."""
        action, wanted = step.action, getattr(step, step.action)
        if action in _ON_NODES:
            return
        if action in _ON_OBJECTS:
            yield Target(kind=wanted.kind, namespace=wanted.namespace, name=wanted.name), {}
        elif action == "apply":
            yield from map(_created, wanted)
        elif action in _ON_PODS or action in _IN_PODS:
            pods = wanted.pods if action in _IN_PODS else wanted
            yield Target(kind="Pod", namespace=pods.namespace, name=pods.workload), {}
        elif action in ("url", "certificate"):
            yield Target(kind="Secret", namespace=wanted.namespace, name=wanted.secret), {}
        elif action == "value":
            yield Target(kind=wanted.kind, namespace=wanted.namespace, name=wanted.name), {}
        elif action in ("sql", "redis"):
            stores = self._system.of(Postgres if action == "sql" else Redis)
            for each in stores[:1]:  # the one that `ground` changes
                workload = each.workload
                yield (
                    Target(kind=workload.kind, namespace=workload.namespace, name=workload.name),
                    {},
                )


def _created(obj: dict[str, Any]) -> tuple[Target, dict[str, str]]:
    metadata = obj["metadata"]
    target = Target(
        kind=obj["kind"], namespace=metadata.get("namespace", ""), name=metadata["name"]
    )
    return target, {key: str(value) for key, value in (metadata.get("labels") or {}).items()}


def _names_of(component: Component) -> set[str]:
    """Return what the objects and parts of a component are called."""
    workload = component.workload
    return {
        component.name,
        workload.name,
        *(service.name for service in component.every_service),
        *(claim.name for claim in workload.claimed),
        *component.targets,
    }
