"""Every kind of component: what brings its own rules, answers and checks to a run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from nova_acceptance.causes import ENTRY_POINTS
from nova_acceptance.components.certificates import rules as certificates
from nova_acceptance.components.dns import rules as dns
from nova_acceptance.components.etcd import KIND as ETCD
from nova_acceptance.components.http import KIND as HTTP
from nova_acceptance.components.kind import Answer, ComponentCheck, Kind, Rule
from nova_acceptance.components.kubernetes import (
    admission,
    api,
    configuration,
    control_plane,
    endpoints,
    images,
    jobs,
    leftovers,
    nodes,
    outdated,
    presence,
    programs,
    references,
    scheduling,
    selection,
    services,
    startup,
    storage,
)
from nova_acceptance.components.network import rules as network
from nova_acceptance.components.postgres import KIND as POSTGRES
from nova_acceptance.components.redis import KIND as REDIS
from nova_acceptance.components.urls import outdated as outdated_values
from nova_acceptance.components.urls import rules as urls
from nova_acceptance.system import Component, System, model_of
from nova_acceptance.system import load as load_by
from nova_acceptance.vantage import answers as connections

_OWN: Final = (REDIS, POSTGRES, ETCD, HTTP)
_RULES: Final[tuple[ModuleType, ...]] = (
    presence,
    nodes,
    control_plane,
    storage,
    scheduling,
    admission,
    images,
    references,
    startup,
    programs,
    outdated,
    jobs,
    configuration,
    urls,
    outdated_values,
    certificates,
    services,
    selection,
    endpoints,
    network,
    dns,
    leftovers,
)
"""What every system stands on, whatever its kinds."""


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind of component, our own and those that other packages bring."""
    foreign = (entry.load() for entry in metadata.entry_points(group=ENTRY_POINTS))
    return (*_OWN, *foreign)


def kind_of(component: Component) -> Kind:
    """Return the kind of a component."""
    return next(kind for kind in kinds() if isinstance(component, kind.spec))


def homes(system: System) -> dict[str, frozenset[str]]:
    """Return the namespaces of those kinds of objects that only kinds of components read."""
    found: dict[str, set[str]] = {name: set() for kind in kinds() for name in kind.reads}
    for component in system.components:
        for name in kind_of(component).reads:
            found[name].add(component.namespace)
    return {name: frozenset(places) for name, places in found.items()}


def load(path: Path) -> System:
    """Read what the system should be.

    Raises:
        SpecError: it cannot be read, or is wrong.
    """
    return load_by(path, [kind.spec for kind in kinds()])


def model() -> type[System]:
    """Return the model of a file, with every kind that is installed."""
    return model_of(tuple(kind.spec for kind in kinds()))


def json_schema() -> dict[str, Any]:
    """Return what nova.yaml may say, as a JSON Schema (draft 2020-12)."""
    found: dict[str, Any] = model().model_json_schema(by_alias=True)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **found, "title": "nova.yaml"}


def component_checks(system: System) -> Iterator[ComponentCheck]:
    """Yield the checks that kinds bring, for each component and each part that they are about."""
    for component in system.components:
        for check in kind_of(component).checks:
            for part in check.parts(component):
                yield ComponentCheck(component, check, part)


def foreign_checks(system: System) -> Iterator[ComponentCheck]:
    """Yield those of kinds from outside, for which the acceptance suite has no tests."""
    own = tuple(kind.spec for kind in _OWN)
    return (it for it in component_checks(system) if not isinstance(it.component, own))


def rules(group: str) -> Iterator[Rule]:
    """Yield the rules of a group, `BEFOREHAND` or `LIVE`: those that all stand on first."""
    for module in _RULES:
        yield from getattr(module, group, ())
    for kind in kinds():
        yield from getattr(kind, group.lower())


def answers() -> tuple[Answer, ...]:
    """Return what says of an error what it shows."""
    return (*(kind.answer for kind in kinds()), api.of_error, connections.of_error)
