"""The values that a test runs over, by the names of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from nova_acceptance.components.dns.questions import absent_names
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.registry import foreign_checks, kinds
from nova_acceptance.system import System, parts

_OF_THE_SYSTEM: Final[Mapping[str, Callable[[System], Iterable[Any]]]] = {
    "namespace": lambda system: system.namespaces,
    "workload": lambda system: system.every_workload,
    "restricted_workload": lambda system: [
        it for it in system.every_workload if it.pod_security == "restricted"
    ],
    "claim": lambda system: [c for w in system.every_workload for c in w.claimed],
    "configuration": lambda system: system.every_configuration,
    "front": parts.fronts,
    "headless": lambda system: [f for f in parts.fronts(system) if f.service.headless],
    "named_pods": lambda system: [
        it
        for it in parts.fronts(system)
        if it.service.headless and it.workload.kind == "StatefulSet"
    ],
    "clustered": lambda system: [f for f in parts.fronts(system) if not f.service.headless],
    "passage": parts.passages,
    "closed_passage": parts.closed_passages,
    "reached": parts.reached,
    "reached_workload": lambda system: [
        each
        for each in system.every_workload
        if any(it.door.front.workload == each for it in parts.passages(system))
    ],
    "service": lambda system: [it for it in system.of(Http) if it.is_asked],
    "named_service": lambda system: [
        it for it in system.of(Http) if it.health and it.health.names_itself
    ],
    "tls_service": lambda system: [
        it for it in system.of(Http) if it.is_asked and it.protocol == "https"
    ],
    "grpc_service": lambda system: [it for it in system.of(Http) if it.protocol == "grpc"],
    "addressed": lambda system: [
        (item, key)
        for item in system.every_configuration
        for key, spec in item.keys.items()
        if spec.address
    ],
    "url": lambda system: parts.urls(system, inside=True),
    "external_url": lambda system: parts.urls(system, inside=False),
    "external": lambda system: [it for it in system.external if it.verify],
    "absent": absent_names,
    "component_check": foreign_checks,
    "certificate": lambda system: system.certificates,
}
"""By the argument's name: parts of what every system has."""


@dataclass(frozen=True, slots=True)
class Parametrization:
    """Arguments of a test that are given values together.

    Attributes:
        names: the arguments.
        values: a tuple for each time that the test runs.
        ids: a name for each of these.
    """

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    ids: tuple[str, ...]


def parametrizations(system: System, arguments: Collection[str]) -> Iterator[Parametrization]:
    """Yield over what a test with these arguments runs.

    Arguments of one kind of component are given together: the parts of one and the same component.
    """
    for name, listed in _OF_THE_SYSTEM.items():
        if name in arguments:
            values = tuple((item,) for item in listed(system))
            yield Parametrization((name,), values, tuple(_spelled(value) for (value,) in values))
    for kind in kinds():
        whole = [name for name in kind.components if name in arguments]
        partial = [name for name in kind.parts if name in arguments]
        if not (whole or partial):
            continue
        found = [
            it for it in system.of(kind.spec) if all(kind.components[name](it) for name in whole)
        ]
        runs = [
            (component, combination)
            for component in found
            for combination in product(*(kind.parts[name](component) for name in partial))
        ]
        yield Parametrization(
            (*whole, *partial),
            tuple(((component,) * len(whole) + combination) for component, combination in runs),
            tuple(_named(it, combination, len(found)) for it, combination in runs),
        )


def _named(component: Any, combination: tuple[Any, ...], components: int) -> str:
    """Return the name of a run: that of its parts, and of the component where there are several."""
    names = [_spelled(part) for part in combination]
    return "-".join([*([component.name] if components > 1 or not names else []), *names])


def _spelled(item: Any) -> str:
    if isinstance(item, tuple):
        return "-".join(map(_spelled, item))
    return item if isinstance(item, str) else str(item.name)
