"""URLs tried by real clients on servers that take them, or do not, for one reason each."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_py
from cryptography.hazmat.primitives import serialization

from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.postgres.url_options import options_that_cannot_hold
from nova_acceptance.components.redis import urls as of_redis
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.components.urls.parsed import ParsedUrl
from nova_acceptance.components.urls.trying import first_that_lets_in
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Ref
from nova_acceptance.system import Url
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.probes.tls import HERE, certificate

PLACE = Url(Ref("Secret", "shop", "cart"), "CACHE", "cache", None)
Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[int]:
    listener = socket.create_server((HERE, 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                if context is None:
                    serve(connection)
                    continue
                with context.wrap_socket(connection, server_side=True) as channel:
                    serve(channel)

    threading.Thread(target=run, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def a_redis(logins: dict[str, str], databases: int = 16) -> Serve:
    """A Redis with these users and passwords, as the protocol is (RESP2)."""

    def answer(words: list[str]) -> bytes:
        match [words[0].upper(), *words[1:]]:
            case ["AUTH", *login]:
                user, password = login if len(login) > 1 else ("default", *login)
                if logins.get(user) == password:
                    return b"+OK\r\n"
                return b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
            case ["SELECT", number] if int(number) >= databases:
                return b"-ERR DB index is out of range\r\n"
            case ["PING"]:
                return b"+PONG\r\n"
        return b"+OK\r\n"

    def serve(connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        while (line := stream.readline()).startswith(b"*"):
            words = []
            for _ in range(int(line[1:])):
                size = int(stream.readline()[1:])
                words.append(stream.read(size + 2)[:-2].decode())
            connection.sendall(answer(words))
        if line:
            connection.sendall(b"-ERR Protocol error\r\n")

    return serve


class Admin:
    """What the component's own client says of its users."""

    def ask(self, *command: str) -> list[str]:
        assert command == ("ACL USERS",)
        return ["default", "cart"]


def trial(text: str, port: int) -> UrlTrial:
    parsed = ParsedUrl.of(text, 6379)
    return UrlTrial(
        url=PLACE,
        owner=Spec(name="cache", namespace="shop"),
        user=parsed.user,
        password=parsed.password,
        path=parsed.path,
        route=Route(port, "shop/cart-0", "cache:6379"),
        transcript=Transcript(),
        client=Admin,
        scheme=parsed.scheme,
        options=parsed.options,
    )


def told(text: str, port: int) -> list[tuple[str, str]]:
    return [(it.cause, str(it.summary)) for it in of_redis.locked_out(trial(text, port))]


@pytest.fixture
def plain() -> Iterator[int]:
    with listening(a_redis({"default": "right", "cart": "own"})) as port:
        yield port


@pytest.fixture
def by_tls(tmp_path: Path) -> Iterator[int]:
    made, key = certificate("cache")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(key + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with listening(a_redis({"default": "right"}), context) as port:
        yield port


@pytest.mark.parametrize(
    "text",
    [
        "redis://:right@cache:6379/0",
        "redis://default:right@cache/15",
        "redis://cart:own@cache:6379/3",
        "redis://:right@cache:6379",
    ],
)
def test_redis_takes_what_is_right(text: str, plain: int) -> None:
    assert told(text, plain) == []


def test_redis_takes_tls_where_it_speaks_it(by_tls: int) -> None:
    assert told("rediss://:right@cache:6379/0", by_tls) == []


def test_tls_at_a_port_without_is_told(plain: int) -> None:
    ((cause, summary),) = told("rediss://:right@cache:6379/0", plain)

    assert cause == "URL_SCHEME_WRONG"
    assert "speaks without" in summary


def test_plain_words_at_a_port_of_tls_are_told(by_tls: int) -> None:
    ((cause, summary),) = told("redis://:right@cache:6379/0", by_tls)

    assert cause == "URL_SCHEME_WRONG"
    assert "speaks by TLS" in summary


def test_silence_is_no_protocol() -> None:
    with listening(lambda _: None) as port, pytest.raises(ProbeError):
        told("rediss://:right@cache:6379/0", port)


def test_user_that_the_acl_lacks_is_told(plain: int) -> None:
    ((cause, summary),) = told("redis://till:own@cache:6379/0", plain)

    assert cause == "URL_USER_WRONG"
    assert "till" in summary


def test_wrong_password_of_a_user_that_is_there_is_redis_own_word(plain: int) -> None:
    with pytest.raises(redis_py.AuthenticationError):
        told("redis://cart:right@cache:6379/0", plain)


def test_database_that_redis_lacks_is_told(plain: int) -> None:
    ((cause, _),) = told("redis://:right@cache:6379/16", plain)

    assert cause == "URL_DATABASE_WRONG"


def without_tls(connection: socket.socket) -> None:
    """A PostgreSQL that refuses TLS (its manual, 55.2.10), and then whoever comes."""
    connection.recv(8)
    connection.sendall(b"N")
    connection.recv(1024)
    said = b'SFATAL\0C28P01\0Mpassword authentication failed for user "app"\0\0'
    connection.sendall(b"E" + (len(said) + 4).to_bytes(4, "big") + said)


def test_tls_that_is_demanded_of_a_server_without_is_told() -> None:
    with listening(without_tls) as port:
        found = options_that_cannot_hold(trial("postgres://app:x@db/shop?sslmode=require", port))

    (only,) = found
    assert only.cause == "URL_OPTION_WRONG"
    assert "demands TLS (sslmode=require)" in only.summary


def test_tls_that_is_preferred_is_given_up() -> None:
    with listening(without_tls) as port, pytest.raises(psycopg.OperationalError):
        options_that_cannot_hold(trial("postgres://app:x@db/shop?sslmode=prefer", port))


def test_nothing_is_tried_where_nothing_is_asked() -> None:
    assert options_that_cannot_hold(trial("postgres://app:x@db/shop?pool=5", 1)) == []


def test_url_with_several_hosts_is_tried_at_each() -> None:
    parsed = ParsedUrl.of("postgresql://app:p%23w@one,two:5433,[fd00::1]:1/shop?a=b", 5432)

    assert parsed.hosts == (("one", 5432), ("two", 5433), ("fd00::1", 1))
    assert (parsed.password, parsed.path, parsed.options) == ("p#w", "shop", {"a": "b"})


class Urls:
    """Lets in at one host alone."""

    def locked_out(self, tried: UrlTrial) -> list[Any]:
        return [] if tried.route.target == "two" else ["refused"]

    def accepted_wrong_password(self, _: UrlTrial) -> list[Any]:
        return []


@pytest.mark.parametrize(
    ("hosts", "taken"),
    [(("one", "two"), "two"), (("one", "three"), "one"), (("away", "two"), "two")],
)
def test_first_host_that_lets_in_is_taken(hosts: tuple[str, ...], taken: str) -> None:
    def at(host: str, _: int) -> UrlTrial:
        if host == "away":
            raise ProbeError("no answer", hint="")
        made = trial("postgres://app:x@db/shop", 1)
        return UrlTrial(
            made.url, None, "", "", "", Route(1, "", host), made.transcript, made.client
        )

    assert first_that_lets_in([(it, 1) for it in hosts], at, Urls()).route.target == taken


def test_no_host_that_answers_is_told_as_the_first_one() -> None:
    def away(host: str, _: int) -> UrlTrial:
        raise ProbeError(f"no answer of {host}", hint="")

    with pytest.raises(ProbeError, match="one"):
        first_that_lets_in([("one", 1), ("two", 1)], away, Urls())
