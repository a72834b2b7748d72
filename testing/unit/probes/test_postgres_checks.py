"""What checks of PostgreSQL's databases, roles and privileges find, and that they find nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from nova_acceptance.components.postgres import tables
from nova_acceptance.components.postgres.checks import databases, denials, privileges, roles
from nova_acceptance.components.postgres.parts import Reach, reaches, schemas
from nova_acceptance.components.postgres.parts import denials as all_denials
from nova_acceptance.components.postgres.trials import Trials
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.vantage.background import Background
from testing.unit.probes.a_postgres import (
    APP_USER,
    AUTH,
    CLIENT,
    OWNER,
    SPEC,
    TABLE,
    APostgres,
    ARole,
    Connections,
    denial_of,
    on,
    schema_called,
)

SCHEMA = schema_called("nova_auth.auth")
BACKGROUND = Background()
DENIED = psycopg.errors.InsufficientPrivilege("permission denied")
Change = Callable[[APostgres], object]

# Each check with the part that it is asked about, as a function of the PostgreSQL.
CHECKS: dict[str, Callable[[Any], Iterable[Finding]]] = {
    "version": lambda it: databases.wrong_version(it, SPEC),
    "durability": lambda it: databases.lost_durability(it, "fsync"),
    "settings": databases.settings_made_by_hand,
    "databases": lambda it: databases.undeclared_databases(it, SPEC, "refused"),
    "owner": lambda it: databases.wrong_owner(it, AUTH),
    "schemas": lambda it: databases.wrong_schemas(it, AUTH, "refused"),
    "schema": lambda it: databases.wrong_schema_owner(it, SCHEMA),
    "property": lambda it: databases.foreign_property(it, SCHEMA),
    "roles": lambda it: roles.undeclared_roles(it, SPEC, "refused"),
    "attributes": lambda it: roles.wrong_attributes(it, APP_USER),
    "membership": lambda it: roles.inherited_rights(it, APP_USER),
    "password": lambda it: roles.weak_password(it, APP_USER),
    "no password": lambda it: roles.weak_password(it, OWNER),
    "expiry": lambda it: roles.expired_password(it, APP_USER),
    "usage": lambda it: privileges.unearned_usage(it, CLIENT),
    "on database": lambda it: privileges.wrong_on_database(it, CLIENT),
    "on schemas": lambda it: privileges.wrong_on_schemas(it, CLIENT),
    "on tables": lambda it: privileges.wrong_on_tables(it, CLIENT),
    "on sequences": lambda it: privileges.wrong_on_sequences(it, CLIENT),
    "on later": lambda it: privileges.wrong_on_later_tables(it, SPEC, SCHEMA),
    "work on later": lambda it: privileges.refused_on_later_tables(it, SPEC, CLIENT),
    "public on databases": lambda it: privileges.public_on_databases(it, SPEC),
    "public in database": lambda it: privileges.public_in_database(it, SPEC, AUTH),
    "public on later": lambda it: privileges.public_on_later_tables(it, SPEC, SCHEMA),
}


def causes(name: str, *changes: Change) -> list[str]:
    """Return what a check finds once a PostgreSQL is changed, or stops at."""
    postgres = APostgres()
    for change in changes:
        change(postgres)
    try:
        return [each.cause for each in CHECKS[name](postgres)]
    except FindingError as error:
        return [error.shown.cause]


def answers(words: str, answer: object) -> Change:
    """Make a statement return rows, or raise."""
    return lambda it: it.session.answers.update({words: answer})


def owned(schema: str, owner: str) -> Change:
    return lambda it: it.owners["nova_auth"].update({schema: owner})


def gone(schema: str) -> Change:
    return lambda it: it.owners["nova_auth"].pop(schema)


def role(**what: object) -> Change:
    """Change app_user."""
    return lambda it: vars(it.roles["app_user"]).update(what)


def no_role(it: APostgres) -> None:
    del it.roles["app_user"]


def made(**what: object) -> Change:
    return lambda it: vars(it).update(what)


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_found_where_all_is_as_nova_yaml_says(name: str) -> None:
    assert causes(name) == []


@pytest.mark.parametrize("reach", list(reaches(SPEC)), ids=lambda reach: reach.name)
def test_rights_are_as_nova_yaml_says_for_every_role(reach: Reach) -> None:
    postgres: Any = APostgres()

    assert privileges.wrong_on_database(postgres, reach) == []
    assert privileges.wrong_on_schemas(postgres, reach) == []
    assert privileges.wrong_on_tables(postgres, reach) == []
    assert privileges.wrong_on_sequences(postgres, reach) == []


@pytest.mark.parametrize(
    ("public", "rights", "found"),
    [
        ("nothing", {"more": frozenset({"TEMPORARY"})}, ["PUBLIC_PRIVILEGE"]),
        ("not judged", {"more": frozenset({"TEMPORARY"})}, []),
        ("not judged", {"more": frozenset({"TEMPORARY", "CREATE"})}, ["PRIVILEGE_EXCESS"]),
        ("not judged", {"fewer": frozenset({"CONNECT"})}, ["PRIVILEGE_MISSING"]),
    ],
)
def test_what_everybody_may_do_counts_only_where_it_is_judged(
    public: str, rights: dict[str, frozenset[str]], found: list[str]
) -> None:
    postgres: Any = APostgres()
    vars(postgres.roles["app_user"]).update(rights)
    spec = SPEC.model_copy(update={"public": public})
    reach = next(each for each in reaches(spec) if each.name == CLIENT.name)

    assert [each.cause for each in privileges.wrong_on_database(postgres, reach)] == found


@pytest.mark.parametrize(
    ("name", "change", "cause"),
    [
        ("version", answers("server_version", on("150.1")), "POSTGRES_VERSION_WRONG"),
        ("version", answers("server_version", on("14.9")), "POSTGRES_VERSION_WRONG"),
        ("durability", answers("current_setting", on("off")), "DURABILITY_OFF"),
        ("durability", answers("current_setting", on("local")), "DURABILITY_OFF"),
        ("settings", made(own_settings=[("role x", "search_path=a")]), "SETTING_UNDECLARED"),
        ("settings", made(own_settings=[("role x", "fsync=off")]), "DURABILITY_OFF"),
        (
            "settings",
            made(own_settings=[("every role", "default_transaction_read_only=on")]),
            "PRIMARY_READ_ONLY",
        ),
        ("databases", lambda it: it.databases.pop("nova_auth"), "DATABASE_MISSING"),
        ("databases", lambda it: it.databases.update(more="x"), "DATABASE_UNDECLARED"),
        ("owner", lambda it: it.databases.pop("nova_auth"), "DATABASE_MISSING"),
        ("owner", lambda it: it.databases.update(nova_auth="app_user"), "DATABASE_OWNER_WRONG"),
        ("schemas", gone("auth"), "SCHEMA_MISSING"),
        ("schemas", owned("more", "nova_owner"), "SCHEMA_UNDECLARED"),
        ("schema", gone("auth"), "SCHEMA_MISSING"),
        ("schema", owned("auth", "app_user"), "SCHEMA_OWNER_WRONG"),
        ("property", made(relations={TABLE: "app_user"}), "SCHEMA_OWNER_WRONG"),
        ("property", made(numbers={"s": "app_user"}), "SCHEMA_OWNER_WRONG"),
        ("roles", no_role, "ROLE_MISSING"),
        ("roles", lambda it: it.roles.update(more=ARole(APP_USER)), "ROLE_UNDECLARED"),
        ("attributes", no_role, "ROLE_MISSING"),
        ("attributes", role(attributes={"LOGIN", "CREATEDB"}), "ROLE_ATTRIBUTES_WRONG"),
        ("attributes", role(attributes=set()), "ROLE_ATTRIBUTES_WRONG"),
        ("membership", no_role, "ROLE_MISSING"),
        ("membership", role(memberships={"nova_owner"}), "ROLE_INHERITS"),
        ("password", no_role, "ROLE_MISSING"),
        ("password", role(stored_password="md5"), "PASSWORD_STORED_WEAKLY"),
        ("password", role(stored_password="none"), "PASSWORD_STORED_WEAKLY"),
        (
            "no password",
            lambda it: setattr(it.roles["nova_owner"], "stored_password", "SCRAM-SHA-256"),
            "PASSWORD_STORED_WEAKLY",
        ),
        ("expiry", no_role, "ROLE_MISSING"),
        ("expiry", role(has_expired=True), "PASSWORD_EXPIRED"),
        ("usage", no_role, "ROLE_MISSING"),
        ("usage", role(attributes={"LOGIN", "SUPERUSER"}), "ROLE_ATTRIBUTES_WRONG"),
        ("usage", role(fewer={"USAGE"}), "PRIVILEGE_MISSING"),
        ("on database", no_role, "ROLE_MISSING"),
        ("on database", role(fewer={"CONNECT"}), "PRIVILEGE_MISSING"),
        ("on database", role(more={"CREATE"}), "PRIVILEGE_EXCESS"),
        ("on database", role(more={"TEMPORARY"}), "PUBLIC_PRIVILEGE"),
        ("on schemas", role(fewer={"USAGE"}), "PRIVILEGE_MISSING"),
        ("on schemas", role(more={"CREATE"}), "PRIVILEGE_EXCESS"),
        ("on schemas", gone("auth"), "SCHEMA_MISSING"),
        ("on tables", role(fewer={"UPDATE"}), "PRIVILEGE_MISSING"),
        ("on tables", role(more={"TRUNCATE"}), "PRIVILEGE_EXCESS"),
        ("on tables", gone("auth"), "SCHEMA_MISSING"),
        ("on tables", made(relations={}), "TABLE_MISSING"),
        ("on sequences", role(fewer={"SELECT"}), "PRIVILEGE_MISSING"),
        ("on sequences", role(more={"UPDATE"}), "PRIVILEGE_EXCESS"),
        ("on sequences", gone("auth"), "SCHEMA_MISSING"),
        ("on sequences", made(numbers={}), "TABLE_MISSING"),
        ("on later", no_role, "ROLE_MISSING"),
        ("on later", gone("auth"), "SCHEMA_MISSING"),
        ("on later", owned("auth", "app_user"), "SCHEMA_OWNER_WRONG"),
        ("on later", role(fewer={"INSERT"}), "DEFAULT_PRIVILEGES_MISSING"),
        ("on later", role(more={"TRUNCATE"}), "PRIVILEGE_EXCESS"),
        ("work on later", no_role, "ROLE_MISSING"),
        ("work on later", gone("auth"), "SCHEMA_MISSING"),
        ("work on later", answers("INSERT", DENIED), "DEFAULT_PRIVILEGES_MISSING"),
        (
            "work on later",
            answers("INSERT", psycopg.errors.InsufficientPrivilege("denied for schema auth")),
            "PRIVILEGE_MISSING",
        ),
        ("work on later", answers("DELETE", [(1, "first")]), "DEFAULT_PRIVILEGES_MISSING"),
        ("work on later", answers("DELETE", []), "DEFAULT_PRIVILEGES_MISSING"),
        (
            "public on databases",
            made(public_on_databases=[("nova_auth", "CONNECT")]),
            "PUBLIC_PRIVILEGE",
        ),
        ("public in database", made(public=[("schema auth", "USAGE")]), "PUBLIC_PRIVILEGE"),
        ("public on later", made(public=[("relation x", "SELECT")]), "PUBLIC_PRIVILEGE"),
        ("public on later", gone("auth"), "SCHEMA_MISSING"),
    ],
)
def test_what_is_wrong_is_found(name: str, change: Change, cause: str) -> None:
    assert causes(name, change) == [cause]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (role(attributes={"LOGIN", "SUPERUSER"}), "ROLE_ATTRIBUTES_WRONG"),
        (role(memberships={"nova_owner"}), "ROLE_INHERITS"),
    ],
)
def test_what_is_too_much_is_followed_to_where_it_is_from(change: Change, cause: str) -> None:
    assert causes("on tables", role(more={"TRUNCATE"}), change) == [cause]


def test_what_is_not_declared_may_be_allowed() -> None:
    postgres: Any = APostgres()
    postgres.databases["more"] = "x"
    postgres.owners["nova_auth"]["more"] = "x"
    postgres.roles["more"] = ARole(APP_USER)

    assert databases.undeclared_databases(postgres, SPEC, "allowed") == []
    assert databases.wrong_schemas(postgres, AUTH, "allowed") == []
    assert roles.undeclared_roles(postgres, SPEC, "allowed") == []


def test_what_is_missing_is_missing_although_more_is_allowed() -> None:
    postgres: Any = APostgres(databases={}, roles={})
    postgres.owners["nova_auth"].clear()

    assert len(databases.undeclared_databases(postgres, SPEC, "allowed")) == len(SPEC.databases)
    assert len(databases.wrong_schemas(postgres, AUTH, "allowed")) == len(AUTH.schemas)
    assert len(roles.undeclared_roles(postgres, SPEC, "allowed")) == len(SPEC.roles)


def test_no_sequence_is_needed_where_nothing_is_granted_on_any() -> None:
    postgres: Any = APostgres(numbers={})
    reach = replace(CLIENT, grant=CLIENT.grant.model_copy(update={"on_sequences": ()}))

    assert privileges.wrong_on_sequences(postgres, reach) == []


def test_secret_in_a_setting_is_not_shown() -> None:
    postgres: Any = APostgres(
        own_settings=[("every role", "archive_command=cp p4ssw0rd"), ("role x", "work_mem=4MB")]
    )

    command, memory = databases.settings_made_by_hand(postgres)

    assert command.summary == "every role has its own archive_command"
    assert memory.summary == "role x has its own work_mem: 4MB"
    assert memory.cure.startswith("take work_mem back where it was set, by ALTER ROLE")


def test_rights_are_told_by_what_they_are_on() -> None:
    postgres: Any = APostgres()
    postgres.roles["app_user"].fewer = frozenset({"UPDATE"})

    (found,) = privileges.wrong_on_tables(postgres, CLIENT)

    assert found.summary == (
        "app_user in nova_auth lacks UPDATE on auth.users; UPDATE on streaming.users"
    )


@pytest.mark.parametrize("denial", list(all_denials(SPEC)), ids=lambda denial: denial.name)
def test_deed_is_denied_where_the_right_is_lacking(denial: Any) -> None:
    connections: Any = Connections()
    statement = denial.deed.statement.partition(" ")[0]
    connections.opened.answers = {"SELECT 1 FROM": [(1,)], statement: DENIED}

    assert denials.permitted_deed(Trials(connections, BACKGROUND), denial) == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ([], "PRIVILEGE_EXCESS"),
        # whoever may not is not told that it exists
        (psycopg.errors.DuplicateTable("relation exists"), "PRIVILEGE_EXCESS"),
    ],
)
def test_deed_that_is_not_denied_is_found(answer: object, cause: str) -> None:
    connections: Any = Connections()
    connections.opened.answers = {"CREATE TABLE": answer}

    (found,) = denials.permitted_deed(Trials(connections, BACKGROUND), denial_of("create a table"))

    assert found.cause == cause
    assert found.summary == "app_user can create a table"


def test_deed_outside_of_a_transaction_is_undone() -> None:
    connections: Any = Connections()

    (found,) = denials.permitted_deed(
        Trials(connections, BACKGROUND), denial_of("create a database")
    )

    assert found.cause == "PRIVILEGE_EXCESS"
    assert "DROP DATABASE IF EXISTS" in connections.postgres.session.asked[-1]


def test_deed_shows_nothing_where_what_is_allowed_is_denied() -> None:
    connections: Any = Connections()
    connections.opened.answers = {"SELECT 1 FROM": DENIED}

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        denials.permitted_deed(Trials(connections, BACKGROUND), denial_of("create a table"))


def test_deed_that_ran_out_of_time_shows_nothing() -> None:
    connections: Any = Connections()
    late = psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
    connections.opened.answers = {"CREATE TABLE": late}

    with pytest.raises(psycopg.errors.QueryCanceled):
        denials.permitted_deed(Trials(connections, BACKGROUND), denial_of("create a table"))


def test_deed_needs_a_table() -> None:
    connections: Any = Connections(APostgres(relations={}))

    with pytest.raises(FindingError) as raised:
        denials.permitted_deed(Trials(connections, BACKGROUND), denial_of("drop a table"))

    assert raised.value.shown.cause == "TABLE_MISSING"


def test_deed_is_not_tried_on_a_table_that_another_test_makes() -> None:
    passing = tables.new_name(SPEC, CLIENT).rpartition(".")[2]
    connections: Any = Connections(APostgres(relations={passing: "auth", "users": "auth"}))

    denials.permitted_deed(Trials(connections, BACKGROUND), denial_of("drop a table"))

    asked = [statement for statement in connections.opened.asked if "DROP TABLE" in statement]
    assert len(asked) == 1
    assert passing not in asked[0]

    alone: Any = Connections(APostgres(relations={passing: "auth"}))
    with pytest.raises(FindingError) as raised:
        denials.permitted_deed(Trials(alone, BACKGROUND), denial_of("drop a table"))
    assert raised.value.shown.cause == "TABLE_MISSING"


def test_there_are_parts_to_check() -> None:
    assert len(list(all_denials(SPEC))) == 50
    assert len(schemas(SPEC)) == 5


def test_new_table_shows_what_a_role_should_be_given_on_it() -> None:
    postgres: Any = APostgres()
    postgres.roles["app_user"].fewer = frozenset({"DELETE"})

    with pytest.raises(FindingError) as raised:
        tables.create(postgres, SPEC, CLIENT, "auth.new", tables.OF_WORDS)

    assert raised.value.shown.cause == "DEFAULT_PRIVILEGES_MISSING"
    assert raised.value.shown.summary == (
        "app_user may not DELETE a later table that nova_owner makes in schema nova_auth.auth"
    )


def test_table_of_a_test_is_gone_at_its_end_even_where_it_was_not_wholly_made() -> None:
    postgres: Any = APostgres()
    postgres.roles["app_user"].fewer = frozenset({"DELETE"})

    with pytest.raises(FindingError), tables.own_table(postgres, SPEC, CLIENT):
        pytest.fail("the role may not do with it what it should")

    assert "DROP TABLE IF EXISTS" in postgres.admin("nova_auth").asked[-1]


def test_new_table_is_made_as_its_owner_would() -> None:
    postgres: Any = APostgres()

    tables.create(postgres, SPEC, CLIENT, "auth.new", tables.OF_WORDS)

    assert [it for it in postgres.admin("nova_auth").asked if "SET LOCAL ROLE" in it]
