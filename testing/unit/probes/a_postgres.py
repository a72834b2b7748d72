"""A PostgreSQL that is as nova.yaml says, as its checks see it; a test changes what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from nova_acceptance.components.postgres.access import Access, Entry
from nova_acceptance.components.postgres.parts import (
    Denial,
    Reach,
    Schema,
    clients,
    denials,
    schemas,
)
from nova_acceptance.components.postgres.roles import (
    ON_DATABASE,
    ON_SCHEMA,
    ON_SEQUENCE,
    ON_TABLE,
)
from nova_acceptance.components.postgres.shown import no_role
from nova_acceptance.components.postgres.spec import Postgres, Role
from nova_acceptance.components.postgres.sql import Login, Reception
from nova_acceptance.components.postgres.statements import Membership, Target, wanted_on
from nova_acceptance.findings import FindingError
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.probes.a_nova import nova

(SPEC,) = nova().of(Postgres)
AUTH, MESSAGING = SPEC.databases
OWNER, APP_USER, FOLLOWER = map(SPEC.role, ("nova_owner", "app_user", "replication_user"))
CLIENT = clients(SPEC)[0]
TABLE = "users"
RIGHT = "the-password"
NO_ENTRY = 'no pg_hba.conf entry for host "10.0.0.1", user "{user}", database "{database}"'
IDENTIFIER = "7312"


def schema_called(name: str) -> Schema:
    return next(each for each in schemas(SPEC) if each.name == name)


def denial_of(deed: str) -> Denial:
    return next(each for each in denials(SPEC) if each.name == f"app_user in nova_auth-{deed}")


class ARole:
    """A role with the rights that nova.yaml grants, on everything: fewer of these, and more."""

    def __init__(self, role: Role) -> None:
        self.name = role.name
        self.attributes: frozenset[str] = frozenset(role.attributes)
        self.memberships: frozenset[str] = frozenset()
        self.has_expired = False
        self.stored_password = "SCRAM-SHA-256" if role.password else "none"
        self.more: frozenset[str] = frozenset()
        self.fewer: frozenset[str] = frozenset()
        self._role = role

    @property
    def direct_memberships(self) -> list[Membership]:
        return [Membership(each, self.name) for each in sorted(self.memberships)]

    @property
    def passed_on(self) -> list[Membership]:
        return []

    @property
    def is_superuser(self) -> bool:
        return "SUPERUSER" in self.attributes

    def privileges_on_database(self, database: str) -> frozenset[str]:
        return self._held(frozenset(self._role.grant_in(database).on_database))

    def privileges_on_schema(self, schema: str, *, database: str) -> frozenset[str]:
        return self._held(self._in(database).on_schema(schema))

    def privileges_on_table(self, schema: str, _table: str, *, database: str) -> frozenset[str]:
        return self._held(self._in(database).on_tables_of(schema))

    def privileges_on_sequence(self, schema: str, _name: str, *, database: str) -> frozenset[str]:
        return self._held(self._in(database).on_sequences_of(schema))

    def _in(self, database: str) -> Reach:
        return Reach(self._role, self._role.grant_in(database))

    def _held(self, rights: frozenset[str]) -> frozenset[str]:
        return (rights - self.fewer) | self.more


class ASession:
    """A connection: what a statement returns, or raises, by words that are in it."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = dict(answers)
        self.asked: list[str] = []
        self.is_open = True

    def __enter__(self) -> ASession:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.is_open = False

    @property
    def is_closed(self) -> bool:
        return not self.is_open

    def rows(self, statement: Any, *_: object) -> Any:
        assert self.is_open
        spelled = statement if isinstance(statement, str) else statement.as_string(None)
        self.asked.append(spelled)
        found: Any = next((it for words, it in self.answers.items() if words in spelled), [])
        if isinstance(found, Exception):
            raise found
        return found

    def value(self, statement: Any, *parameters: object) -> Any:
        ((found,),) = self.rows(statement, *parameters)
        return found

    def column(self, statement: Any, *parameters: object) -> frozenset[Any]:
        return frozenset(found for (found,) in self.rows(statement, *parameters))

    def rows_undone(self, statement: Any) -> Any:
        return self.rows(statement)

    @contextmanager
    def whole(self) -> Iterator[None]:
        yield

    @contextmanager
    def undone(self) -> Iterator[None]:
        yield


def on(value: Any) -> list[tuple[Any]]:
    """Return the rows of a statement that has one value."""
    return [(value,)]


def admits(login: Login) -> str:
    """Return how a server refuses a login over the network that is set up as nova.yaml says."""
    role = next((each for each in SPEC.roles if each.name == login.user), None)
    if role is None or (role.over_the_network is not False and login.password != RIGHT):
        return f'password authentication failed for user "{login.user}"'
    if role.over_the_network is False:
        return NO_ENTRY.format(user=login.user, database=login.database)
    if "CONNECT" not in role.grant_in(login.database).on_database:
        return f'permission denied for database "{login.database}"'
    return ""


@dataclass
class AServer:
    """What is behind a route: whom it refuses, and with which words."""

    refusal: Callable[[Login], str] = admits
    replication_refusal: Callable[[Login], str] = lambda login: (
        "" if login.user == FOLLOWER.name else "must be superuser or replication role to start"
    )
    system: str = IDENTIFIER
    route: Route = field(default_factory=lambda: Route(1, "runner", "postgres:5432"))
    transcript: Transcript = field(default_factory=Transcript)
    opened: ASession = field(default_factory=ASession)

    def connect(self, _login: Login) -> ASession:
        return self.opened.__enter__()

    def replication(self, login: Login) -> Reception:
        said = self.replication_refusal(login)
        return Reception(said, "" if said else self.system)


@dataclass
class APostgres:
    """The members, all as they should be."""

    roles: dict[str, ARole] = field(
        default_factory=lambda: {each.name: ARole(each) for each in SPEC.roles}
    )
    databases: dict[str, str] = field(
        default_factory=lambda: {each.name: each.owner for each in SPEC.databases}
    )
    owners: dict[str, dict[str, str]] = field(
        default_factory=lambda: {each.name: dict(each.schemas) for each in SPEC.databases}
    )
    relations: dict[str, str] = field(default_factory=lambda: {TABLE: "nova_owner"})
    numbers: dict[str, str] = field(default_factory=lambda: {"users_id_seq": "nova_owner"})
    public: list[tuple[str, str]] = field(default_factory=list)
    public_on_databases: list[tuple[str, str]] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    own_settings: list[tuple[str, str]] = field(default_factory=list)
    standbys: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "postgres-1": ("streaming", "sync"),
            "postgres-2": ("streaming", "async"),
        }
    )
    follows: dict[str, bool] = field(
        default_factory=lambda: {
            "postgres-0": False,
            "postgres-1": True,
            "postgres-2": True,
        }
    )
    failures: dict[str, Exception] = field(default_factory=dict)
    server: AServer = field(default_factory=lambda: AServer(refusal=lambda _login: ""))
    leader: str = "postgres-0"
    spec: Postgres = SPEC
    given: bool = True
    session: ASession = field(
        default_factory=lambda: ASession(
            server_version=on("15.6 (Debian)"),
            current_setting=on("on"),
            pg_control_system=on(IDENTIFIER),
            DELETE=[(1, "second")],
            word=on("sent"),
        )
    )

    def admin(self, _database: str = "postgres") -> ASession:
        return self.session

    @contextmanager
    def opened(self, names: Iterable[str], database: str) -> Iterator[list[ASession]]:
        yield [self.member(name, database) for name in names]

    def member(self, _name: str, _database: str = "postgres") -> ASession:
        return self.session

    @property
    def members(self) -> dict[str, PodRef]:
        return {name: PodRef("nova-database", name) for name in self.follows}

    @property
    def replicas(self) -> list[str]:
        return [name for name in self.follows if name != self.leader]

    def roll_call(self) -> tuple[dict[str, bool], dict[str, Exception]]:
        return self.follows, self.failures

    @property
    def role_names(self) -> frozenset[str]:
        return frozenset(self.roles)

    def role(self, name: str) -> ARole:
        if name not in self.roles:
            raise FindingError(no_role(name))
        return self.roles[name]

    def any_role(self, name: str) -> ARole:
        """Return a role that may do everything: whoever is its member may do so too."""
        made = ARole(Role(name=name))
        made.more = frozenset(chain(ON_DATABASE, ON_SCHEMA, ON_TABLE, ON_SEQUENCE))
        return made

    @property
    def everybody(self) -> ARole:
        public = ARole(Role(name="public"))
        public.more = frozenset({"CONNECT", "TEMPORARY"})
        return public

    def login(self, role: str, database: str = "postgres") -> Login:
        return Login(self.role(role).name, database, RIGHT)

    def schemas(self, database: str) -> dict[str, str]:
        return self.owners.get(database, {})

    def tables(self, _database: str, _schema: str) -> dict[str, str]:
        return self.relations

    def sequences(self, _database: str, _schema: str) -> dict[str, str]:
        return self.numbers

    def tables_of_sequences(self, _database: str, _schema: str) -> dict[str, str]:
        return {"users_id_seq": TABLE}

    def cut_off(self, _database: str) -> list[str]:
        return self.outside

    def granted(self, database: str) -> Access:
        """Return what nova.yaml grants, on everything that does not belong to who it is for.

        Or nothing, as if everybody had what it has by others.
        """
        return Access(
            tuple(
                Entry(target, right, role.name, owner, owner)
                for role in (SPEC.roles if self.given else ())
                for target, owner in self._grantable(database)
                if owner != role.name
                for right in wanted_on(role, target, database)
            )
        )

    def _grantable(self, database: str) -> Iterator[tuple[Target, str]]:
        yield Target("DATABASE", name=database), self.databases.get(database, "")
        for schema, owner in self.schemas(database).items():
            yield Target("SCHEMA", schema), owner
            for kind in ("TABLES", "SEQUENCES"):
                yield Target(kind, schema, maker="nova_owner"), "nova_owner"
            for name, its in self.relations.items():
                yield Target("TABLE", schema, name), its
            for name, its in self.numbers.items():
                yield Target("SEQUENCE", schema, name), its

    def public_in(self, _database: str) -> list[tuple[str, str]]:
        return self.public


@dataclass
class Connections:
    """Connections through a Service."""

    postgres: APostgres = field(default_factory=APostgres)
    spec: Postgres = SPEC
    server: AServer = field(default_factory=AServer)

    @property
    def opened(self) -> ASession:
        return self.server.opened

    def login(self, reach: Reach) -> Login:
        return self.postgres.login(reach.role.name, reach.grant.database)

    def refusal(self, login: Login) -> str:
        return self.server.refusal(login)

    def replication(self, login: Login) -> Reception:
        return self.server.replication(login)

    def refusal_within(self, login: Login) -> str:
        return self.postgres.server.refusal(login)

    def session(self, _reach: Reach) -> ASession:
        return self.opened
