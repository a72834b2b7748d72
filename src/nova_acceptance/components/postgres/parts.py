"""Parts of a PostgreSQL that are tested one by one, derived from what nova.yaml lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nova_acceptance.components.postgres.spec import Database, Grant, Postgres, Role


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


def schemas(postgres: Postgres) -> list[Schema]:
    """Return every schema of every database."""
    return [
        Schema(database.name, name, owner)
        for database in postgres.databases
        for name, owner in database.schemas.items()
    ]


def reaches(postgres: Postgres) -> Iterator[Reach]:
    """Yield what every role may do in every database; owners and superusers may do everything.

    A role that owns something is left out where it does: an owner's rights are not granted.
    """
    for role in postgres.roles:
        for database in postgres.databases:
            owners = {database.owner, *database.schemas.values()}
            if role.name not in owners and not role.is_superuser:
                yield Reach(role, role.grant_in(database.name))


def clients(postgres: Postgres) -> list[Reach]:
    """Return who works in which database: with a password, and rights on tables."""
    return [it for it in reaches(postgres) if it.role.logs_in and it.grant.on_tables]


def strangers(postgres: Postgres) -> list[Reach]:
    """Return who could log in, and must be refused by which database."""
    return [
        it for it in reaches(postgres) if it.role.logs_in and "CONNECT" not in it.grant.on_database
    ]


def writers(postgres: Postgres) -> list[Reach]:
    """Return the first of the clients that may write rows: one is enough to show where they go."""
    wanted = {"SELECT", "INSERT", "DELETE"}
    return [it for it in clients(postgres) if wanted <= set(it.grant.on_tables)][:1]


COMPONENTS: Final[Mapping[str, Callable[[Postgres], bool]]] = {
    "postgres_spec": lambda _postgres: True,
    "strict_spec": lambda postgres: postgres.public == "nothing",
    "replicated_spec": lambda postgres: postgres.is_replicated,
    "synchronous_spec": lambda postgres: postgres.is_replicated and bool(postgres.synchronous),
    "served_spec": lambda postgres: postgres.serves("primary"),
    "read_spec": lambda postgres: postgres.serves("replica"),
    "patroni_spec": lambda postgres: postgres.patroni is not None,
    "durable_spec": lambda postgres: postgres.durable,
    "versioned_spec": lambda postgres: postgres.version is not None,
}
"""Which PostgreSQLs a test with an argument of that name runs over."""

PARTS: Final[Mapping[str, Callable[[Postgres], Iterable[Any]]]] = {
    "database": lambda postgres: postgres.databases,
    "schema": schemas,
    "spec_role": lambda postgres: postgres.roles,
    "reach": reaches,
    "client": clients,
    "stranger": strangers,
    "writer_role": writers,
    "local_role": lambda postgres: [
        it for it in postgres.roles if it.over_the_network is False and it.logs_in
    ],
    "follower": lambda postgres: [it for it in postgres.roles if it.replicates],
}
"""Over which parts of each."""

__all__ = ["COMPONENTS", "PARTS", "Database", "Reach", "Schema", "schemas"]
