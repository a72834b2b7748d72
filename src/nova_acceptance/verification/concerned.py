"""Which objects of the cluster a test is about, by what it runs over and what it asks of.

What a test asks comes first, who asks comes after it: a port that is closed is explained by what is
behind it, and only if that is well by the pod that asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nova_acceptance.causes import family
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.objects import of_front
from nova_acceptance.findings import Ref
from nova_acceptance.system import (
    Certificate,
    Claim,
    Configuration,
    Database,
    Front,
    Passage,
    Reach,
    Role,
    Schema,
    Service,
    System,
    Use,
    Workload,
)
from nova_acceptance.system.parts import Door, fronts

API: Final = Ref("Service", "default", "kubernetes")
"""What stands for the API itself."""

_BY_FIXTURE: Final = {
    "redis": "redis",
    "etcd": "etcd",
    "postgres": "postgres",
    "patroni": "postgres",
    "logins": "postgres",
}


@dataclass(frozen=True, slots=True)
class Concerned:
    """The objects of a test.

    Attributes:
        targets: what it asks, or looks at.
        askers: who asks.
    """

    targets: tuple[Ref, ...]
    askers: tuple[Ref, ...] = ()

    @property
    def tiers(self) -> tuple[tuple[Ref, ...], ...]:
        """What to look at first, and what besides if that explains nothing."""
        return tuple(filter(None, (self.targets, self.askers)))

    def asked_by(self, more: Iterable[Ref]) -> Concerned:
        """Return them with more askers, as they turned out."""
        known = (*self.targets, *self.askers)
        return Concerned(
            self.targets, (*self.askers, *(each for each in more if each not in known))
        )


def concerned(
    system: System,
    parameters: Mapping[str, object],
    *,
    components: Iterable[str] = (),
    fixtures: Iterable[str] = (),
) -> Concerned:
    """Return the objects of a test.

    Args:
        system: what nova.yaml says.
        parameters: the test's arguments that stand for a part of nova.yaml, by name.
        components: the names that its markers give.
        fixtures: the names of all of its fixtures.
    """
    targets: dict[Ref, None] = {}
    askers: dict[Ref, None] = {}
    names = [*components, *(_BY_FIXTURE[name] for name in fixtures if name in _BY_FIXTURE)]
    for name, value in parameters.items():
        if isinstance(value, Passage):
            targets |= dict.fromkeys(_of(value.door, system))
            askers |= dict.fromkeys(_of(value.source, system))
        elif name == "service" and "workload" in parameters:
            askers |= dict.fromkeys(_of(value, system))
        else:
            targets |= dict.fromkeys(_of(value, system))
    for name in dict.fromkeys(names):
        targets |= dict.fromkeys(_of_component(name, system))
    if "names" in fixtures:
        targets[DNS] = None
    if "service_pods" in fixtures or "names" in fixtures:
        askers |= dict.fromkeys(_askers(system, "service_pods" in fixtures))
    return Concerned(tuple(targets), tuple(ref for ref in askers if ref not in targets))


def home_of(cause: str, system: System) -> Ref | None:
    """Return the workload at which a cause of the data layer is, by the cause's family."""
    for room, workload in (
        ("redis", system.redis.workload),
        ("etcd", system.etcd.workload),
        ("postgres", system.postgres.workload),
    ):
        if cause in _ids(room):
            return of_workload(system.workload(workload))
    if cause in _ids("dns"):
        return DNS
    return API if cause in _ids("api") else None


def of_workload(workload: Workload) -> Ref:
    """Return a workload's reference."""
    return Ref(workload.kind, workload.namespace, workload.name)


def _of(value: object, system: System) -> Iterator[Ref]:
    match value:
        case Workload():
            yield of_workload(value)
        case Service():
            yield of_workload(value.workload)
            yield Ref("Service", value.namespace, value.name)
        case Front():
            yield of_front(value)
            yield of_workload(value.workload)
        case Door():
            yield from _of(value.front, system)
        case Claim():
            yield Ref("PersistentVolumeClaim", value.namespace, value.name)
        case Configuration():
            yield Ref(value.kind, value.namespace, value.name)
        case Certificate():
            yield Ref("Secret", value.namespace, value.secret)
        case Use():
            yield Ref("Secret", value.service.namespace, value.service.secret)
            yield from _of_use(value, system)
        case Database() | Schema() | Role() | Reach():
            yield from _of_component(system.postgres.workload, system)
        case str() if value in system.namespaces:
            yield Ref("Namespace", "", value)


def _of_use(use: Use, system: System) -> Iterator[Ref]:
    wanted = system.redis.service if use.target == "redis" else system.postgres.primary
    if use.target in {item.name for item in system.external}:
        return
    for front in fronts(system):
        if front.name == wanted:
            yield from _of(front, system)


def _of_component(name: str, system: System) -> Iterator[Ref]:
    """Return a workload with its Services, or the Secret or ConfigMap of that name."""
    for workload in system.every_workload:
        if workload.name == name:
            yield of_workload(workload)
            for front in fronts(system):
                if front.workload == workload:
                    yield of_front(front)
            for secret in _passwords(name, system):
                yield Ref("Secret", workload.namespace, secret)
    for item in system.every_configuration:
        if item.name == name:
            yield Ref(item.kind, item.namespace, item.name)


def _passwords(workload: str, system: System) -> Iterator[str]:
    """Return the Secrets that hold the passwords for a workload of the data layer."""
    if workload == system.redis.workload:
        yield system.redis.password.secret
    if workload == system.postgres.workload:
        yield from (role.password.secret for role in system.postgres.roles if role.password)


def _askers(system: System, is_of_services: bool) -> Iterator[Ref]:
    for workload in system.every_workload:
        if not is_of_services or workload.layer == "services":
            yield of_workload(workload)


def _ids(name: str) -> frozenset[str]:
    return frozenset(cause.id for cause in family(name))
