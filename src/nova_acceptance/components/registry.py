"""Every kind of component: what brings its own rules, answers and checks to a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from nova_acceptance.components.kind import Answer, Kind, Rule
from nova_acceptance.components.kubernetes import (
    admission,
    api,
    configuration,
    control_plane,
    endpoints,
    images,
    leftovers,
    nodes,
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
from nova_acceptance.components.postgres import parts as postgres_parts
from nova_acceptance.components.redis import KIND as REDIS
from nova_acceptance.components.redis import spec as redis_spec
from nova_acceptance.components.urls import rules as urls
from nova_acceptance.system import Component, System
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
    configuration,
    urls,
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


def load(path: Path) -> System:
    """Read what the system should be.

    Raises:
        SpecError: it cannot be read, or is wrong.
    """
    return load_by(path, [kind.spec for kind in kinds()])


def rules(group: str) -> Iterator[Rule]:
    """Yield the rules of a group, `BEFOREHAND` or `LIVE`: those that all stand on first."""
    for module in _RULES:
        yield from getattr(module, group, ())
    for kind in kinds():
        yield from getattr(kind, group.lower())


def answers() -> tuple[Answer, ...]:
    """Return what says of an error what it shows."""
    return (*(kind.answer for kind in kinds()), api.of_error, connections.of_error)


def parameters() -> Iterator[
    tuple[
        type[Component],
        Mapping[str, Callable[[Any], bool]],
        Mapping[str, Callable[[Any], Iterable[Any]]],
    ]
]:
    """Yield for each kind which arguments of tests stand for its components and their parts."""
    yield redis_spec.Redis, redis_spec.COMPONENTS, {}
    yield POSTGRES.spec, postgres_parts.COMPONENTS, postgres_parts.PARTS
    yield ETCD.spec, {"etcd_spec": lambda _etcd: True}, {}
