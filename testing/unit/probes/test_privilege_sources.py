"""What comes before a privilege too much, or too little, and that its cure mends it."""

from __future__ import annotations

import psycopg
import pytest

from nova_acceptance.components.postgres.checks import databases, privileges, roles
from nova_acceptance.findings import Finding
from testing.unit.probes.a_server import SHOP, Shop, reach_of, schema_named

SALES = schema_named("sales")
(ORDERS,) = SHOP.databases


def found(shop: Shop) -> list[Finding]:
    """Return all that is told of privileges, each of them asked."""
    its = shop.postgres
    by_role = [
        each
        for role in ("till", "bookkeeping")
        for check in (
            privileges.wrong_on_database,
            privileges.wrong_on_schemas,
            privileges.wrong_on_tables,
            privileges.wrong_on_sequences,
        )
        for each in check(its, reach_of(role))
    ]
    return [
        *by_role,
        *privileges.wrong_on_later_tables(its, SHOP, SALES),
        *privileges.public_in_database(its, SHOP, ORDERS),
    ]


def mend(shop: Shop, cure: str) -> None:
    """Carry out the statements of a cure, in their order."""
    shop.do(*cure.split("`")[1].split("; "))
    shop.postgres.forget_leader()


def test_nothing_is_found_where_all_is_as_it_should_be(shop: Shop) -> None:
    assert found(shop) == []


@pytest.mark.parametrize(
    ("change", "cause", "says", "cure"),
    [
        (
            ["GRANT pg_read_all_data TO bookkeeping"],
            "ROLE_INHERITS",
            "bookkeeping is a member of pg_read_all_data, and so holds ",
            "`REVOKE pg_read_all_data FROM bookkeeping`",
        ),
        (
            ["GRANT pg_write_all_data TO till"],
            "ROLE_INHERITS",
            "till is a member of pg_write_all_data, and so holds DELETE, UPDATE on ",
            "`REVOKE pg_write_all_data FROM till`",
        ),
        (
            [
                'CREATE ROLE "Night Shift"',
                "CREATE ROLE auditors",
                "GRANT TRUNCATE ON sales.lines TO auditors",
                'GRANT auditors TO "Night Shift"',
                'GRANT "Night Shift" TO till',
            ],
            "ROLE_INHERITS",
            "till is a member of Night Shift, and so holds TRUNCATE on sales.lines, which",
            '`REVOKE "Night Shift" FROM till`',
        ),
        (
            ["ALTER TABLE sales.lines OWNER TO till"],
            "SCHEMA_OWNER_WRONG",
            "sales.lines belongs to till, not to keeper, and so holds ",
            "`ALTER TABLE sales.lines OWNER TO keeper; GRANT INSERT, SELECT ON TABLE sales.lines TO"
            " till` in database orders",
        ),
        (
            ["GRANT UPDATE ON sales.lines TO bookkeeping"],
            "PRIVILEGE_EXCESS",
            "bookkeeping in orders holds UPDATE on sales.lines, which nobody meant it to",
            "`REVOKE UPDATE ON TABLE sales.lines FROM bookkeeping` in database orders",
        ),
        (
            ["REVOKE INSERT ON ALL TABLES IN SCHEMA sales FROM till"],
            "PRIVILEGE_MISSING",
            "till in orders lacks INSERT on sales.",
            "`GRANT INSERT ON ALL TABLES IN SCHEMA sales TO till` in database orders",
        ),
        (
            ['REVOKE SELECT ON archive."Receipts" FROM till'],
            "PRIVILEGE_MISSING",
            "till in orders lacks SELECT on archive.Receipts",
            '`GRANT SELECT ON TABLE archive."Receipts" TO till` in database orders',
        ),
        (
            [
                "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales"
                " REVOKE SELECT ON TABLES FROM bookkeeping"
            ],
            "DEFAULT_PRIVILEGES_MISSING",
            "on what keeper makes in schema sales from now on bookkeeping in orders lacks SELECT",
            "`ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales GRANT SELECT ON TABLES TO"
            " bookkeeping` in database orders",
        ),
        (
            ["ALTER ROLE bookkeeping SUPERUSER"],
            "ROLE_ATTRIBUTES_WRONG",
            "bookkeeping in orders is a superuser, and so holds ",
            "`ALTER ROLE bookkeeping NOSUPERUSER`",
        ),
    ],
)
def test_what_comes_first_is_named_and_its_cure_mends_it(
    shop: Shop, change: list[str], cause: str, says: str, cure: str
) -> None:
    shop.do(*change)

    seen = found(shop)

    assert {each.cause for each in seen} == {cause}
    assert any(each.summary.startswith(says) for each in seen), [each.summary for each in seen]
    assert cure in {each.cure for each in seen}

    for each in seen:
        mend(shop, each.cure)

    assert found(shop) == []


def test_table_of_another_role_is_named_before_what_others_lack_on_it(shop: Shop) -> None:
    shop.do("CREATE ROLE migrator", "CREATE TABLE sales.coupons (id int)")
    shop.do("ALTER TABLE sales.coupons OWNER TO migrator")

    seen = [each for each in found(shop) if "coupons" in each.summary]

    assert {each.cause for each in seen} == {"SCHEMA_OWNER_WRONG"}
    assert seen[0].summary == (
        "sales.coupons belongs to migrator, not to keeper, and till in orders lacks"
        " INSERT, SELECT on sales.coupons"
    )
    cure = (
        "`ALTER TABLE sales.coupons OWNER TO keeper; GRANT INSERT, SELECT ON TABLE sales.coupons"
        " TO till; GRANT SELECT ON TABLE sales.coupons TO bookkeeping` in database orders"
    )
    assert {each.cure for each in seen} == {cure}
    assert databases.foreign_property(shop.postgres, SALES)[0].cure == cure
    for each in seen:
        mend(shop, each.cure)
    assert found(shop) == []


def test_owner_of_the_database_is_named_before_what_it_may_do_with_it(shop: Shop) -> None:
    shop.do("ALTER DATABASE orders OWNER TO till")

    (seen,) = [each for each in found(shop) if each.cause == "DATABASE_OWNER_WRONG"]

    assert seen.summary.startswith("orders belongs to till, not to keeper, and so holds CREATE")
    assert seen.cure == (
        "`ALTER DATABASE orders OWNER TO keeper; GRANT CONNECT ON DATABASE orders TO till` in"
        " database orders"
    )
    mend(shop, seen.cure)
    assert found(shop) == []


def test_public_loses_a_right_after_those_that_need_it_have_it(shop: Shop) -> None:
    shop.do(
        "REVOKE USAGE ON SCHEMA sales FROM till, bookkeeping",
        "GRANT USAGE, CREATE ON SCHEMA sales TO PUBLIC",
        'GRANT SELECT ON archive."Receipts" TO PUBLIC',
    )

    (seen,) = privileges.public_in_database(shop.postgres, SHOP, ORDERS)

    assert seen.cause == "PUBLIC_PRIVILEGE"
    assert seen.cure == (
        "`GRANT USAGE ON SCHEMA sales TO till; GRANT USAGE ON SCHEMA sales TO bookkeeping;"
        ' REVOKE SELECT ON TABLE archive."Receipts" FROM PUBLIC;'
        " REVOKE CREATE, USAGE ON SCHEMA sales FROM PUBLIC` in database orders"
    )
    mend(shop, seen.cure)
    with shop.connected("till") as connection:
        assert connection.execute("SELECT count(*) FROM sales.receipts").fetchone() == (2,)
    assert found(shop) == []


def test_public_on_a_database_is_revoked_after_its_roles_may_connect(shop: Shop) -> None:
    shop.do("REVOKE CONNECT ON DATABASE orders FROM till, bookkeeping")
    shop.do("GRANT CONNECT ON DATABASE orders TO PUBLIC")

    (seen,) = privileges.public_on_databases(shop.postgres, SHOP)

    statements = seen.cure.split("`")[1].split("; ")
    assert statements[:2] == [
        "GRANT CONNECT ON DATABASE orders TO till",
        "GRANT CONNECT ON DATABASE orders TO bookkeeping",
    ]
    assert "REVOKE CONNECT ON DATABASE orders FROM PUBLIC" in statements[2:]
    shop.postgres.forget_leader()
    shop.do(*[each for each in statements if "orders" in each])
    shop.connected("till").close()
    shop.do("CREATE ROLE migrator LOGIN")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        shop.connected("migrator")


def test_functions_and_defaults_of_public_are_cured_by_name(shop: Shop) -> None:
    shop.do(
        "CREATE FUNCTION sales.\"Total\"(int, text DEFAULT 'x;') RETURNS int LANGUAGE sql"
        " AS 'SELECT 1'",
        "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales GRANT SELECT ON TABLES TO PUBLIC",
    )

    (seen,) = privileges.public_in_database(shop.postgres, SHOP, ORDERS)
    mend(shop, seen.cure)

    assert 'REVOKE EXECUTE ON FUNCTION sales."Total"(integer, text) FROM PUBLIC' in seen.cure
    assert found(shop) == []


def test_membership_is_revoked_where_it_was_granted(shop: Shop) -> None:
    shop.do("CREATE ROLE auditors", 'CREATE ROLE "Night Shift"')
    shop.do('GRANT auditors TO "Night Shift"', 'GRANT "Night Shift" TO till')

    (seen,) = roles.inherited_rights(shop.postgres, SHOP.role("till"))

    assert seen.summary == "till is a member of roles: Night Shift, auditors"
    assert seen.cure == '`REVOKE "Night Shift" FROM till`'
