"""Parts of a PostgreSQL that are tested one by one, derived from what nova.yaml lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nova_acceptance.components.postgres.deeds import DEEDS, Deed
from nova_acceptance.components.postgres.spec import Database, Grant, Postgres, Role
from nova_acceptance.phrase import Phrase

DATABASE_OWNER: Final = "pg_database_owner"
"""The role that stands for the owner of a database, which owns `public` from PostgreSQL 15 on."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema of one database.

    Attributes:
        owner: whose it is.
        maker: who makes what is in it: the owner, by a name under which one can act.
    """

    database: str
    schema: str
    owner: str
    maker: str

    @property
    def name(self) -> str:
        """Database and schema."""
        return f"{self.database}.{self.schema}"


@dataclass(frozen=True, slots=True)
class Reach:
    """What one role may do in one database.

    Attributes:
        counts_public: whether what it holds through PUBLIC counts.
        spec: all that nova.yaml says, to tell whose an object should be and who else needs it.
    """

    role: Role
    grant: Grant
    counts_public: bool = True
    spec: Postgres | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> Phrase:
        """Role and database."""
        return Phrase("{role} in {database}", role=self.role.name, database=self.grant.database)

    @property
    def rights(self) -> frozenset[str]:
        """Its attributes, and its privileges on anything at all, such as `CREATE on schemas`."""
        grant = self.grant
        on = {
            "database": grant.on_database,
            "tables": grant.on_tables,
            **dict.fromkeys(
                ("schemas", *(f"schema {name}" for name in grant.schemas)), grant.on_schemas
            ),
        }
        held = (f"{right} on {what}" for what, rights in on.items() for right in rights)
        return frozenset((*self.role.attributes, *held))

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
class Denial:
    """One role in one database, and what it must not be able to do there."""

    reach: Reach
    deed: Deed

    @property
    def name(self) -> str:
        """Role, database and deed."""
        return f"{self.reach.name}-{self.deed.what}"

    @property
    def writes(self) -> bool:
        """Whether it would change something where it is not denied."""
        return not self.deed.only_reads


def schemas(postgres: Postgres) -> list[Schema]:
    """Return every schema of every database."""
    return [
        Schema(database.name, name, owner, database.owner if owner == DATABASE_OWNER else owner)
        for database in postgres.databases
        for name, owner in database.schemas.items()
    ]


def schema_of(postgres: Postgres, reach: Reach) -> Schema:
    """Return the first schema in which a role may do something."""
    wanted = reach.grant.database, reach.grant.schemas[0]
    return next(each for each in schemas(postgres) if (each.database, each.schema) == wanted)


def others_in(postgres: Postgres, schema: Schema) -> list[Reach]:
    """Return what roles may do in a schema's database that do not own what is in the schema."""
    return [
        _reach(postgres, role, schema.database)
        for role in postgres.roles
        if not role.is_superuser and role.name not in (schema.owner, schema.maker)
    ]


def reaches(postgres: Postgres) -> Iterator[Reach]:
    """Yield what every role may do in every database; owners and superusers may do everything.

    A role that owns something is left out where it does: an owner's rights are not granted.
    """
    for role in postgres.roles:
        for database in postgres.databases:
            owners = {database.owner, *database.schemas.values()}
            if role.name not in owners and not role.is_superuser:
                yield _reach(postgres, role, database.name)


def clients(postgres: Postgres) -> list[Reach]:
    """Return who works in which database from elsewhere: with a password, and rights on tables."""
    return [
        it
        for it in _remote(postgres)
        if it.grant.on_tables and it.grant.schemas and "USAGE" in it.grant.on_schemas
    ]


def strangers(postgres: Postgres) -> list[Reach]:
    """Return who could log in, and must be refused by which database."""
    return [it for it in _remote(postgres) if "CONNECT" not in it.grant.on_database]


def denials(postgres: Postgres) -> Iterator[Denial]:
    """Yield what each client must not be able to do, for nova.yaml does not say that it may."""
    there = {each.name: each.schemas for each in postgres.databases}
    for reach in clients(postgres):
        for deed in DEEDS:
            is_judged = postgres.public == "nothing" or not deed.is_of_public
            is_possible = not deed.within or deed.within in there[reach.grant.database]
            if is_judged and is_possible and deed.permitted_by not in reach.rights:
                yield Denial(reach, deed)


def writers(postgres: Postgres) -> list[Reach]:
    """Return the first of the clients that may write rows: one is enough to show where they go."""
    wanted = {"SELECT", "INSERT", "DELETE"}
    return [it for it in clients(postgres) if wanted <= set(it.grant.on_tables)][:1]


def _reach(postgres: Postgres, role: Role, database: str) -> Reach:
    return Reach(role, role.grant_in(database), postgres.public == "nothing", postgres)


def _remote(postgres: Postgres) -> Iterator[Reach]:
    """Yield what those may do who can log in, and not from inside the pod alone."""
    for reach in reaches(postgres):
        if reach.role.logs_in and reach.role.over_the_network is not False:
            yield reach


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
    "ordinary_client": lambda postgres: [
        it for it in clients(postgres) if "REPLICATION" not in it.role.attributes
    ],
    "denial": denials,
    "shared_schema": lambda postgres: [it for it in schemas(postgres) if others_in(postgres, it)],
    "stranger": strangers,
    "writer_role": writers,
    "local_role": lambda postgres: [
        it for it in postgres.roles if it.over_the_network is False and it.logs_in
    ],
    "follower": lambda postgres: [
        it for it in postgres.roles if it.replicates and postgres.is_replicated
    ],
}
"""Over which parts of each."""

__all__ = ["COMPONENTS", "PARTS", "Database", "Reach", "Schema", "schemas"]
