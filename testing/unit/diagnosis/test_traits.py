"""How values are written, against the parsers that programs read them with."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url

from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.kubernetes.traits import held_traits, traits_of

SECRET = "Qw7-hidden"


def told(text: str) -> list[tuple[str, str, str]]:
    return [(it.name, it.at, it.what) for it in traits_of(text.encode())]


def by_urllib(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def by_redis(url: str) -> str:
    parsed = parse_url(url)  # type: ignore[no-untyped-call]
    assert parsed["host"] == "cache"
    return str(parsed.get("password"))


def by_libpq(url: str) -> str:
    parsed = conninfo_to_dict(url)
    if parsed.get("host") != "cache":
        raise ValueError("another host")
    return str(parsed.get("password"))


PARSERS: list[tuple[str, Callable[[str], str]]] = [("redis", by_redis), ("postgres", by_libpq)]


@pytest.mark.parametrize("character", "/?#@%[")
def test_character_that_splits_a_url_is_named_and_escaped_it_is_right(character: str) -> None:
    password = f"Qw{character}zz"
    path = {"redis": "/0", "postgres": "/shop"}
    fails = 0
    for scheme, parse in PARSERS:
        raw = f"{scheme}://app:{password}@cache:6379{path[scheme]}"
        escaped = f"{scheme}://app:{quote(password, safe='')}@cache:6379{path[scheme]}"

        assert ("unescaped", "password", character) in told(raw)
        assert "unescaped" not in {name for name, *_ in told(escaped)}
        assert parse(escaped) == by_urllib(escaped) == password
        try:
            fails += parse(raw) != password
        except (ValueError, AssertionError, psycopg.Error):
            fails += 1
    assert fails > 0  # some program that is there takes it for something else


@pytest.mark.parametrize(
    "url",
    [
        "postgres://app:hidden@db:5432/shop",
        "postgresql+asyncpg://app:hidden@db/shop?ssl=true",
        "postgresql://app:hidden@one:5432,two:5432/shop",
        "postgresql://app:hidden@db/shop?application_name=a@b",
        "postgresql://db:5432/shop?user=app@tenant.example.com&password=hidden",
        "redis://cache:6379/0",
        "redis://:@cache:6379/0",
        "rediss://worker:hidden@cache:6380/3",
        "redis://[fd00::1]:6379/0",
        "http://git.example.com/@user/repository",
        "https://registry.example.com:5000/team/image@sha256:abc",
        "https://hooks.example.com/x?mail=a@b.example",
        "amqp://guest:hidden@queue:5672/%2f",
    ],
)
def test_url_that_is_right_has_nothing_to_tell(url: str) -> None:
    assert told(url) == []


@pytest.mark.parametrize(
    "text",
    [
        "soft",
        "info",
        "5432",
        "a=b\nc=d\n",
        '{"a": "b"}',
        "'self' 'unsafe-inline'",
        '"one", "two"',
        "kafka-0:9092,kafka-1:9092",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        base64.b64encode(bytes(range(120, 152))).decode(),
        "exchange-media",
        "customer_todo_service.example.com",
        "updated",
        "update-in-place",
        "todo-service",
        "to do list",
        "Your order is ready",
        "none",
        "n/a",
        "edit-with-care",
        "",
        "\n",
    ],
)
def test_value_that_is_right_has_nothing_to_tell(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SECRET}\n", ("blank", "end", "\n")),
        (f"{SECRET}\r\n", ("blank", "end", "\r\n")),
        (f"{SECRET}  ", ("blank", "end", " ")),
        (f"\ufeff{SECRET}", ("blank", "begin", "\ufeff")),
        (f"{SECRET}\u00a0", ("blank", "end", "\u00a0")),
        (f'"{SECRET}"', ("quoted", "", '"')),
        (f"'{SECRET}'", ("quoted", "", "'")),
        (base64.b64encode(SECRET.encode() + b"a").decode(), ("encoded", "", "")),
        (base64.b64encode(SECRET.encode() + b"a\n\n\n").decode(), ("encoded", "", "")),
    ],
)
def test_what_a_value_would_be_is_known_by_its_mark(
    text: str, expected: tuple[str, str, str]
) -> None:
    (trait,) = traits_of(text.encode())

    assert (trait.name, trait.at, trait.what) == expected
    assert trait.meant in (mark(SECRET), mark(f"{SECRET}a"))
    assert SECRET not in repr(trait)


def test_url_that_is_encoded_twice_is_certain() -> None:
    inner = base64.b64encode(b"redis://:hidden@cache:6379/0\n").decode()

    assert told(inner) == [("encoded", "plain", "")]


def test_bytes_are_known_by_what_was_written_without_encoding() -> None:
    written = "Autumn20"

    (trait,) = traits_of(base64.b64decode(written))

    assert (trait.name, trait.meant) == ("bytes", mark(written))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("change_me", "word"),
        ("CHANGEME", "word"),
        ("please-change-me", "word"),
        ("redis_password_change_me", "word"),
        ("changeme123", "word"),
        ("replace-with-real-password", "word"),
        ("TODO", "word"),
        ("todo: ask ops", "word"),
        ("your-password-here", "word"),
        ("todo", "hint"),
        ("your secret key", "hint"),
        ("None", "nothing"),
        ("xxxxxxxx", "word"),
        ("<password>", "template"),
        ("${DB_PASSWORD}", "template"),
        ("{{ .Values.db.password }}", "template"),
        ("null", "nothing"),
        ("undefined", "nothing"),
    ],
)
def test_placeholder_is_told_alone_and_in_a_url(text: str, kind: str) -> None:
    assert told(text) == [("placeholder", "", kind)]
    assert ("placeholder", "password", kind) in told(f"amqp://app:{quote(text)}@queue:5672")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sslmode=require", [("option", "sslmode", "require")]),
        ("sslmode=requre", [("option", "sslmode", "")]),
        ("target_session_attrs=standby", [("option", "target_session_attrs", "standby")]),
        ("password=hidden&sslpassword=hidden", []),
    ],
)
def test_option_is_told_where_its_value_is_one_of_those_there_are(
    query: str, expected: list[tuple[str, str, str]]
) -> None:
    assert told(f"postgres://app:pw@db/shop?{query}") == expected


def test_traits_stand_beside_the_shapes_and_hold_nothing_secret() -> None:
    data = {
        "A": base64.b64encode(f"{SECRET}\n".encode()).decode(),
        "B": base64.b64encode(f"redis://:{SECRET}#x@cache:6379".encode()).decode(),
        "C": base64.b64encode(b"right").decode(),
    }
    metadata = {"name": "one", "namespace": "shop"}
    shown = without_values({"kind": "Secret", "metadata": metadata, "data": data})

    assert "hidden" not in repr(shown)
    assert [it.name for it in held_traits(shown, "A")] == ["blank"]
    assert [it.what for it in held_traits(shown, "B")] == ["#"]
    assert held_traits(shown, "C") == ()
    assert set(shown["traits"]) == {"A", "B"}
