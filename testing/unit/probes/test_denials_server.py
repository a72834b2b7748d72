"""What a role is denied, on a real server: over one connection, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from nova_acceptance.components.postgres.checks.denials import permitted_deed
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.parts import denials
from nova_acceptance.components.postgres.sql import Server
from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.probes.a_server import SHOP, Shop, running

OF_THE_TILL = [each for each in denials(SHOP) if each.reach.role.name == "till"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running() as found:
        yield found


@pytest.fixture
def shop(port: int) -> Shop:
    found = Shop(port)
    found.again()
    return found


@pytest.fixture
def asked() -> list[Evidence]:
    return []


@pytest.fixture
def till(shop: Shop, port: int, asked: list[Evidence]) -> Iterator[RoleConnections]:
    transcript = Transcript()
    server = Server(Route(port, "till", "pg:5432"), transcript)
    with transcript.listening(asked.append):
        yield RoleConnections(SHOP, shop.postgres, server)
    shop.postgres.close()


def found(connections: RoleConnections) -> dict[str, list[str]]:
    """Return the causes of each deed of the till that is not denied."""
    causes = {
        str(each.deed.what): [it.cause for it in permitted_deed(connections, each)]
        for each in OF_THE_TILL
    }
    return {deed: each for deed, each in causes.items() if each}


def connections_opened(asked: list[Evidence]) -> int:
    return sum(each.asked == "connect as till" for each in asked)


def test_every_deed_is_denied_over_one_connection(
    till: RoleConnections, asked: list[Evidence]
) -> None:
    assert len(OF_THE_TILL) > 20
    assert found(till) == {}
    assert connections_opened(asked) == 1


def test_deed_that_is_not_denied_spoils_none_of_the_others(
    shop: Shop, till: RoleConnections, asked: list[Evidence]
) -> None:
    shop.do("GRANT keeper TO till", "GRANT CREATE ON SCHEMA sales TO till")
    permitted = found(till)

    assert {"create a table", "become the owner", "drop a table"} < set(permitted)
    assert connections_opened(asked) == 1
    # who has become the owner in one deed is the till in the next, and what was dropped is there
    shop.do("REVOKE keeper FROM till", "REVOKE CREATE ON SCHEMA sales FROM till")
    assert found(till) == {}
    assert shop.postgres.tables("orders", "sales").keys() == {"receipts", "lines"}


def test_deed_outside_of_a_transaction_leaves_nothing(shop: Shop, till: RoleConnections) -> None:
    shop.do("ALTER ROLE till CREATEDB")

    assert found(till) == {"create a database": ["ROLE_ATTRIBUTES_WRONG"]}
    assert set(shop.postgres.databases) == {"orders"}


def test_connection_that_is_cut_is_opened_anew(
    shop: Shop, till: RoleConnections, asked: list[Evidence]
) -> None:
    denial = OF_THE_TILL[0]
    assert permitted_deed(till, denial) == []
    shop.do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'till'")

    assert permitted_deed(till, denial) == []
    assert connections_opened(asked) == 2


def test_locked_table_is_waited_for_once(
    shop: Shop, till: RoleConnections, asked: list[Evidence]
) -> None:
    shop.do("ALTER ROLE till SET lock_timeout = '50ms'")
    with shop.connected("root_of_all") as locking:
        locking.autocommit = False
        locking.execute("LOCK TABLE sales.lines")
        for denial in OF_THE_TILL[:3]:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                permitted_deed(till, denial)

    assert sum('FROM "sales"."lines"' in each.asked for each in asked) == 1
