"""A cure is carried out as it stands, and leaves what should be, and what was not concerned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
import pytest

from nova_acceptance.components.postgres.checks import databases, privileges, roles
from nova_acceptance.components.postgres.checks.privileges import source_of_deed
from nova_acceptance.components.postgres.parts import reaches, schemas
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.phrase import Phrase
from testing.unit.probes.a_server import SHOP, Shop, reach_of, schema_named
from testing.unit.probes.wrong_rights import CASES, NEW

(ORDERS,) = SHOP.databases


def needs_grantors(shop: Shop) -> None:
    """Skip what is about memberships by grantor where PostgreSQL does not keep them so."""
    if shop.postgres.admin().value("SELECT current_setting('server_version_num')::int") < 160000:
        pytest.skip("before PostgreSQL 16 a role is a member once, whoever made it one")


def found(shop: Shop) -> list[Finding]:
    """Return all that is found about owners, memberships, attributes and rights."""
    its = shop.postgres
    ours = [each for each in SHOP.roles if not each.is_superuser]
    by_part: list[Iterable[Finding]] = [
        databases.wrong_owner(its, ORDERS),
        *(databases.wrong_schema_owner(its, each) for each in schemas(SHOP)),
        *(databases.foreign_property(its, each) for each in schemas(SHOP)),
        *(roles.wrong_attributes(its, each) for each in ours),
        *(roles.inherited_rights(its, each) for each in ours),
    ]
    for reach in reaches(SHOP):
        by_part += [
            privileges.wrong_on_database(its, reach),
            privileges.wrong_on_schemas(its, reach),
            privileges.wrong_on_tables(its, reach),
            privileges.wrong_on_sequences(its, reach),
        ]
    for schema in schemas(SHOP):
        try:
            by_part.append(privileges.wrong_on_later_tables(its, SHOP, schema))
            by_part.append(privileges.public_on_later_tables(its, SHOP, schema))
        except FindingError as error:
            by_part.append([error.shown])
    by_part.append(privileges.public_on_databases(its, SHOP))
    by_part.append(privileges.public_in_database(its, SHOP, ORDERS))
    # the later tables are made and undone on a session of their own
    its.forget_leader()
    return [each for part in by_part for each in part]


@pytest.mark.parametrize("name", CASES)
def test_cures_leave_what_should_be_and_what_was_not_concerned(shop: Shop, name: str) -> None:
    given, change, causes = CASES[name]
    shop.do(*given)
    assert found(shop) == []
    before = shop.rights()

    shop.do(*change)
    seen = found(shop)

    assert {each.cause for each in seen} == causes, [each.headline for each in seen]
    for each in seen:
        shop.carry_out(each.cure)
    assert [each.headline for each in found(shop)] == []
    assert {each for each in shop.rights() if each[0] not in NEW} == before


@pytest.mark.parametrize("name", CASES)
def test_each_cure_mends_what_it_is_for_alone(shop: Shop, name: str) -> None:
    given, change, _ = CASES[name]
    shop.do(*given, *change)
    cures = dict.fromkeys((each.cure, each.summary) for each in found(shop))

    for cure, summary in cures:
        shop.again()
        shop.do(*given, *change)
        shop.carry_out(cure)
        assert summary not in {each.summary for each in found(shop)}, cure


def test_nobody_is_shut_out_while_a_cure_is_carried_out(shop: Shop) -> None:
    shop.do("CREATE ROLE auditors", "GRANT USAGE ON SCHEMA sales TO auditors")
    shop.do("GRANT SELECT ON sales.receipts TO auditors", "GRANT auditors TO till")
    shop.do("GRANT CONNECT ON DATABASE orders TO auditors")
    shop.do("REVOKE CONNECT ON DATABASE orders FROM till", "REVOKE USAGE ON SCHEMA sales FROM till")

    (seen,) = roles.inherited_rights(shop.postgres, SHOP.role("till"))

    statements = seen.cure.split("`")[1].split("; ")
    assert statements[-1] == "REVOKE auditors FROM till"
    for each in statements:
        shop.do(each)
        with shop.connected("till") as connection:
            assert connection.execute("SELECT count(*) FROM sales.receipts").fetchone() == (2,)


def test_membership_that_gives_nothing_by_itself_is_no_source_of_a_right(shop: Shop) -> None:
    shop.do("CREATE ROLE auditors", "GRANT TRUNCATE ON sales.lines TO auditors, till")
    shop.do("ALTER ROLE till NOINHERIT", "GRANT auditors TO till")

    (seen,) = privileges.wrong_on_tables(shop.postgres, reach_of("till"))

    assert seen.cause == "PRIVILEGE_EXCESS"
    assert seen.cure == "`REVOKE TRUNCATE ON TABLE sales.lines FROM till` in database orders"
    # it may become the other all the same
    (seen,) = roles.inherited_rights(shop.postgres, SHOP.role("till"))
    assert seen.cure == "`REVOKE auditors FROM till`"


def test_membership_by_several_grantors_is_ended_at_each(shop: Shop) -> None:
    needs_grantors(shop)
    shop.do("CREATE ROLE auditors", "CREATE ROLE migrator", "CREATE ROLE helper")
    shop.do("GRANT auditors TO migrator WITH ADMIN OPTION", "GRANT auditors TO till")
    before = shop.rights() - {("auditors", "till")}
    shop.do("SET ROLE migrator", "GRANT auditors TO till WITH ADMIN OPTION", "SET ROLE till")
    shop.do("SET ROLE till", "GRANT auditors TO helper GRANTED BY till")

    (seen,) = roles.inherited_rights(shop.postgres, SHOP.role("till"))

    assert seen.cure == (
        "`GRANT auditors TO helper WITH ADMIN FALSE, INHERIT TRUE, SET TRUE;"
        " REVOKE auditors FROM till CASCADE;"
        " REVOKE auditors FROM till GRANTED BY migrator CASCADE`"
    )
    shop.carry_out(seen.cure)
    assert found(shop) == []
    assert shop.rights() == before | {("auditors", "helper")}


@pytest.mark.parametrize(
    ("options", "is_found"),
    [
        ("INHERIT FALSE, SET FALSE", False),
        ("INHERIT TRUE, SET FALSE", True),
        ("INHERIT FALSE, SET TRUE", True),
        ("ADMIN TRUE, INHERIT FALSE, SET FALSE", True),
    ],
)
def test_membership_is_found_by_what_it_gives(shop: Shop, options: str, is_found: bool) -> None:
    needs_grantors(shop)
    shop.do("CREATE ROLE auditors", f"GRANT auditors TO till WITH {options}")

    seen = roles.inherited_rights(shop.postgres, SHOP.role("till"))

    assert bool(seen) is is_found
    for each in seen:
        shop.carry_out(each.cure)
    assert roles.inherited_rights(shop.postgres, SHOP.role("till")) == []


def test_who_makes_roles_is_no_member_of_them_by_that(shop: Shop) -> None:
    needs_grantors(shop)
    shop.do("ALTER ROLE till CREATEROLE", "SET ROLE till", "CREATE ROLE auditors", "RESET ROLE")

    assert roles.inherited_rights(shop.postgres, SHOP.role("till")) == []


def test_who_is_shut_out_is_named_and_who_follows_is_let_in(shop: Shop) -> None:
    spec = SHOP.model_copy(
        update={
            "roles": tuple(
                each.model_copy(update={"attributes": ("LOGIN", "REPLICATION")})
                if each.name == "till"
                else each
                for each in SHOP.roles
            )
        }
    )
    shop.do("CREATE ROLE exporter LOGIN", "CREATE ROLE auditors", "CREATE ROLE own LOGIN")
    shop.do("GRANT CONNECT ON DATABASE postgres TO own", "REVOKE ALL ON DATABASE orders FROM till")
    shop.do("GRANT CONNECT, TEMPORARY ON DATABASE orders, postgres, template1 TO PUBLIC")
    shop.postgres.spec = spec
    try:
        (seen,) = privileges.public_on_databases(shop.postgres, spec)
    finally:
        shop.postgres.spec = SHOP

    statements, said = seen.cure.split("`")[1].split("; "), seen.cure.split("`")[2]
    assert statements[:3] == [
        "GRANT CONNECT ON DATABASE orders TO till",
        "GRANT CONNECT ON DATABASE orders TO bookkeeping",
        "GRANT CONNECT ON DATABASE postgres TO till",
    ]
    assert said.endswith(
        ": exporter from orders, own from orders, bookkeeping from postgres, exporter from postgres"
    )
    shop.carry_out(seen.cure)
    shop.connected("till", "postgres").close()
    shop.connected("own", "postgres").close()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        shop.connected("exporter", "postgres")
    assert found(shop) == []


def test_cure_names_no_role_that_is_not_there(shop: Shop) -> None:
    shop.do("GRANT USAGE ON SCHEMA sales TO PUBLIC", "DROP OWNED BY bookkeeping")
    shop.do("DROP ROLE bookkeeping")

    (seen,) = privileges.public_in_database(shop.postgres, SHOP, ORDERS)
    shop.carry_out(seen.cure)

    assert "bookkeeping" not in seen.cure
    assert privileges.public_in_database(shop.postgres, SHOP, ORDERS) == []


def test_cure_names_nothing_that_is_gone_in_a_moment(shop: Shop) -> None:
    shop.do("CREATE ROLE auditors", "GRANT auditors TO till")
    shop.do(
        "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales REVOKE ALL ON TABLES FROM till",
        "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT, INSERT, UPDATE ON TABLES"
        " TO auditors",
    )

    (seen,) = [
        each
        for each in privileges.wrong_on_later_tables(shop.postgres, SHOP, schema_named("sales"))
        if each.cause == "ROLE_INHERITS"
    ]
    shop.carry_out(seen.cure)

    assert "nova_acceptance" not in seen.cure
    assert found(shop) == []


def test_table_that_a_test_makes_is_in_no_cure(shop: Shop) -> None:
    shop.do("CREATE TABLE sales.nova_acceptance_0a1b2c3d (id bigserial)")
    shop.do("GRANT UPDATE ON ALL TABLES IN SCHEMA sales TO bookkeeping")

    (seen,) = privileges.wrong_on_tables(shop.postgres, reach_of("bookkeeping"))

    assert seen.cure == (
        "`REVOKE UPDATE ON TABLE sales.lines, sales.receipts FROM bookkeeping` in database orders"
    )


def test_every_word_that_is_reserved_is_quoted(shop: Shop) -> None:
    words = shop.postgres.admin().column(
        "SELECT word FROM pg_get_keywords() WHERE catcode ~ '[RT]'"
    )

    assert {each for each in words if quoted(each) == each} == set()


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (["ALTER DATABASE orders OWNER TO till"], "DATABASE_OWNER_WRONG"),
        (["ALTER SCHEMA archive OWNER TO till"], "SCHEMA_OWNER_WRONG"),
        (["ALTER ROLE till CREATEDB SUPERUSER"], "ROLE_ATTRIBUTES_WRONG"),
        (["CREATE ROLE auditors", "GRANT auditors TO till"], "ROLE_INHERITS"),
    ],
)
def test_deed_that_is_not_denied_is_cured_at_its_source(
    shop: Shop, change: Sequence[str], cause: str
) -> None:
    before = shop.rights()
    shop.do(*change)

    seen = source_of_deed(shop.postgres, reach_of("till"), Phrase("till can do it"))
    shop.carry_out(seen.cure)

    assert seen.cause == cause
    assert found(shop) == []
    assert shop.rights() == before
