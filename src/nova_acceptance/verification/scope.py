"""Which objects of the cluster a test is about, by what it runs over and what it asks of.

What a test asks comes first, who asks comes after it: a port that is closed is explained by what is
behind it, and only if that is well by the pod that asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nova_acceptance.causes import family
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kind import ComponentCheck
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import kind_of
from nova_acceptance.findings import Ref
from nova_acceptance.system import (
    Certificate,
    Claim,
    Component,
    Configuration,
    External,
    Front,
    Passage,
    System,
    Url,
    Workload,
)
from nova_acceptance.system.parts import Door, front_of, passages

API: Final = Ref("Service", "default", "kubernetes")
"""What stands for the API itself."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The objects of a test.

    Attributes:
        targets: what it asks, or looks at.
        sources: who asks.
    """

    targets: tuple[Ref, ...]
    sources: tuple[Ref, ...] = ()

    @property
    def tiers(self) -> tuple[tuple[Ref, ...], ...]:
        """What to look at first, and what besides if that explains nothing."""
        return tuple(filter(None, (self.targets, self.sources)))

    def asked_from(self, more: Iterable[Ref]) -> Scope:
        """Return it with more sources, as they turned out."""
        known = (*self.targets, *self.sources)
        return Scope(self.targets, (*self.sources, *(each for each in more if each not in known)))


def scope_of(
    system: System,
    parameters: Iterable[object],
    *,
    names: Iterable[str] = (),
    fixtures: Iterable[object] = (),
) -> Scope:
    """Return the objects of a test.

    Fixtures ask from every pod, and only where no argument says from which this test asks does it
    depend on all of them: what is wrong with another's settings explains nothing of it.

    Args:
        system: what nova.yaml says.
        parameters: the test's arguments that stand for a part of nova.yaml.
        names: components and Secrets that its markers name.
        fixtures: what its fixtures returned, as far as they came.
    """
    targets: dict[Ref, None] = {}
    sources: dict[Ref, None] = {}
    for value in parameters:
        if isinstance(value, Passage):
            targets |= dict.fromkeys(_of(value.door, system))
            sources |= dict.fromkeys(_of(value.source, system))
        elif isinstance(value, External):
            sources |= {user.workload.ref: None for user in system.users_of(value)}
        elif isinstance(value, Url):
            targets |= dict.fromkeys(_of(value, system))
            sources |= {value.source.workload.ref: None} if value.source else {}
        else:
            targets |= dict.fromkeys(_of(value, system))
    for name in names:
        targets |= dict.fromkeys(_of_name(name, system))
    everybody: dict[Ref, None] = {}
    for value in fixtures:
        if isinstance(value, Lookups):
            targets[DNS] = None
            everybody |= {each.workload.ref: None for each in system.components}
        elif isinstance(value, Connections):
            everybody |= {each.source.workload.ref: None for each in passages(system)}
    sources = sources or everybody
    return Scope(tuple(targets), tuple(ref for ref in sources if ref not in targets))


def home_of(cause: str, system: System, scope: Scope = Scope(())) -> Ref | None:
    """Return the object at which a cause is that no object of the API shows, by its family.

    Of several components of a kind it is the one that the test is about.
    """
    homes = [it.workload.ref for it in system.components if cause in _ids(kind_of(it).room)]
    within = [ref for ref in homes if ref in (*scope.targets, *scope.sources)]
    if homes:
        return next(iter((*within, *homes)))
    if cause in _ids("dns"):
        return DNS
    return API if cause in _ids("api") else None


def _of(value: object, system: System) -> Iterator[Ref]:
    match value:
        case Workload() | Claim() | Configuration() | Certificate():
            yield value.ref
        case Component():
            yield from _of_component(value)
        case ComponentCheck():
            yield from _of_component(value.component)
        case Front():
            yield value.ref
            yield value.workload.ref
        case Door():
            yield from _of(value.front, system)
        case Url():
            yield value.holder
            owner = system.owner_of(value.target)
            if front := front_of(owner) if owner else None:
                yield from _of(front, system)
        case str() if value in system.namespaces:
            yield Ref("Namespace", "", value)


def _of_component(component: Component) -> Iterator[Ref]:
    """Return a component's workload with its Services and the Secrets of its passwords."""
    yield component.workload.ref
    for service in component.every_service:
        yield Ref("Service", component.namespace, service.name)
    for home in component.secrets:
        yield Ref("Secret", component.namespace, home.secret)


def _of_name(name: str, system: System) -> Iterator[Ref]:
    """Return a component with its parts, or the Secret or ConfigMap of that name."""
    for component in system.components:
        if component.name == name:
            yield from _of_component(component)
    for item in system.every_configuration:
        if item.name == name:
            yield item.ref


def _ids(name: str) -> frozenset[str]:
    return frozenset(cause.id for cause in family(name))
