"""What each role must not be able to do, tried, and refused for the reason that is meant.

Before each denial the same connection does what it is allowed to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, LiteralString

import psycopg
import pytest

from nova_acceptance.kube import PodRef
from nova_acceptance.probes.postgres import MAINTENANCE, Postgres
from nova_acceptance.probes.routes import Route, Routes
from nova_acceptance.probes.sql import (
    Login,
    Session,
    connect,
    identifiers,
    refusal,
    replication_system,
)
from nova_acceptance.probes.witness import Witness
from nova_acceptance.system import Database, System, parts

pytestmark = [pytest.mark.postgres, pytest.mark.component("postgres")]

# The statements use a table of app_user's own grants, {0}, and that table's schema, {1}.
DENIED: Final[dict[str, LiteralString]] = {
    "create a table": "CREATE TABLE {1}.denied (id int)",
    "create a table in public": "CREATE TABLE public.denied (id int)",
    "create a temporary table": "CREATE TEMPORARY TABLE denied (id int)",
    "create a view": "CREATE VIEW {1}.denied AS SELECT 1",
    "create a function": "CREATE FUNCTION {1}.denied() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "create a schema": "CREATE SCHEMA denied",
    "create a role": "CREATE ROLE denied",
    "truncate a table": "TRUNCATE {0}",
    "alter a table": "ALTER TABLE {0} ADD COLUMN denied int",
    "drop a table": "DROP TABLE {0}",
    "index a table": "CREATE INDEX ON {0} ((1))",
    "put a trigger on a table": (
        "CREATE TRIGGER denied BEFORE UPDATE ON {0} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "read password hashes": "SELECT rolpassword FROM pg_authid",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "write a file of the server": "COPY (SELECT 1) TO '/tmp/denied'",
    "read a file of the server": "SELECT pg_read_file('PG_VERSION')",
    "list files of the server": "SELECT pg_ls_dir('.')",
    "become the owner": "SET ROLE nova_owner",
    "become a superuser": "ALTER ROLE app_user SUPERUSER",
    "act for the superuser": "SET SESSION AUTHORIZATION postgres",
    "join the owner": "GRANT nova_owner TO app_user",
    "change the server's settings": "SET zero_damaged_pages = on",
    "reload the server": "SELECT pg_reload_conf()",
    # Patroni's own are always there
    "end the superuser's connections": (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' LIMIT 1"
    ),
}
NO_ENTRY: Final = "no pg_hba.conf entry for"


@pytest.fixture(scope="session")
def primary(system: System, routes: Routes, service_pods: dict[str, PodRef]) -> Route:
    """The way to the leader through its Service, from a service's pod."""
    front = next(f for f in parts.fronts(system) if f.name == system.postgres.primary)
    pod = next(iter(service_pods.values()))
    return routes.through(pod, front.full_name(system.zone), system.postgres.port)


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
    return f"auth.{min(postgres.tables('nova_auth', 'auth'))}"


@pytest.mark.parametrize("statement", DENIED.values(), ids=DENIED.keys())
def test_app_user_must_not(app_user: Session, table: str, statement: LiteralString) -> None:
    """app_user reads its rows, and is denied what it has no right to, for lack of that right."""
    schema = table.partition(".")[0]
    with app_user.undone():
        app_user.rows(identifiers("SELECT count(*) FROM {0}", table, schema))

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app_user.rows(identifiers(statement, table, schema))


def test_app_user_must_not_create_a_database(app_user: Session, postgres: Postgres) -> None:
    """app_user is denied a database of its own."""
    name = "nova_acceptance_denied"
    assert app_user.value("SELECT 1") == 1

    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app_user.rows(identifiers("CREATE DATABASE {}", name))
    finally:
        postgres.admin().rows(identifiers("DROP DATABASE IF EXISTS {}", name))


@pytest.mark.parametrize("elsewhere", [MAINTENANCE, "template1"])
def test_app_user_must_not_connect_elsewhere(
    primary: Route,
    logins: Callable[[str, str], Login],
    witness: Witness,
    database: Database,
    elsewhere: str,
) -> None:
    """app_user connects to Nova's databases and to no others."""
    assert refusal(primary, logins("app_user", database.name), witness) == ""

    said = refusal(primary, logins("app_user", elsewhere), witness)
    assert re.match(f'{NO_ENTRY}.*database "{elsewhere}"|permission denied for database', said)


def test_wrong_password_is_refused(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness, database: Database
) -> None:
    """app_user connects with its password, and with another one does not."""
    right = logins("app_user", database.name)
    assert refusal(primary, right, witness) == ""

    wrong = Login(right.user, right.database, "not-the-password")
    said = refusal(primary, wrong, witness)
    assert said == 'password authentication failed for user "app_user"'


def test_unknown_role_is_refused(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness
) -> None:
    """Whoever is not known is told no more than that."""
    assert refusal(primary, logins("app_user", "nova_auth"), witness) == ""

    said = refusal(primary, Login("nobody", "nova_auth", "not-the-password"), witness)
    assert re.match(f"{NO_ENTRY}|password authentication failed", said)


def test_superuser_is_refused_over_the_network(
    primary: Route,
    logins: Callable[[str, str], Login],
    witness: Witness,
    postgres: Postgres,
    database: Database,
) -> None:
    """The superuser connects from inside the pod, and from elsewhere not even by password."""
    assert postgres.admin(database.name).value("SELECT 1") == 1

    assert NO_ENTRY in refusal(primary, logins("postgres", database.name), witness)


def test_replication_user_opens_a_replication_connection(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness, postgres: Postgres
) -> None:
    """replication_user may stream: the server identifies itself as the leader does."""
    identified = replication_system(primary, logins("replication_user", MAINTENANCE), witness)

    assert identified == postgres.admin().value(
        "SELECT system_identifier::text FROM pg_control_system()"
    )


def test_replication_user_must_not_connect_to_nova(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness, database: Database
) -> None:
    """replication_user is refused by Nova's databases, whose rows are none of its affair."""
    login = logins("replication_user", database.name)
    assert replication_system(primary, login, witness)

    said = refusal(primary, login, witness)
    assert re.match(f"{NO_ENTRY}|permission denied for database", said)


def test_app_user_must_not_replicate(
    primary: Route, logins: Callable[[str, str], Login], witness: Witness
) -> None:
    """app_user connects, and is refused a replication connection."""
    login = logins("app_user", "nova_auth")
    assert refusal(primary, login, witness) == ""

    with pytest.raises(psycopg.OperationalError, match=f"{NO_ENTRY} replication|must be superuser"):
        replication_system(primary, login, witness)
