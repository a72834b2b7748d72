"""Row-level security that leaves a role no row is found, and what lets rows through is not."""

from __future__ import annotations

import psycopg
import pytest

from nova_acceptance.components.postgres.checks.rows import hidden_rows, rows_hidden
from nova_acceptance.findings import Finding
from testing.unit.probes.a_server import SHOP, Shop, schema_named

SALES, ARCHIVE = schema_named("sales"), schema_named("archive")


def hidden(shop: Shop) -> list[Finding]:
    return [found for each in (SALES, ARCHIVE) for found in rows_hidden(shop.postgres, SHOP, each)]


def rows_of(shop: Shop, role: str) -> int:
    with shop.connected(role) as connection:
        return len(connection.execute("SELECT id FROM sales.receipts").fetchall())


def test_nothing_is_found_where_row_security_is_off(shop: Shop) -> None:
    shop.do("CREATE POLICY unused ON sales.receipts TO keeper USING (false)")

    assert hidden(shop) == []


def test_table_without_a_policy_hides_all_from_all_but_its_owner(shop: Shop) -> None:
    shop.do("ALTER TABLE sales.receipts ENABLE ROW LEVEL SECURITY")

    till, books = hidden(shop)

    assert rows_of(shop, "till") == 0
    assert till.cause == "ROW_SECURITY_HIDES"
    assert till.summary == (
        "row-level security of sales.receipts in database orders is on, and no policy lets till"
        " SELECT, INSERT any row"
    )
    assert books.summary.endswith("no policy lets bookkeeping SELECT any row")
    assert books.cure == (
        "`ALTER TABLE sales.receipts DISABLE ROW LEVEL SECURITY` in database orders; or, if"
        " policies are meant, `CREATE POLICY bookkeeping_select ON sales.receipts FOR SELECT TO"
        " bookkeeping USING (true)`"
    )


def test_all_schemas_that_are_there_are_looked_at_at_once(shop: Shop) -> None:
    shop.do(
        "DROP SCHEMA sales CASCADE",
        'ALTER TABLE archive."Receipts" ENABLE ROW LEVEL SECURITY',
    )

    (found,) = hidden_rows(shop.postgres, SHOP)

    assert "archive.Receipts in database orders" in found.summary


def test_cure_by_policies_mends_it(shop: Shop) -> None:
    shop.do(
        'ALTER TABLE archive."Receipts" ENABLE ROW LEVEL SECURITY',
        'CREATE POLICY "For others" ON archive."Receipts" TO bookkeeping USING (true)',
    )
    (found,) = hidden(shop)
    statement = found.cure.split("`")[1]
    assert statement.startswith('CREATE POLICY till_select ON archive."Receipts" FOR SELECT')

    shop.do(*statement.split("; "))

    assert hidden(shop) == []


@pytest.mark.parametrize(
    ("policies", "left"),
    [
        (["TO till, bookkeeping USING (total > 1)"], []),
        (["USING (total = nullif(current_setting('shop.total', true), '')::int)"], []),
        (["FOR SELECT TO auditors USING (true)", "FOR INSERT TO till WITH CHECK (true)"], []),
        (["FOR SELECT USING (true)"], ["till INSERT"]),
        (["TO keeper USING (true)"], ["till SELECT, INSERT", "bookkeeping SELECT"]),
        (["USING (false)"], ["till SELECT, INSERT", "bookkeeping SELECT"]),
        (["USING (true)", "AS RESTRICTIVE FOR SELECT TO till USING (false)"], ["till SELECT"]),
        (["USING (true) WITH CHECK (false)"], ["till INSERT"]),
    ],
)
def test_policy_counts_for_the_roles_and_commands_it_is_for(
    shop: Shop, policies: list[str], left: list[str]
) -> None:
    shop.do("CREATE ROLE auditors", "GRANT auditors TO till, bookkeeping")
    shop.do("ALTER TABLE sales.receipts ENABLE ROW LEVEL SECURITY")
    for number, each in enumerate(policies):
        as_given, _, rest = each.partition("FOR ") if each.startswith("AS ") else ("", "", each)
        rest = f"FOR {rest}" if as_given else rest
        shop.do(f"CREATE POLICY p{number} ON sales.receipts {as_given} {rest}")

    told = [each.summary.partition("lets ")[2].removesuffix(" any row") for each in hidden(shop)]

    assert told == left


def test_owner_is_subject_to_policies_that_are_forced_on_it(shop: Shop) -> None:
    shop.do(
        "ALTER TABLE sales.lines ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE sales.lines FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON sales.lines TO till, bookkeeping USING (true)",
    )

    (found,) = hidden(shop)

    assert "no policy lets keeper SELECT, INSERT, UPDATE, DELETE any row" in found.summary


def test_role_that_passes_over_policies_is_hidden_nothing(shop: Shop) -> None:
    shop.do("ALTER TABLE sales.receipts ENABLE ROW LEVEL SECURITY")
    shop.do("ALTER ROLE till BYPASSRLS", "ALTER ROLE bookkeeping BYPASSRLS")

    assert hidden(shop) == []
    assert rows_of(shop, "till") == 2


def test_what_is_hidden_is_refused_as_the_cause_says(shop: Shop) -> None:
    shop.do("ALTER TABLE sales.receipts ENABLE ROW LEVEL SECURITY")

    with (
        shop.connected("till") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security policy"),
    ):
        connection.execute("INSERT INTO sales.receipts (total) VALUES (3)")
