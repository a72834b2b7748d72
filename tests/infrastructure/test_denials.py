"""What each role must not be able to do, tried, and refused for the reason that is meant.

Before each denial the same connection does what it is allowed to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, LiteralString

import psycopg
import pytest

from nova_acceptance.claims import broken
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.postgres.admission import WRONG, let_in, turned_away
from nova_acceptance.components.postgres.client import MAINTENANCE, Postgres
from nova_acceptance.components.postgres.sql import (
    Login,
    Session,
    Statement,
    connect,
    identifiers,
    replication_system,
)
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Database, System, parts
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.answers import of_error

pytestmark = [pytest.mark.postgres, pytest.mark.component("postgres")]

# The statements use a table of app_user's own grants, {0}, and that table's schema, {1}.
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
    Phrase("become the owner"): "SET ROLE nova_owner",
    Phrase("become a superuser"): "ALTER ROLE app_user SUPERUSER",
    Phrase("act for the superuser"): "SET SESSION AUTHORIZATION postgres",
    Phrase("join the owner"): "GRANT nova_owner TO app_user",
    Phrase("change the server's settings"): "SET zero_damaged_pages = on",
    Phrase("reload the server"): "SELECT pg_reload_conf()",
    # Patroni's own are always there
    Phrase("end the superuser's connections"): (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' LIMIT 1"
    ),
}
DEEDS: Final = {str(deed): deed for deed in DENIED}
"""The same by their names: a test's parameters are recorded, and are plain strings."""
NO_ENTRY: Final = "no pg_hba.conf entry for"


@pytest.fixture(scope="session")
def primary(system: System, ways: Ways, service_pods: dict[str, PodRef]) -> Route:
    """The way to the leader through its Service, from a service's pod."""
    front = next(f for f in parts.fronts(system) if f.name == system.postgres.primary)
    return ways.first_to(service_pods.values(), front, system.postgres.port)


@pytest.fixture(scope="session")
def app_user(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness
) -> Iterator[Session]:
    """app_user's connection to nova_auth."""
    with connect(primary, logins("app_user", "nova_auth"), witness) as session:
        yield session


@pytest.fixture(scope="session")
def table(postgres: Postgres) -> str:
    """A table in which app_user may read and write rows."""
    tables = postgres.tables("nova_auth", "auth")
    if not tables:
        raise broken("TABLE_MISSING", Phrase("schema auth of nova_auth holds no table"))
    return f"auth.{min(tables)}"


def must_deny(app_user: Session, postgres: Postgres, statement: Statement, deed: Phrase) -> None:
    """Claim that a statement is denied for lack of a right; else say where the right is from."""
    try:
        app_user.rows(statement)
    except psycopg.errors.InsufficientPrivilege:
        return
    except psycopg.Error as error:
        if of_error(error):
            raise
        # refused for something else, which is asked only of those who may
    cause = postgres.source_of_excess("app_user", "nova_auth", attributes=["LOGIN"])
    raise broken(cause, Phrase("app_user can {deed}", deed=deed))


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.means("PRIVILEGE_EXCESS", "ROLE_INHERITS", "PUBLIC_PRIVILEGE", "ROLE_ATTRIBUTES_WRONG")
def test_app_user_must_not(app_user: Session, postgres: Postgres, table: str, deed: str) -> None:
    """app_user reads its rows, and is denied what it has no right to, for lack of that right."""
    schema = table.partition(".")[0]
    with app_user.undone():
        app_user.rows(identifiers("SELECT count(*) FROM {0}", table, schema))

        statement = identifiers(DENIED[DEEDS[deed]], table, schema)
        must_deny(app_user, postgres, statement, DEEDS[deed])


@pytest.mark.means("PRIVILEGE_EXCESS", "ROLE_INHERITS", "ROLE_ATTRIBUTES_WRONG")
def test_app_user_must_not_create_a_database(app_user: Session, postgres: Postgres) -> None:
    """app_user is denied a database of its own."""
    name = "nova_acceptance_denied"
    assert app_user.value("SELECT 1") == 1

    statement = identifiers("CREATE DATABASE {}", name)
    try:
        must_deny(app_user, postgres, statement, Phrase("create a database"))
    finally:
        postgres.admin().rows(identifiers("DROP DATABASE IF EXISTS {}", name))


@pytest.mark.parametrize("elsewhere", [MAINTENANCE, "template1"])
@pytest.mark.means("ADMISSION_TOO_WIDE", "TRUST_AUTHENTICATION")
def test_app_user_must_not_connect_elsewhere(
    primary: Route,
    logins: Callable[[str, str], Login],
    witness: Witness,
    database: Database,
    elsewhere: str,
) -> None:
    """app_user connects to Nova's databases and to no others."""
    let_in(primary, logins("app_user", database.name), witness)

    because = f'{NO_ENTRY}.*database "{elsewhere}"|permission denied for database'
    turned_away(primary, logins("app_user", elsewhere), witness, because=because)


@pytest.mark.means("TRUST_AUTHENTICATION", "PASSWORD_REFUSED")
def test_wrong_password_is_refused(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness, database: Database
) -> None:
    """app_user connects with its password, and with another one does not."""
    right = logins("app_user", database.name)
    let_in(primary, right, witness)

    wrong = Login(right.user, right.database, WRONG)
    because = '^password authentication failed for user "app_user"$'
    turned_away(primary, wrong, witness, because=because)


@pytest.mark.means("TRUST_AUTHENTICATION", "ADMISSION_TOO_WIDE")
def test_unknown_role_is_refused(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness
) -> None:
    """Whoever is not known is told no more than that."""
    let_in(primary, logins("app_user", "nova_auth"), witness)

    nobody = Login("nobody", "nova_auth", WRONG)
    turned_away(primary, nobody, witness, because=f"{NO_ENTRY}|password authentication failed")


@pytest.mark.means("ADMISSION_TOO_WIDE", "TRUST_AUTHENTICATION")
def test_superuser_is_refused_over_the_network(
    primary: Route,
    logins: Callable[[str, str], Login],
    witness: Witness,
    postgres: Postgres,
    database: Database,
) -> None:
    """The superuser connects from inside the pod, and from elsewhere not even by password."""
    assert postgres.admin(database.name).value("SELECT 1") == 1

    turned_away(primary, logins("postgres", database.name), witness, because=NO_ENTRY)


@pytest.mark.means("ADMISSION_REFUSED", "PASSWORD_REFUSED")
def test_replication_user_opens_a_replication_connection(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness, postgres: Postgres
) -> None:
    """replication_user may stream: the server identifies itself as the leader does."""
    identified = replication_system(primary, logins("replication_user", MAINTENANCE), witness)

    assert identified == postgres.admin().value(
        "SELECT system_identifier::text FROM pg_control_system()"
    )


@pytest.mark.means("ADMISSION_TOO_WIDE", "TRUST_AUTHENTICATION")
def test_replication_user_must_not_connect_to_nova(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness, database: Database
) -> None:
    """replication_user is refused by Nova's databases, whose rows are none of its affair."""
    login = logins("replication_user", database.name)
    assert replication_system(primary, login, witness)

    turned_away(primary, login, witness, because=f"{NO_ENTRY}|permission denied for database")


@pytest.mark.means("ADMISSION_TOO_WIDE", "ROLE_ATTRIBUTES_WRONG")
def test_app_user_must_not_replicate(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness
) -> None:
    """app_user connects, and is refused a replication connection."""
    login = logins("app_user", "nova_auth")
    let_in(primary, login, witness)

    with pytest.raises(psycopg.OperationalError, match=f"{NO_ENTRY} replication|must be superuser"):
        replication_system(primary, login, witness)
