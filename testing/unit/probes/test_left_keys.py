"""What killed tests have left in components is known by its name, and nothing else is removed."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.components.etcd import client as etcd_client
from nova_acceptance.components.etcd import keys as etcd_keys
from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.postgres import tables
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.components.redis import keys as redis_keys
from nova_acceptance.components.redis.spec import Redis
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.probes.a_nova import nova


class StubRedis:
    """A Redis that shows two keys at a time."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self._pages = [self.names[start : start + 2] for start in range(0, len(names), 2)] or [[]]

    def ask(self, *command: Any) -> Any:
        if command[0] == "DEL":
            self.names.remove(command[1])
            return 1
        scan, cursor, match, pattern, _, _ = command
        assert (scan, match) == ("SCAN", "MATCH")
        page = [it for it in self._pages[int(cursor)] if it.startswith(pattern.removesuffix("*"))]
        following = int(cursor) + 1
        return (following if following < len(self._pages) else 0), page


def test_keys_of_tests_are_removed_from_redis() -> None:
    (spec,) = nova().of(Redis)
    left = [redis_keys.new_key(), redis_keys.new_key()]
    redis = StubRedis("session:1", left[0], "nova-acceptances", "session:2", left[1])

    removed = redis_keys.clear(redis, spec)  # type: ignore[arg-type]

    assert removed == [f"key {key}" for key in sorted(left)]
    assert redis.names == ["session:1", "nova-acceptances", "session:2"]
    assert redis_keys.clear(StubRedis(*redis.names), spec) == []  # type: ignore[arg-type]


def test_key_of_a_test_is_gone_at_its_end_however_that_comes() -> None:
    redis = StubRedis("session:1")

    with suppress(KeyError), redis_keys.own_key(redis) as key:  # type: ignore[arg-type]
        redis.names.append(key)
        raise KeyError

    assert key.startswith("nova-acceptance:")
    assert redis.names == ["session:1"]


def test_keys_of_tests_are_removed_from_etcd(monkeypatch: pytest.MonkeyPatch) -> None:
    (spec,) = nova().of(Etcd)
    monkeypatch.setattr(etcd_keys, "disunity", lambda *_: [])
    left = etcd_keys.new_key({}, spec)
    there = {"/nova-acceptance", left, "/nova-acceptances", "/service/nova/leader"}

    def exchange(_: Route, _method: str, path: str, body: str, _kept: object) -> tuple[int, str]:
        asked = json.loads(body)
        first = base64.b64decode(asked["key"]).decode()
        if path.endswith("deleterange"):
            there.remove(first)
            return 200, "{}"
        last = base64.b64decode(asked["range_end"]).decode()
        found = [key for key in there if first <= key < last]
        return 200, json.dumps(
            {"kvs": [{"key": base64.b64encode(key.encode()).decode()} for key in found]}
        )

    monkeypatch.setattr(etcd_client, "exchange", exchange)
    member = Member(Route(1, "a", "b"), Transcript())

    assert etcd_keys.clear({"etcd-0": member}, spec) == [f"key {left}"]
    assert there == {"/nova-acceptance", "/nova-acceptances", "/service/nova/leader"}
    assert etcd_keys.clear({"etcd-0": member}, spec) == []


def test_what_a_member_of_etcd_says_of_itself_serves_the_next_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    said = {"header": {"member_id": "1", "cluster_id": "9"}, "leader": "2"}

    def exchange(_: Route, _method: str, path: str, *_more: object) -> tuple[int, str]:
        asked.append(path)
        return 200, json.dumps(said)

    monkeypatch.setattr(etcd_client, "exchange", exchange)
    one, other = (Member(Route(1, "a", "b"), Transcript()) for _ in range(2))

    assert one.status == one.status == other.status
    assert asked == ["/v3/maintenance/status"] * 2


def test_tables_and_the_database_of_tests_are_removed_from_postgres() -> None:
    (spec,) = nova().of(Postgres)
    databases = {"nova_auth": "nova_owner", "nova_acceptance_denied": "app_user"}
    rows = {"nova_auth": [("auth", "nova_acceptance_0123abcd")]}
    said: list[str] = []

    def admin(database: str = "postgres") -> Any:
        def ask(statement: Any, *parameters: Any) -> list[Any]:
            if parameters:
                assert parameters == ("^nova_acceptance_[0-9a-f]{8}$",)
                return rows.get(database, [])
            said.append(f"{database}: {statement.as_string(None)}")
            if "DATABASE" in said[-1]:
                databases.pop("nova_acceptance_denied")
            return []

        return SimpleNamespace(rows=ask)

    postgres: Any = SimpleNamespace(databases=databases, admin=admin)

    assert tables.clear(postgres, spec) == [
        "database nova_acceptance_denied",
        "table auth.nova_acceptance_0123abcd in nova_auth",
    ]
    assert said == [
        'postgres: DROP DATABASE IF EXISTS "nova_acceptance_denied"',
        'nova_auth: DROP TABLE IF EXISTS "auth"."nova_acceptance_0123abcd"',
    ]
