"""What an error says of its cause, by codes and by words of several versions."""

from __future__ import annotations

import psycopg
import pytest
import redis

from nova_acceptance.causes import causes
from nova_acceptance.components.postgres import answers as postgres_answers
from nova_acceptance.components.postgres.answers import of_refusal
from nova_acceptance.components.redis import answers as redis_answers
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import NOWHERE, Finding, FindingError
from nova_acceptance.kube import ApiError, ApiUnreachableError
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage import answers as connections
from nova_acceptance.vantage.answers import of_words
from nova_acceptance.verification.answers import of_error


def refused(words: str) -> psycopg.OperationalError:
    return psycopg.OperationalError(
        f'connection failed: connection to server at "::1", port 3456 failed: FATAL:  {words}'
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (refused('password authentication failed for user "app_user"'), "PASSWORD_REFUSED"),
        (refused('no pg_hba.conf entry for host "10.0.0.1", user "x"'), "ADMISSION_REFUSED"),
        (refused('database "nova_auth" does not exist'), "DATABASE_MISSING"),
        (refused('role "app_user" does not exist'), "ROLE_MISSING"),
        (refused('role "app_user" is not permitted to log in'), "ROLE_ATTRIBUTES_WRONG"),
        (refused("sorry, too many clients already"), "CONNECTIONS_EXHAUSTED"),
        (refused("remaining connection slots are reserved for roles"), "CONNECTIONS_EXHAUSTED"),
        (refused('too many connections for role "app_user"'), "CONNECTIONS_EXHAUSTED"),
        (refused('database "x" is not currently accepting connections'), "DATABASE_CLOSED"),
        (refused("the database system is starting up"), "DATABASE_STARTING"),
        (refused("the database system is not yet accepting connections"), "DATABASE_STARTING"),
        (refused('permission denied for database "nova_auth"'), "PRIVILEGE_MISSING"),
        (
            psycopg.errors.InsufficientPrivilege(
                'new row violates row-level security policy for table "x"'
            ),
            "ROW_SECURITY_HIDES",
        ),
        (
            psycopg.errors.InsufficientPrivilege("permission denied for table x"),
            "PRIVILEGE_MISSING",
        ),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "PRIMARY_READ_ONLY"),
        (psycopg.errors.DiskFull("could not extend file"), "DISK_FULL"),
        (psycopg.errors.UndefinedTable('relation "auth.users" does not exist'), "TABLE_MISSING"),
        (psycopg.errors.InvalidSchemaName('schema "auth" does not exist'), "SCHEMA_MISSING"),
        (
            psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
            "STATEMENT_TIMED_OUT",
        ),
        (
            psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
            "STATEMENT_TIMED_OUT",
        ),
        (psycopg.OperationalError("connection refused"), "PORT_CLOSED"),
        (psycopg.OperationalError("connection timeout expired"), "PORT_SILENT"),
        (psycopg.OperationalError("server closed the connection unexpectedly"), "CONNECTION_CUT"),
    ],
)
def test_postgres_is_understood(error: psycopg.Error, cause: str) -> None:
    shown = of_error(error)

    assert shown is not None
    assert shown.cause == cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            redis.AuthenticationError("invalid username-password pair or user is disabled."),
            "REDIS_WRONG_PASSWORD",
        ),
        (redis.AuthenticationError("Authentication required."), "REDIS_WRONG_PASSWORD"),
        (
            redis.AuthenticationError(
                "AUTH <password> called without any password configured for the default user."
            ),
            "REDIS_WITHOUT_PASSWORD",
        ),
        (redis.ReadOnlyError("You can't write against a read only replica."), "REDIS_READ_ONLY"),
        (
            redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
            "REDIS_OUT_OF_MEMORY",
        ),
        (redis.ResponseError("OOM command not allowed"), "REDIS_OUT_OF_MEMORY"),
        (
            redis.ResponseError("MISCONF Errors writing to the AOF file: No space"),
            "REDIS_WRITE_FAILS",
        ),
        (
            redis.exceptions.NoPermissionError("this user has no permissions to run the 'set'"),
            "REDIS_COMMAND_FORBIDDEN",
        ),
        (redis.ResponseError("NOPERM No permissions to access a key"), "REDIS_COMMAND_FORBIDDEN"),
        (redis.ConnectionError("max number of clients reached"), "REDIS_CLIENTS_EXHAUSTED"),
        (
            redis.ResponseError("NOREPLICAS Not enough good replicas to write."),
            "REDIS_REPLICAS_WANTED",
        ),
        (redis.BusyLoadingError("Redis is loading the dataset in memory"), "REDIS_LOADING"),
        (redis.ConnectionError("Error 111 connecting. Connection refused."), "PORT_CLOSED"),
        (redis.ConnectionError("Connection closed by server."), "CONNECTION_CUT"),
        (redis.TimeoutError("Timeout reading from socket"), "PORT_SILENT"),
    ],
)
def test_redis_is_understood(error: redis.RedisError, cause: str) -> None:
    shown = of_error(error)

    assert shown is not None
    assert shown.cause == cause


def test_what_led_to_an_error_is_read_as_well() -> None:
    error = ProbeError("Redis did not answer")
    error.__cause__ = redis.ConnectionError("Connection refused")

    shown = of_error(error)

    assert shown is not None
    assert shown.cause == "PORT_CLOSED"


def test_api_that_is_away_is_not_novas_fault() -> None:
    away = ProbeError("nothing could be asked")
    away.__cause__ = ApiUnreachableError("GET /api", "https://api", OSError("refused"))

    shown = of_error(away)

    assert shown is not None
    assert shown.cause == "API_UNREACHABLE"


def test_api_that_refuses_is_told_from_one_that_finds_nothing() -> None:
    forbidden = of_error(ApiError("GET /api", 403, b'{"reason": "Forbidden", "message": "no"}'))

    assert forbidden is not None
    assert forbidden.cause == "API_REFUSED"
    assert of_error(ApiError("GET /api", 404, b'{"reason": "NotFound", "message": "no"}')) is None


def test_error_that_says_nothing_names_nothing() -> None:
    assert of_error(ValueError("1")) is None
    assert of_error(psycopg.errors.SyntaxError("syntax error")) is None
    assert of_error(redis.ResponseError("ERR unknown command")) is None
    assert of_refusal("something else") is None
    assert of_words("something else") is None


def test_claim_that_is_broken_speaks_for_itself() -> None:
    shown = of_error(FindingError(Finding("REDIS_DATA_LOST", NOWHERE, Phrase("gone"))))

    assert shown is not None
    assert (shown.cause, shown.summary) == ("REDIS_DATA_LOST", "gone")


def test_every_cause_that_is_named_exists() -> None:
    named = {
        cause
        for table in (postgres_answers._BY_WORDS, connections._WORDS, redis_answers._REDIS)
        for cause, _ in table
    } | set(postgres_answers._BY_STATE.values())

    assert named <= set(causes())


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("[Errno -3] Temporary failure in name resolution", "NAME_UNRESOLVED"),  # glibc
        ("[Errno -2] Name or service not known", "NAME_UNRESOLVED"),
        ("Try again: could not translate host name", "NAME_UNRESOLVED"),  # musl, libpq
        ("[Errno 8] nodename nor servname provided, or not known", "NAME_UNRESOLVED"),  # macOS
        ("[Errno 11001] getaddrinfo failed", "NAME_UNRESOLVED"),  # Windows
        (
            "dial tcp: lookup redis on 10.96.0.10:53: read udp 10.0.0.5:3->10.96.0.10:53: i/o "
            "timeout",
            "NAME_UNRESOLVED",
        ),  # Go
        (
            "dial tcp: lookup redis on 10.96.0.10:53: read: connection refused",
            "NAME_UNRESOLVED",
        ),
        ("dial tcp: lookup redis: no such host", "NAME_UNRESOLVED"),
        ("dial tcp: lookup redis on 10.96.0.10:53: server misbehaving", "NAME_UNRESOLVED"),
        ("dial tcp 10.96.0.7:6379: i/o timeout", "PORT_SILENT"),
        ("dial tcp 10.96.0.7:6379: connect: connection refused", "PORT_CLOSED"),
    ],
)
def test_lookup_that_failed_is_no_word_of_a_port(said: str, cause: str) -> None:
    assert of_words(said) == cause


def test_headline_quotes_whole_sentences_of_what_goes_on_and_on() -> None:
    first = "DENIED Redis is running in protected mode. No password is set for the default user."
    error = ConnectionError(f"{first} In this mode connections are only {'accepted ' * 20}.")

    assert connections.line(error) == first
    assert connections.line(ConnectionError("short. And whole")) == "short. And whole"
    assert connections.line(ConnectionError("long " * 40)).endswith("…")
