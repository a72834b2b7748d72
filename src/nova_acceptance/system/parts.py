"""Parts of the system that are tested one by one, derived from what nova.yaml lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nova_acceptance.system.model import Grant, KubeService, Role, Service, System, Workload


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
    """From a service's pods to a declared port of another Service."""

    source: Service
    door: Door

    @property
    def name(self) -> str:
        """Where from and where to."""
        return f"{self.source.name} to {self.door.name}"


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema of one database, with its owner."""

    database: str
    schema: str
    owner: str

    @property
    def name(self) -> str:
        """Database and schema."""
        return f"{self.database}.{self.schema}"


@dataclass(frozen=True, slots=True)
class Reach:
    """What one role may do in one database."""

    role: Role
    grant: Grant

    @property
    def name(self) -> str:
        """Role and database."""
        return f"{self.role.name} in {self.grant.database}"

    def on_schema(self, schema: str) -> frozenset[str]:
        """The privileges on a schema; none where the grant does not name it."""
        return frozenset(self.grant.on_schemas if schema in self.grant.schemas else ())

    def on_tables_of(self, schema: str) -> frozenset[str]:
        """The privileges on every table of a schema."""
        return frozenset(self.grant.on_tables if schema in self.grant.schemas else ())

    def on_sequences_of(self, schema: str) -> frozenset[str]:
        """The privileges on every sequence of a schema."""
        return frozenset(self.grant.on_sequences if schema in self.grant.schemas else ())


@dataclass(frozen=True, slots=True)
class Use:
    """One URL of one service's Secret: a service and what it connects to."""

    service: Service
    target: str
    url_key: str

    @property
    def name(self) -> str:
        """The service and what it uses."""
        return f"{self.service.name} to {self.target}"


def fronts(system: System) -> list[Front]:
    """Return every Service."""
    return [
        Front(workload, service)
        for workload in system.every_workload
        for service in workload.services
    ]


def doors(system: System) -> list[Door]:
    """Return every declared port of every Service."""
    return [
        Door(front, name, port)
        for front in fronts(system)
        for name, port in front.service.ports.items()
    ]


def passages(system: System) -> list[Passage]:
    """Return the way from every service to every declared port of every other Service."""
    return [
        Passage(source, door)
        for source in system.services
        for door in doors(system)
        if (door.front.name, door.front.namespace) != (source.name, source.namespace)
    ]


def schemas(system: System) -> list[Schema]:
    """Return every schema of every database."""
    return [
        Schema(database.name, name, owner)
        for database in system.postgres.databases
        for name, owner in database.schemas.items()
    ]


def reaches(system: System) -> list[Reach]:
    """Return what every role may do in every database; owners and superusers may do everything.

    A role that owns something is left out where it does: an owner's rights are not granted.
    """
    return list(_reaches(system))


def _reaches(system: System) -> Iterator[Reach]:
    for role in system.postgres.roles:
        for database in system.postgres.databases:
            owners = {database.owner, *database.schemas.values()}
            if role.name not in owners and "SUPERUSER" not in role.attributes:
                yield Reach(role, role.grant_in(database.name))


def uses(system: System, *, inside: bool) -> list[Use]:
    """Return every URL of the services' Secrets.

    Args:
        system: all of nova.yaml.
        inside: those that lead to something inside the cluster, or those that lead outside.
    """
    external = {item.name for item in system.external}
    return [
        Use(service, target, system.url_key(target))
        for service in system.services
        for target in service.uses
        if (target not in external) is inside
    ]
