"""Deeds that roles are denied, tried on a real server: on few connections, and each by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import LiteralString

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.components.postgres import sql
from nova_acceptance.components.postgres.checks.denials import permitted_deed
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.deeds import DEEDS, MADE, Deed
from nova_acceptance.components.postgres.parts import Denial, denials
from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.components.postgres.trials import Trials
from nova_acceptance.errors import UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.probes.a_server import SHOP, SUPERUSER, Shop, reach_of
from testing.unit.waiting import SOON, wait_until

TILL = list(denials(SHOP))
TRIGGER = "put a trigger on a table"
LOCKED = psycopg.errors.LockNotAvailable
Opened = list[str]
"""As whom connections were opened."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """As whom connections were opened, from now on."""
    users: Opened = []
    open_one = sql.opened

    def counting(route: Route, login: Login, **rest: str) -> psycopg.Connection[sql.Row]:
        users.append(login.user)
        return open_one(route, login, **rest)

    monkeypatch.setattr(sql, "opened", counting)
    return users


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


@pytest.fixture
def background() -> Iterator[Background]:
    with Background() as opened:
        yield opened


@pytest.fixture
def trials(shop: Shop, transcript: Transcript, background: Background) -> Iterator[Trials]:
    tried = Trials(connections(shop, transcript), background)
    yield tried
    tried.close()


def connections(
    shop: Shop, transcript: Transcript, *, is_read_only: bool = False
) -> RoleConnections:
    route = Route(shop.port, "runner", "pg:5432", is_read_only=is_read_only)
    return RoleConnections(SHOP, shop.postgres, Server(route, transcript))


def denial(what: str, role: str = "till") -> Denial:
    return Denial(reach_of(role), next(each for each in DEEDS if each.what == what))


def deed_of(statement: LiteralString) -> Denial:
    return Denial(reach_of("till"), Deed(Phrase("do something"), statement))


def evidence_of(trials: Trials, transcript: Transcript, tried: Denial) -> list[Evidence]:
    """Return what the test of a denial shows, whatever comes of it."""
    heard: list[Evidence] = []
    with transcript.listening(heard.append), suppress(psycopg.Error):
        trials.is_denied(tried)
    return heard


def inventory(shop: Shop) -> list[object]:
    """Return everything that a deed could have changed."""
    with shop.connected(SUPERUSER) as session:
        return [
            session.execute(asked).fetchall()
            for asked in (
                "SELECT oid, relname, relowner, relkind FROM pg_class ORDER BY 1",
                "SELECT attrelid, attname, attisdropped FROM pg_attribute ORDER BY 1, 2",
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1",
                "SELECT oid, proname FROM pg_proc WHERE pronamespace > 16383 ORDER BY 1",
                "SELECT tgname FROM pg_trigger ORDER BY 1",
                "SELECT rolname, rolsuper FROM pg_roles ORDER BY 1",
                "SELECT roleid, member FROM pg_auth_members ORDER BY 1, 2",
                "SELECT datname FROM pg_database ORDER BY 1",
                "SELECT count(*) FROM sales.receipts",
                "SELECT count(*) FROM sales.lines",
            )
        ]


def test_all_deeds_of_a_role_are_denied_on_one_connection(
    shop: Shop, trials: Trials, opened: Opened
) -> None:
    before = inventory(shop)

    assert [found for each in TILL for found in permitted_deed(trials, each)] == []

    assert len(TILL) > 20
    # the second is for CREATE DATABASE, which no transaction takes
    assert opened.count("till") == 2
    assert inventory(shop) == before


def test_no_deed_changes_anything_where_every_one_is_permitted(shop: Shop, trials: Trials) -> None:
    shop.do("ALTER ROLE till SUPERUSER")
    before = inventory(shop)

    found = {each.deed.what: permitted_deed(trials, each) for each in TILL}

    assert [it[0].cause for it in found.values()] == ["ROLE_ATTRIBUTES_WRONG"] * len(TILL)
    assert inventory(shop) == before
    assert MADE not in shop.postgres.databases


def test_deed_leaves_the_role_of_the_connection_as_it_was(shop: Shop, trials: Trials) -> None:
    shop.do("ALTER ROLE till SUPERUSER")
    for what in ("become the owner", "act for the superuser", "change the server's settings"):
        assert not trials.is_denied(denial(what))

    shop.do("ALTER ROLE till NOSUPERUSER")

    assert trials.is_denied(denial("drop a table"))
    assert trials.is_denied(denial("read password hashes"))


def test_each_deed_shows_what_was_asked_once_for_all_and_itself(
    trials: Trials, transcript: Transcript
) -> None:
    first = evidence_of(trials, transcript, denial("drop a table"))
    second = evidence_of(trials, transcript, denial("create a role"))

    assert first[:-1] == second[:-1]
    assert [it.asked for it in first[-3:]] == [
        "connect as till with options",
        'till: SELECT 1 FROM "sales"."lines" LIMIT 1',
        'till: DROP TABLE "sales"."lines"',
    ]
    assert "InsufficientPrivilege" in first[-1].answer
    assert second[-1].asked == "till: CREATE ROLE denied"


def test_lock_on_a_table_is_waited_for_once(
    shop: Shop,
    trials: Trials,
    transcript: Transcript,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "TABLE_LOCK", 0.2)
    with shop.connected(SUPERUSER) as holder, holder.transaction():
        holder.execute("LOCK TABLE sales.lines")
        for each in TILL:
            with pytest.raises(LOCKED):
                trials.is_denied(each)
        with pytest.raises(LOCKED):  # who reads it waits for the same
            trials.is_denied(denial("drop a table", "bookkeeping"))
        shown = evidence_of(trials, transcript, denial("drop a table"))

    assert opened.count("till") == 1
    assert "bookkeeping" not in opened
    assert shown[-1].asked == 'till: SELECT 1 FROM "sales"."lines" LIMIT 1'
    assert "lock timeout" in shown[-1].answer


def test_lock_that_only_one_deed_wants_speaks_for_that_deed_alone(
    shop: Shop,
    trials: Trials,
    transcript: Transcript,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "TABLE_LOCK", 0.2)
    with shop.connected(SUPERUSER) as holder, holder.transaction():
        holder.execute("LOCK TABLE sales.lines IN ROW EXCLUSIVE MODE")
        with pytest.raises(LOCKED):
            trials.is_denied(denial(TRIGGER))
        with pytest.raises(LOCKED):
            trials.is_denied(denial(TRIGGER, "bookkeeping"))
        others = [each for each in TILL if each.deed.what != TRIGGER]
        assert all(map(trials.is_denied, others))
        assert trials.is_denied(denial("drop a table", "bookkeeping"))
        told = evidence_of(trials, transcript, denial(TRIGGER, "bookkeeping"))

    waited = [it for it in told if "CREATE TRIGGER" in it.asked]
    assert [it.asked.partition(":")[0] for it in waited] == ["till"]


def test_connection_that_a_deed_ends_is_opened_again_for_the_next(
    trials: Trials, opened: Opened
) -> None:
    with pytest.raises(psycopg.errors.AdminShutdown):
        trials.is_denied(deed_of("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert trials.is_denied(denial("drop a table"))
    assert trials.is_denied(denial("create a role"))
    assert opened.count("till") == 2


def test_connection_that_is_lost_between_deeds_costs_none_of_them(
    shop: Shop, trials: Trials, opened: Opened
) -> None:
    assert trials.is_denied(denial("drop a table"))
    shop.do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'till'")

    assert trials.is_denied(denial("create a role"))
    assert opened.count("till") == 2


def test_server_that_is_gone_fails_every_deed_at_once(
    shop: Shop, trials: Trials, opened: Opened
) -> None:
    shop.do("ALTER ROLE till NOLOGIN")

    for each in TILL:
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            trials.is_denied(each)

    assert opened.count("till") == 1


def test_run_that_only_reads_tries_no_deed_that_could_change_something(
    shop: Shop, transcript: Transcript, opened: Opened
) -> None:
    trials = Trials(connections(shop, transcript, is_read_only=True), Background())

    for each in TILL:
        if each.writes:
            with pytest.raises(UnaskedError):
                trials.is_denied(each)
    assert opened == []

    reading = [each for each in TILL if not each.writes]
    assert len(reading) == 3
    assert all(map(trials.is_denied, reading))
    trials.close()


def test_deeds_are_tried_ahead_and_show_what_they_would_have_shown(
    shop: Shop, trials: Trials, transcript: Transcript, background: Background, opened: Opened
) -> None:
    shop.postgres.admin("orders")  # not for the first of them alone
    shop.postgres.admin()
    by_itself = Trials(connections(shop, transcript), background)
    shown = {each: evidence_of(by_itself, transcript, each) for each in TILL}
    by_itself.close()
    opened.clear()

    trials.foresee(TILL)
    background.settle()

    assert opened.count("till") == 1
    for each in TILL:
        asked = [it.asked for it in evidence_of(trials, transcript, each)]
        assert asked == [it.asked for it in shown[each]]
        assert "connect as till with options" in asked


def test_roles_are_tried_side_by_side(shop: Shop, trials: Trials, background: Background) -> None:
    shop.postgres.admin("orders")  # so that none but the roles connect
    shop.postgres.admin()
    together = threading.Barrier(2)
    deed = Deed(Phrase("wait for the others"), "SELECT rolpassword FROM pg_authid")
    denied = [Denial(reach_of(role), deed) for role in ("till", "bookkeeping")]
    open_one = Server.connect

    def connect(server: Server, login: Login) -> Session:
        together.wait(SOON)
        return open_one(server, login)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "connect", connect)
        trials.foresee(denied)
        background.settle()

    assert all(map(trials.is_denied, denied))


def test_deed_that_others_would_feel_is_tried_when_nothing_else_is_under_way(
    shop: Shop, transcript: Transcript
) -> None:
    felt = [each for each in TILL if each.deed.is_felt]
    is_waited_for, ended = threading.Event(), threading.Event()
    asked: list[str] = []

    class WaitedFor(Background):
        def settle(self, *, only_felt: bool = False) -> None:
            is_waited_for.set()
            super().settle(only_felt=only_felt)

    def last_until_waited_for() -> None:
        is_waited_for.wait(SOON)
        ended.set()

    def listen(evidence: Evidence) -> None:
        assert ended.is_set()
        asked.append(evidence.asked)

    with WaitedFor() as background, transcript.listening(listen):
        trials = Trials(connections(shop, transcript), background)
        background.run(last_until_waited_for)
        trials.foresee(felt)
        assert all(map(trials.is_denied, felt))
        trials.close()

    assert {each.deed.what for each in felt} == {"create a database"}
    assert any("CREATE DATABASE" in each for each in asked)


def test_connection_is_closed_once_the_last_of_its_deeds_is_read(
    shop: Shop, trials: Trials
) -> None:
    trials.foresee(TILL)
    for each in TILL[:-1]:
        trials.is_denied(each)
    assert connected(shop) == 1

    trials.is_denied(TILL[-1])

    wait_until(lambda: connected(shop) == 0)


def test_run_that_only_reads_foresees_no_deed_that_could_change_something(
    shop: Shop, transcript: Transcript, background: Background
) -> None:
    trials = Trials(connections(shop, transcript, is_read_only=True), background)
    asked: list[str] = []

    trials.foresee(TILL)
    background.settle()

    for each in TILL:
        if each.writes:
            with pytest.raises(UnaskedError):
                trials.is_denied(each)
        else:
            asked += [it.asked for it in evidence_of(trials, transcript, each)]
    assert not [each for each in asked if "CREATE" in each or "DROP" in each]
    assert any("pg_read_file" in each for each in asked)
    trials.close()


def test_block_on_a_shared_connection_keeps_another_thread_waiting(shop: Shop) -> None:
    session = shop.postgres.admin("orders")
    seen: list[str] = []
    other = threading.Thread(target=lambda: seen.append(session.value("SELECT current_user")))

    with session.undone():
        session.rows("SET LOCAL ROLE keeper")
        other.start()
        other.join(0.2)
        assert seen == []
    other.join(SOON)

    assert seen == [SUPERUSER]


def connected(shop: Shop) -> int:
    with shop.connected(SUPERUSER) as session:
        found = session.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'till'")
        return int((found.fetchone() or (0,))[0])
