"""Parts of the system that are tested one by one, derived from what nova.yaml lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Final, TypeVar

from nova_acceptance.findings import Ref
from nova_acceptance.phrase import Phrase
from nova_acceptance.system.component import Component, KubeService, Workload
from nova_acceptance.system.model import System

PartT = TypeVar("PartT")

_SYSTEMS: Final = 8
"""Of how many systems at most the parts are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A system that is the same as none but itself, whatever it says."""

    system: System

    def __hash__(self) -> int:
        return id(self.system)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.system is self.system


def _kept(parts: Callable[[System], Iterable[PartT]]) -> Callable[[System], list[PartT]]:
    """Work parts out once for a system: it does not change, and every test asks for them."""

    @lru_cache(maxsize=_SYSTEMS)
    def of(same: _Same) -> tuple[PartT, ...]:
        return tuple(parts(same.system))

    @wraps(parts)
    def listed(system: System) -> list[PartT]:
        return list(of(_Same(system)))

    return listed


@dataclass(frozen=True, slots=True)
class Front:
    """A Service with the workload behind it."""

    workload: Workload
    service: KubeService

    @property
    def name(self) -> str:
        """The Service's name."""
        return self.service.name

    @property
    def namespace(self) -> str:
        """The namespace of both."""
        return self.workload.namespace

    @property
    def ref(self) -> Ref:
        """The Service on the cluster."""
        return Ref("Service", self.namespace, self.name)

    def full_name(self, zone: str) -> str:
        """Return its name in the cluster's DNS, such as `redis.nova-redis.svc.cluster.local`."""
        return f"{self.name}.{self.namespace}.svc.{zone}"


@dataclass(frozen=True, slots=True)
class Door:
    """One declared port of one Service."""

    front: Front
    port_name: str
    port: int

    @property
    def name(self) -> str:
        """The Service's name and the port."""
        return f"{self.front.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Passage:
    """From a component's pods to a declared port of another Service."""

    source: Component
    door: Door

    @property
    def name(self) -> Phrase:
        """Where from and where to."""
        return Phrase("{source} to {target}", source=self.source.name, target=self.door.name)


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that a ConfigMap or Secret holds, and what it leads to.

    Attributes:
        holder: the ConfigMap or Secret that holds it.
        key: the key.
        target: what it leads to, by the name under which it is used.
        source: who connects by it; None where the file does not say.
    """

    holder: Ref
    key: str
    target: str
    source: Component | None

    @property
    def name(self) -> Phrase:
        """Who uses what, or the key and what it leads to."""
        source = self.source.name if self.source else self.key
        return Phrase("{source} to {target}", source=source, target=self.target)


def forms(name: str, namespace: str, zone: str) -> list[str]:
    """Return the forms of a name in the cluster's DNS that work everywhere, shortest first."""
    short = f"{name}.{namespace}"
    return [short, f"{short}.svc", f"{short}.svc.{zone}"]


@_kept
def fronts(system: System) -> list[Front]:
    """Return every Service."""
    return [
        Front(workload, service)
        for workload in system.every_workload
        for service in workload.services
    ]


def front_of(component: Component) -> Front | None:
    """Return the Service by which others connect to a component; None where it has none."""
    service = component.client_service
    return Front(component.workload, service) if service else None


@_kept
def doors(system: System) -> list[Door]:
    """Return every declared port of every Service."""
    return [
        Door(front, name, port)
        for front in fronts(system)
        for name, port in front.service.ports.items()
    ]


@_kept
def passages(system: System) -> list[Passage]:
    """Return from which components which ports must be reached.

    What a component uses or needs must be, by the Service through which clients connect, and
    what `reachability.open` names.
    """
    found: dict[tuple[str, str, str, int], Passage] = {}
    for source, door in (*_used(system), *_named(system, "open")):
        key = source.name, door.front.namespace, door.front.name, door.port
        found.setdefault(key, Passage(source, door))
    return list(found.values())


@_kept
def closed_passages(system: System) -> list[Passage]:
    """Return from which components which ports must not be reached."""
    return [Passage(source, door) for source, door in _named(system, "closed")]


def reached(system: System) -> list[Front]:
    """Return the Services with an address of their own that somebody must reach."""
    doors_ = [it.door.front for it in passages(system)]
    return [it for it in fronts(system) if it in doors_ and not it.service.headless]


def uses(system: System) -> Iterator[tuple[Component, Component]]:
    """Yield which component connects to which other one."""
    for component in system.components:
        names = (*(use.name for use in component.uses), *component.needs)
        owners = (system.owner_of(name) or _by_name(system, name) for name in names)
        yield from ((component, owner) for owner in owners if owner)


def urls(system: System, *, inside: bool) -> list[Url]:
    """Return every URL that the file knows of.

    Args:
        system: all of nova.yaml.
        inside: those that lead to something inside the cluster, or those that lead outside.
    """
    external = {item.name for item in system.external}
    return [url for url in _urls(system) if (url.target not in external) is inside]


def _urls(system: System) -> Iterator[Url]:
    told: set[tuple[Ref, str]] = set()
    for component in system.components:
        for use in component.uses:
            key = system.key_of(component, use)
            owner = system.owner_of(use.name)
            if key and (owner is None or owner.url(use.name)):
                holder = system.holder_of(component, use)
                told.add((holder, key))
                yield Url(holder, key, use.name, component)
    for item in system.configuration:
        for key, spec in item.keys.items():
            if spec.url and (item.ref, key) not in told:
                yield Url(item.ref, key, spec.url, None)


def _by_name(system: System, name: str) -> Component | None:
    return next((each for each in system.components if each.name == name), None)


def _used(system: System) -> Iterator[tuple[Component, Door]]:
    for source, owner in uses(system):
        front = front_of(owner)
        if front and source is not owner:
            for name, port in front.service.ports.items():
                if port == owner.client_port:
                    yield source, Door(front, name, port)


def _named(system: System, part: str) -> Iterator[tuple[Component, Door]]:
    for connection in getattr(system.reachability, part):
        targets = {each.name for each in system.selected(connection.to)}
        for source in system.selected(connection.origin):
            for door in doors(system):
                is_own = door.front.workload == source.workload
                if door.front.workload.component in targets and not is_own:
                    yield source, door


def passwords(system: System) -> frozenset[tuple[str, str, str]]:
    """Return where nova.yaml says that passwords are: namespace, Secret and key."""
    return frozenset(
        (component.namespace, home.secret, home.key)
        for component in system.components
        for home in component.secrets
    )
