"""Who leads, when members are away or disagree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import psycopg
import pytest

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.leading import LeadershipError
from nova_acceptance.components.postgres.sql import Login, Server
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import FindingError
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.answers import of_error
from testing.unit.probes.a_postgres import ASession

AWAY = psycopg.OperationalError("connection refused")
FULL = psycopg.OperationalError("connection failed: FATAL:  sorry, too many clients already")


class Opened:
    """A connection to a member, which follows or not."""

    def __init__(self, name: str, database: str, *, follows: bool) -> None:
        self.where = name, database
        self.is_closed = False
        self._follows = follows

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def value(self, statement: str) -> bool:
        assert statement == "SELECT pg_is_in_recovery()"
        return self._follows

    def close(self) -> None:
        self.is_closed = True


class Members(Postgres):
    """PostgreSQL whose members answer as they are told."""

    def __init__(self, *answers: bool | psycopg.OperationalError) -> None:
        names = [f"postgres-{number}" for number in range(len(answers))]
        pods = {name: PodRef("nova-database", name) for name in names}
        server = Server(Route(5432, "runner", "postgres:5432"), Transcript())
        super().__init__(pods, Login("postgres", "postgres", ""), lambda _: server)
        self.answers = dict(zip(names, answers, strict=True))
        self.asked = 0
        self.made: list[Opened] = []

    def member(self, name: str, database: str = "postgres") -> Any:
        self.asked += 1
        answer = self.answers[name]
        if isinstance(answer, psycopg.OperationalError):
            raise answer
        self.made.append(Opened(name, database, follows=answer))
        return self.made[-1]

    @property
    def still_open(self) -> list[tuple[str, str]]:
        return sorted(each.where for each in self.made if not each.is_closed)


def cause(postgres: Postgres) -> str:
    with pytest.raises(ProbeError) as caught:
        _ = postgres.leader
    shown = of_error(caught.value)
    return shown.cause if shown else ""


def test_leader_is_found_while_a_replica_is_away() -> None:
    assert Members(True, False, AWAY).leader == "postgres-1"


def test_several_leaders_and_none_are_named() -> None:
    assert cause(Members(False, False, True)) == "TWO_LEADERS"
    assert cause(Members(True, True, True)) == "NO_LEADER"
    with pytest.raises(LeadershipError, match="2 leaders: postgres-0, postgres-1"):
        Members(False, False, True).find_leader()


def test_what_a_server_says_tells_more_than_one_that_is_silent() -> None:
    assert cause(Members(AWAY, FULL, True)) == "CONNECTIONS_EXHAUSTED"
    assert cause(Members(AWAY, True, True)) == "PORT_CLOSED"


def test_failure_is_not_asked_for_again_until_the_leader_is_forgotten() -> None:
    postgres = Members(True, True, AWAY)
    for _ in range(3):
        assert cause(postgres) == "PORT_CLOSED"
    assert postgres.asked == 3

    postgres.answers["postgres-2"] = False
    postgres.forget_leader()
    assert postgres.leader == "postgres-2"


@pytest.mark.parametrize("is_away", [False, True])
def test_connections_to_several_members_are_all_closed_again(*, is_away: bool) -> None:
    members = Members(False, True, True)
    replicas = members.replicas
    if is_away:
        members.answers["postgres-2"] = AWAY
    wanted = [("postgres-1", "nova"), ("postgres-2", "nova")]
    before = len(members.made)

    with suppress(psycopg.OperationalError), members.opened(replicas, "nova") as found:
        assert not is_away
        assert [cast(Any, each).where for each in found] == wanted

    made = members.made[before:]
    assert sorted(each.where for each in made) == wanted[: 1 if is_away else 2]
    assert all(each.is_closed for each in made)


def test_leader_is_asked_on_the_connection_by_which_it_was_found() -> None:
    members = Members(True, False, True)

    assert members.leader == "postgres-1"
    assert members.still_open == [("postgres-1", "postgres")]
    found: Any = members.admin()
    assert found.where == ("postgres-1", "postgres")
    assert members.asked == 3

    members.open(["nova_auth", "nova_messaging"])
    wanted = ["nova_auth", "nova_messaging", "postgres"]
    assert members.still_open == [("postgres-1", database) for database in wanted]
    assert members.asked == 3 + 2

    members.close()
    assert members.still_open == []


@pytest.mark.parametrize("answers", [(True, True, AWAY), (False, False, True)])
def test_nothing_stays_open_where_no_leader_is_found(
    answers: tuple[bool | psycopg.OperationalError, ...],
) -> None:
    members = Members(*answers)

    assert cause(members)
    assert members.still_open == []


def test_roll_call_leaves_nothing_open() -> None:
    members = Members(False, True, AWAY)

    answers, failures = members.roll_call()

    assert answers == {"postgres-0": False, "postgres-1": True}
    assert failures == {"postgres-2": AWAY}
    assert members.still_open == []


def test_connection_to_one_that_led_meanwhile_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    members = Members(False, True)
    assert members.leader == "postgres-0"
    opened = members.member

    def change(name: str, database: str = "postgres") -> Any:
        made = opened(name, database)
        if name == "postgres-0" and database == "nova_auth":
            members.answers.update({"postgres-0": True, "postgres-1": False})
            members.forget_leader()
        return made

    monkeypatch.setattr(members, "member", change)

    session: Any = members.admin("nova_auth")

    assert session.where == ("postgres-1", "nova_auth")
    assert members.still_open == [("postgres-1", "nova_auth"), ("postgres-1", "postgres")]


@pytest.mark.parametrize(
    ("role", "has_expired", "cause"),
    [
        ("app_user", False, None),
        ("app_user", True, "PASSWORD_EXPIRED"),
        ("nobody", False, "ROLE_MISSING"),
    ],
)
def test_login_is_of_a_role_whose_password_counts(
    role: str, has_expired: bool, cause: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = Members(False)
    asked = ASession(rolvaliduntil=[("app_user", has_expired)])
    monkeypatch.setattr(members, "admin", lambda *_: asked)

    if cause is None:
        assert members.login(role, "nova_auth") == Login(role, "nova_auth", "")
        return
    with pytest.raises(FindingError) as raised:
        members.login(role)
    assert raised.value.shown.cause == cause


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (lambda it: it.role_names, "pg_roles"),
        (lambda it: it.role("app_user").has_expired, "pg_roles"),
        (lambda it: it.databases, "pg_database"),
        (lambda it: it.schemas("nova_auth"), "pg_namespace"),
        (lambda it: it.tables("nova_auth", "auth"), "relkind"),
        (lambda it: it.sequences("nova_auth", "auth"), "relkind"),
    ],
)
def test_what_is_there_is_asked_once_in_a_moment_and_anew_after_a_failover(
    asked: Callable[[Postgres], object], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = Members(False)
    session = ASession(**{word: [("app_user", False)]})
    monkeypatch.setattr(members, "admin", lambda *_: session)

    found = [asked(members) for _ in range(3)]
    assert len(session.asked) == 1
    assert found == [found[0]] * 3

    members.forget_leader()
    asked(members)
    assert len(session.asked) == 2


def test_tables_of_one_schema_are_not_those_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    members, asked = Members(False), list[tuple[object, ...]]()

    class Database(ASession):
        def rows(self, *question: Any) -> Any:
            asked.append((self.answers["name"], *question))
            return []

    monkeypatch.setattr(members, "admin", lambda name: Database(name=name))
    for database, schema in (("nova_auth", "auth"), ("nova_auth", "public"), ("other", "auth")):
        members.tables(database, schema)
        members.sequences(database, schema)

    assert len(set(asked)) == len(asked) == 2 * 3


class Streams:
    """A session that knows who streams from the leader."""

    def rows(self, *_: object) -> list[tuple[str, str | None, str, str]]:
        return [
            ("postgres-1", "10.0.0.1", "streaming", "sync"),
            ("walreceiver", "10.0.0.2", "streaming", "async"),
            ("walreceiver", "10.0.0.9", "streaming", "async"),
            ("pg_basebackup", None, "backup", "async"),
        ]


def test_followers_are_known_by_name_or_address(monkeypatch: pytest.MonkeyPatch) -> None:
    members = Members(False, True, True)
    monkeypatch.setattr(members, "admin", Streams)
    addresses = {"postgres-1": "10.0.0.1", "postgres-2": "10.0.0.2"}
    monkeypatch.setattr(members, "_address_of", lambda pod: addresses.get(pod.name, ""))

    assert members.standbys == {
        "postgres-1": ("streaming", "sync"),
        "postgres-2": ("streaming", "async"),
        "walreceiver at 10.0.0.9": ("streaming", "async"),
        "pg_basebackup": ("backup", "async"),
    }
