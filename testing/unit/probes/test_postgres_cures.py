"""What mends a role or an owner is the statement itself, with the names in it."""

from __future__ import annotations

import pytest

from nova_acceptance.components.postgres.quoting import quoted
from testing.unit.probes.a_postgres import TABLE, APostgres
from testing.unit.probes.test_postgres_checks import CHECKS, Change, made, owned, role


def cure(name: str, change: Change) -> str:
    """Return the cure of the one thing that a check finds once a PostgreSQL is changed."""
    postgres = APostgres()
    change(postgres)
    (found,) = CHECKS[name](postgres)
    return found.cure


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "owner",
            lambda it: it.databases.update(nova_auth="app_user"),
            "`ALTER DATABASE nova_auth OWNER TO nova_owner;"
            " GRANT CONNECT ON DATABASE nova_auth TO app_user`",
        ),
        (
            "schema",
            owned("auth", "app_user"),
            "`ALTER SCHEMA auth OWNER TO nova_owner; GRANT USAGE ON SCHEMA auth TO app_user`"
            " in database nova_auth",
        ),
        (
            "property",
            made(relations={TABLE: "app_user"}),
            f"`ALTER TABLE auth.{TABLE} OWNER TO nova_owner;"
            f" GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE auth.{TABLE} TO app_user`"
            " in database nova_auth",
        ),
        (
            "property",
            made(numbers={"Users Seq": "app_user"}),
            '`ALTER SEQUENCE auth."Users Seq" OWNER TO nova_owner;'
            ' GRANT SELECT, USAGE ON SEQUENCE auth."Users Seq" TO app_user` in database nova_auth',
        ),
        (
            "attributes",
            role(attributes=frozenset({"CREATEDB", "SUPERUSER"})),
            "`ALTER ROLE app_user LOGIN NOCREATEDB NOSUPERUSER`",
        ),
        (
            "membership",
            role(memberships={"pg_read_all_data", "Old Team"}),
            '`REVOKE "Old Team", pg_read_all_data FROM app_user`',
        ),
        (
            "expiry",
            role(has_expired=True),
            "`ALTER ROLE app_user VALID UNTIL 'infinity'`, or a new password with a new end",
        ),
    ],
)
def test_cure_is_the_statement_that_mends_it(name: str, change: Change, said: str) -> None:
    assert cure(name, change) == said


def test_what_a_role_needs_is_granted_where_it_is_before_it_is_taken_out_of_another() -> None:
    postgres = APostgres(given=False)
    postgres.roles["app_user"].memberships = frozenset({"team"})

    (found,) = CHECKS["membership"](postgres)

    first, second = found.cure.split(", then ")
    assert first.startswith("`GRANT CONNECT ON DATABASE nova_auth TO app_user; GRANT USAGE ON ")
    assert first.endswith("` in database nova_auth")
    assert "GRANT USAGE ON SCHEMA messaging TO app_user" in second
    assert second.endswith("; REVOKE team FROM app_user` in database nova_messaging")
    assert "SCHEMA public" not in found.cure


def test_name_is_quoted_where_a_statement_needs_it() -> None:
    assert quoted("users") == "users"
    assert quoted("app", "Users") == 'app."Users"'
    assert quoted('a"b') == '"a""b"'
    assert quoted("user", "order") == '"user"."order"'
