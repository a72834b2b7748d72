"""What each role must not be able to do, tried, and refused for the reason that is meant.

Before each denial the same connection does what it is allowed to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString

import psycopg
import pytest

from nova_acceptance.claims import broken
from nova_acceptance.components.postgres.admission import WRONG, let_in, turned_away
from nova_acceptance.components.postgres.client import MAINTENANCE, Postgres
from nova_acceptance.components.postgres.logins import Logins
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import (
    Login,
    Session,
    Statement,
    connect,
    identifiers,
    replication_system,
)
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.access import RunAccess
from nova_acceptance.verification.answers import of_error

pytestmark = pytest.mark.postgres

# The statements use a table of the role's own grants, {0}, that table's schema, {1}, the schema's
# owner, {2}, the role itself, {3}, and a superuser, {4}.
DENIED: Final[dict[Phrase, LiteralString]] = {
    Phrase("create a table"): "CREATE TABLE {1}.denied (id int)",
    Phrase("create a table in public"): "CREATE TABLE public.denied (id int)",
    Phrase("create a temporary table"): "CREATE TEMPORARY TABLE denied (id int)",
    Phrase("create a view"): "CREATE VIEW {1}.denied AS SELECT 1",
    Phrase("create a function"): (
        "CREATE FUNCTION {1}.denied() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    ),
    Phrase("create a schema"): "CREATE SCHEMA denied",
    Phrase("create a role"): "CREATE ROLE denied",
    Phrase("truncate a table"): "TRUNCATE {0}",
    Phrase("alter a table"): "ALTER TABLE {0} ADD COLUMN denied int",
    Phrase("drop a table"): "DROP TABLE {0}",
    Phrase("index a table"): "CREATE INDEX ON {0} ((1))",
    Phrase("put a trigger on a table"): (
        "CREATE TRIGGER denied BEFORE UPDATE ON {0} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    Phrase("read password hashes"): "SELECT rolpassword FROM pg_authid",
    Phrase("run a program"): "COPY (SELECT 1) TO PROGRAM 'true'",
    Phrase("write a file of the server"): "COPY (SELECT 1) TO '/tmp/denied'",
    Phrase("read a file of the server"): "SELECT pg_read_file('PG_VERSION')",
    Phrase("list files of the server"): "SELECT pg_ls_dir('.')",
    Phrase("become the owner"): "SET ROLE {2}",
    Phrase("become a superuser"): "ALTER ROLE {3} SUPERUSER",
    Phrase("act for the superuser"): "SET SESSION AUTHORIZATION {4}",
    Phrase("join the owner"): "GRANT {2} TO {3}",
    Phrase("change the server's settings"): "SET zero_damaged_pages = on",
    Phrase("reload the server"): "SELECT pg_reload_conf()",
    # the suite's own is always there
    Phrase("end the superuser's connections"): (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = 10 LIMIT 1"
    ),
}
DEEDS: Final = {str(deed): deed for deed in DENIED}
"""The same by their names: a test's parameters are recorded, and are plain strings."""
NO_ENTRY: Final = "no pg_hba.conf entry for"


@pytest.fixture
def primary(access: RunAccess, postgres_spec: Spec) -> Route:
    """The way to the leader through its Service, from a pod that uses it."""
    return access.to_service(postgres_spec)


@pytest.fixture
def session(
    primary: Route, logins: Logins, postgres: Postgres, client: Reach, witness: Witness
) -> Iterator[Session]:
    """The role's connection to its database."""
    login = logins.of(postgres, client.role.name, client.grant.database)
    with connect(primary, login, witness) as opened:
        yield opened


@pytest.fixture
def names(postgres: Postgres, postgres_spec: Spec, client: Reach) -> tuple[str, ...]:
    """A table in which the role may read rows, its schema and its owner, the role, a superuser."""
    database, schema = client.grant.database, client.grant.schemas[0]
    tables = postgres.tables(database, schema)
    if not tables:
        said = Phrase(
            "schema {schema} of {database} holds no table", schema=schema, database=database
        )
        raise broken("TABLE_MISSING", said)
    owner = next(it.schemas[schema] for it in postgres_spec.databases if it.name == database)
    superuser = postgres_spec.superuser.name
    return f"{schema}.{min(tables)}", schema, owner, client.role.name, superuser


def must_deny(
    session: Session, postgres: Postgres, client: Reach, statement: Statement, deed: Phrase
) -> None:
    """Claim that a statement is denied for lack of a right; else say where the right is from."""
    try:
        session.rows(statement)
    except psycopg.errors.InsufficientPrivilege:
        return
    except psycopg.Error as error:
        if of_error(error):
            raise
        # refused for something else, which is asked only of those who may
    role = client.role
    cause = postgres.source_of_excess(role.name, client.grant.database, attributes=role.attributes)
    raise broken(cause, Phrase("{role} can {deed}", role=role.name, deed=deed))


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.means("PRIVILEGE_EXCESS", "ROLE_INHERITS", "PUBLIC_PRIVILEGE", "ROLE_ATTRIBUTES_WRONG")
def test_role_must_not(
    session: Session, postgres: Postgres, client: Reach, names: tuple[str, ...], deed: str
) -> None:
    """The role reads its rows, and is denied what it has no right to, for lack of that right."""
    with session.undone():
        session.rows(identifiers("SELECT count(*) FROM {0}", *names))

        statement = identifiers(DENIED[DEEDS[deed]], *names)
        must_deny(session, postgres, client, statement, DEEDS[deed])


@pytest.mark.means("PRIVILEGE_EXCESS", "ROLE_INHERITS", "ROLE_ATTRIBUTES_WRONG")
def test_role_must_not_create_a_database(
    session: Session, postgres: Postgres, client: Reach
) -> None:
    """The role is denied a database of its own."""
    name = "nova_acceptance_denied"
    assert session.value("SELECT 1") == 1

    statement = identifiers("CREATE DATABASE {}", name)
    try:
        must_deny(session, postgres, client, statement, Phrase("create a database"))
    finally:
        postgres.admin().rows(identifiers("DROP DATABASE IF EXISTS {}", name))


@pytest.mark.parametrize("elsewhere", [MAINTENANCE, "template1"])
@pytest.mark.means("ADMISSION_TOO_WIDE", "TRUST_AUTHENTICATION")
def test_role_must_not_connect_elsewhere(
    *,
    primary: Route,
    logins: Logins,
    postgres: Postgres,
    strict_spec: Spec,  # noqa: ARG001 - of those for which nova.yaml says so
    witness: Witness,
    client: Reach,
    elsewhere: str,
) -> None:
    """The role connects to the databases that nova.yaml grants it, and to no others."""
    role = client.role.name
    let_in(primary, logins.of(postgres, role, client.grant.database), witness)

    because = f'{NO_ENTRY}.*database "{elsewhere}"|permission denied for database'
    turned_away(primary, logins.of(postgres, role, elsewhere), witness, because=because)


@pytest.mark.means("TRUST_AUTHENTICATION", "PASSWORD_REFUSED")
def test_wrong_password_is_refused(
    primary: Route, logins: Logins, postgres: Postgres, witness: Witness, client: Reach
) -> None:
    """The role connects with its password, and with another one does not."""
    right = logins.of(postgres, client.role.name, client.grant.database)
    let_in(primary, right, witness)

    wrong = Login(right.user, right.database, WRONG)
    because = f'^password authentication failed for user "{right.user}"$'
    turned_away(primary, wrong, witness, because=because)


@pytest.mark.means("TRUST_AUTHENTICATION", "ADMISSION_TOO_WIDE")
def test_unknown_role_is_refused(
    primary: Route, logins: Logins, postgres: Postgres, witness: Witness, client: Reach
) -> None:
    """Whoever is not known is told no more than that."""
    let_in(primary, logins.of(postgres, client.role.name, client.grant.database), witness)

    nobody = Login("nobody", client.grant.database, WRONG)
    turned_away(primary, nobody, witness, because=f"{NO_ENTRY}|password authentication failed")


@pytest.mark.means("ADMISSION_TOO_WIDE", "TRUST_AUTHENTICATION")
def test_local_role_is_refused_over_the_network(
    *,
    primary: Route,
    logins: Logins,
    witness: Witness,
    postgres: Postgres,
    local_role: Role,
    database: Database,
) -> None:
    """The role connects from inside the pod, and from elsewhere not even by its password."""
    assert postgres.admin(database.name).value("SELECT 1") == 1

    login = logins.of(postgres, local_role.name, database.name)
    turned_away(primary, login, witness, because=NO_ENTRY)


@pytest.mark.means("ADMISSION_REFUSED", "PASSWORD_REFUSED")
def test_follower_opens_a_replication_connection(
    primary: Route, logins: Logins, witness: Witness, postgres: Postgres, follower: Role
) -> None:
    """The role may stream: the server identifies itself as the leader does."""
    identified = replication_system(primary, logins.of(postgres, follower.name), witness)

    assert identified == postgres.admin().value(
        "SELECT system_identifier::text FROM pg_control_system()"
    )


@pytest.mark.means("ADMISSION_TOO_WIDE", "TRUST_AUTHENTICATION")
def test_stranger_must_not_connect(
    *,
    primary: Route,
    logins: Logins,
    witness: Witness,
    postgres: Postgres,
    strict_spec: Spec,  # noqa: ARG001 - of those for which nova.yaml says so
    stranger: Reach,
) -> None:
    """The role is refused by the database, whose rows are none of its affair."""
    role, database = stranger.role, stranger.grant.database
    login = logins.of(postgres, role.name, database)
    if role.replicates:
        assert replication_system(primary, login, witness)
    for granted in role.grants:
        let_in(primary, logins.of(postgres, role.name, granted.database), witness)

    turned_away(primary, login, witness, because=f"{NO_ENTRY}|permission denied for database")


@pytest.mark.means("ADMISSION_TOO_WIDE", "ROLE_ATTRIBUTES_WRONG")
def test_client_must_not_replicate(
    primary: Route, logins: Logins, witness: Witness, postgres: Postgres, client: Reach
) -> None:
    """The role connects, and is refused a replication connection."""
    login = logins.of(postgres, client.role.name, client.grant.database)
    let_in(primary, login, witness)

    with pytest.raises(psycopg.OperationalError, match=f"{NO_ENTRY} replication|must be superuser"):
        replication_system(primary, login, witness)
