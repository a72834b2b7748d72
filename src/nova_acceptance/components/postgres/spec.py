"""What nova.yaml says of a PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import StringConstraints

from nova_acceptance.components.patroni.spec import KUBERNETES, Patroni
from nova_acceptance.system.base import Path, Problem, Seconds, Strict
from nova_acceptance.system.component import Component, SecretKey, UrlOf

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
"""A name in SQL that needs no quotes."""
Attribute = Literal["SUPERUSER", "LOGIN", "REPLICATION", "CREATEDB", "CREATEROLE", "BYPASSRLS"]


class Database(Strict):
    """A database with its owner, and its schemas with theirs."""

    name: Identifier
    owner: Identifier
    schemas: dict[Identifier, Identifier]


class Grant(Strict):
    """What a role may do in one database; whatever is not listed is denied."""

    database: Identifier
    on_database: tuple[Literal["CONNECT", "CREATE", "TEMPORARY"], ...] = ()
    schemas: tuple[Identifier, ...] = ()
    on_schemas: tuple[Literal["USAGE", "CREATE"], ...] = ()
    on_tables: tuple[
        Literal["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"], ...
    ] = ()
    on_sequences: tuple[Literal["USAGE", "SELECT", "UPDATE"], ...] = ()


class Role(Strict):
    """A role, its attributes and its grants.

    Attributes:
        over_the_network: whether it may connect from outside its pod; None: not verified.
    """

    name: Identifier
    attributes: tuple[Attribute, ...] = ()
    password: SecretKey | None = None
    over_the_network: bool | None = None
    grants: tuple[Grant, ...] = ()

    @property
    def is_superuser(self) -> bool:
        """Whether every check is passed over."""
        return "SUPERUSER" in self.attributes

    @property
    def logs_in(self) -> bool:
        """Whether one can connect as it with a password that is known."""
        return "LOGIN" in self.attributes and self.password is not None

    @property
    def replicates(self) -> bool:
        """Whether it is there to stream from the leader."""
        return self.logs_in and "REPLICATION" in self.attributes and not self.is_superuser

    def grant_in(self, database: str) -> Grant:
        """Return what the role may do in `database`; nothing where no grant names it."""
        found = (grant for grant in self.grants if grant.database == database)
        return next(found, Grant(database=database))


class Postgres(Component):
    """PostgreSQL: a single server, or members of which one leads.

    Attributes:
        patroni: what decides who leads; None for a single server or plain streaming.
        synchronous: whether a commit is acknowledged only once a second member has it; None: not
            verified.
        durable: whether what a crash could lose is verified: fsync, full_page_writes,
            synchronous_commit.
        replay: seconds until a committed row is on every replica.
        public: what PUBLIC may hold: `nothing`, or it is `not judged`.
        databases: those and no others, unless the file allows what it does not declare.
        roles: those and no others. An attribute that is not listed is off, a privilege that is
            not granted is denied.
    """

    kind: Literal["postgres"] = "postgres"
    patroni: Patroni | None = None
    synchronous: bool | None = None
    durable: bool = True
    replay: Seconds = 5.0
    public: Literal["nothing", "not judged"] = "nothing"
    databases: tuple[Database, ...] = ()
    roles: tuple[Role, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Its databases."""
        return tuple(database.name for database in self.databases)

    @property
    def needs(self) -> tuple[str, ...]:
        """The store of its Patroni."""
        store = self.patroni.store if self.patroni else KUBERNETES
        return () if store == KUBERNETES else (store,)

    @property
    def role_label(self) -> str | None:
        """The label by which its members' pods tell their roles."""
        return self.patroni.role_label if self.patroni else None

    @property
    def is_replicated(self) -> bool:
        """Whether members follow a leader."""
        return self.runs.replicas > 1

    def serves(self, role: str) -> bool:
        """Whether there is a Service for members in a role."""
        return any(service.role == role for service in self.services)

    @property
    def superuser(self) -> Role:
        """The role as which it is asked about itself."""
        return next(role for role in self.roles if role.is_superuser and role.logs_in)

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """Where its passwords are."""
        return tuple(role.password for role in self.roles if role.password)

    @property
    def server_port(self) -> int:
        """Where its members listen."""
        return self.client_port or 5432

    def role(self, name: str) -> Role:
        """Return the role of that name."""
        return next(role for role in self.roles if role.name == name)

    def url(self, target: str) -> UrlOf | None:
        """Return what the URL of one of its databases looks like."""
        if not (self.client_service and self.client_port):
            return None
        database = target.rpartition("/")[2]
        return UrlOf(
            scheme="postgresql",
            schemes=r"postgres(ql)?(\+\w+)?",
            service=self.client_service,
            namespace=self.namespace,
            port=self.client_port,
            usual_port=5432,
            path=database,
            users=tuple(
                role.name
                for role in self.roles
                if "LOGIN" in role.attributes and "CONNECT" in role.grant_in(database).on_database
            ),
            passwords={role.name: role.password for role in self.roles if role.password},
        )

    def problems(self) -> Iterator[Problem]:
        """Yield references that lead nowhere and names that are taken twice."""
        yield from super().problems()
        yield from _twice("databases", [database.name for database in self.databases])
        yield from _twice("roles", [role.name for role in self.roles])
        if not any(role.is_superuser and role.logs_in for role in self.roles):
            yield (("roles",), "no role has SUPERUSER, LOGIN and a password to ask with")
        roles = {role.name for role in self.roles}
        for index, database in enumerate(self.databases):
            path: Path = ("databases", index)
            if database.owner not in roles:
                yield (*path, "owner"), f"no role is called {database.owner}"
            for schema, owner in database.schemas.items():
                if owner not in roles and not owner.startswith("pg_"):
                    yield (*path, "schemas", schema), f"no role is called {owner}"
        schemas = {database.name: set(database.schemas) for database in self.databases}
        for index, role in enumerate(self.roles):
            for place, grant in enumerate(role.grants):
                path = ("roles", index, "grants", place)
                if grant.database not in schemas:
                    yield (*path, "database"), f"no database is called {grant.database}"
                    continue
                for position, schema in enumerate(grant.schemas):
                    if schema not in schemas[grant.database]:
                        message = f"{grant.database} has no schema called {schema}"
                        yield (*path, "schemas", position), message


def _twice(part: str, names: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (part, index, "name"), f"{name} is there twice"
