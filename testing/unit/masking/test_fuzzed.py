"""Secrets of many shapes, put through real parsers, which quote what they do not understand."""

from __future__ import annotations

import base64
import json
import re
import shlex
import traceback
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import psycopg.conninfo
import redis
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from nova_acceptance.components.kubernetes.addresses import addresses_in
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.findings import Ref
from nova_acceptance.masking import SHORTEST, Masker, is_ordinary
from nova_acceptance.secrecy import is_trivial, secrets_of

FUZZED: Final = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,  # the same today and tomorrow
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
RESERVED: Final = "/#?@:&=;,%+ '\"\\[]{}$!*()<>|`~^"
HARMLESS: Final = (
    "user app_user cannot reach database nova_auth on host"
    " postgres-primary.nova-database.svc.cluster.local port 5432: connection refused"
)
HOST: Final = "postgres-primary.nova-database.svc.cluster.local"

pieces = st.one_of(
    st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=1, max_size=14),
    st.sampled_from(
        ["Sommer2024", "hunter2", "correct-horse", "Tr0ub4dor", "ümläut", "密碼", "日本x9"]
    ),
    st.from_regex(r"\A[A-Za-z0-9_-]{16,40}\Z"),
)
reserved = st.text(RESERVED, min_size=1, max_size=2)


@st.composite
def passwords(draw: st.DrawFn) -> str:
    """Return pieces with reserved characters between them, as people choose and machines make."""
    parts = [draw(pieces)]
    for _ in range(draw(st.integers(0, 3))):
        parts += [draw(reserved), draw(pieces)]
    password = "".join(parts)
    assume(password == password.strip() and "://" not in password)
    assume(not is_trivial(password))
    return password


def leaked(password: str, text: str) -> list[str]:
    """Return what a text shows of a password: stretches that are no words or numbers."""
    stretches = {password[at : at + SHORTEST] for at in range(len(password) - SHORTEST + 1)}
    shown = (each for each in stretches if each in text and each not in HARMLESS)
    return sorted(it for it in shown if not (is_trivial(it) or re.fullmatch(r"[\d.,:_-]+", it)))


def told_by(action: Callable[[], object]) -> Iterator[str]:
    """Yield all that may be written of what an action returns, or of how it failed."""
    try:
        found = action()
    except Exception as error:  # noqa: BLE001 - whatever a library raises
        yield from (str(error), repr(error), "".join(traceback.format_exception(error)))
        yield from (repr(getattr(error, name, "")) for name in ("doc", "args", "object"))
    else:
        yield from (str(found), repr(found))


def masked_by(key: str, value: str) -> Masker:
    masker = Masker()
    masker.register(secrets_of(key, value))
    return masker


def parsed(text: str) -> Iterator[str]:
    """Yield what real parsers say of a value."""
    where = Ref("Secret", "nova-services", "auth-service-secrets")
    split = urlsplit
    actions: list[Callable[[], object]] = [
        lambda: int(text),
        lambda: split(text),
        lambda: split(text).port,
        lambda: (split(text).username, split(text).password, split(text).hostname),
        lambda: parse_qs(split(text).query, strict_parsing=True),
        lambda: redis.from_url(text).get_connection_kwargs(),
        lambda: psycopg.conninfo.conninfo_to_dict(text),
        lambda: psycopg.conninfo.make_conninfo(text, connect_timeout=1),
        lambda: yaml.safe_load(text),
        lambda: yaml.safe_load(f"a: {text}\nb: [{text}"),
        lambda: yaml.safe_dump({"a": text}, width=40),
        lambda: json.loads(text),
        lambda: json.loads(f'{{"a": {text}}}'),
        lambda: shlex.split(text),
        lambda: list(addresses_in(text, where, "URL")),
        lambda: shape(text.encode()),
        lambda: text.encode("ascii"),
        text.encode,
        lambda: {text: [text]}[f"{text}!"],
    ]
    for action in actions:
        yield from told_by(action)


URLS: Final = (
    "redis://:{}@" + HOST + ":5432/0",
    "postgresql://app_user:{}@" + HOST + ":5432/nova_auth",
    "postgresql://app_user:{}@" + HOST + ":5432/nova_auth?sslmode=require",
    "http://app_user:{}@" + HOST + ":5432/",
    "redis://:{}",
)


@FUZZED
@given(password=passwords(), url=st.sampled_from(URLS))
def test_no_parser_shows_a_part_of_a_password_in_a_url(password: str, url: str) -> None:
    # what has no host after it, and begins as a port does, is a port
    assume("@" in url or "@" not in password)
    assume("@" in url or not re.match(r"\d{0,5}($|[/?#,;\s])", password))
    value = url.format(password)
    masker = masked_by("DATABASE_URL", value)

    for said in parsed(value):
        assert leaked(password, masker.mask(said)) == []
    assert masker.mask(HARMLESS) == HARMLESS


@FUZZED
@given(password=passwords(), quoted=st.booleans())
def test_no_parser_shows_a_part_of_a_password_in_a_connection_string(
    password: str, quoted: bool
) -> None:
    spelled = password.replace("\\", "\\\\").replace("'", "\\'")
    # without quotes it ends where another word is assigned
    assume(quoted or not re.search(r"\s+[\w.-]+\s*=|;|^['\"]", password))
    value = f"host={HOST} port=5432 user=app_user password=" + (
        f"'{spelled}'" if quoted else password
    )
    masker = masked_by("DSN", value)

    for said in parsed(value):
        assert leaked(password, masker.mask(said)) == []
    assert masker.mask(HARMLESS) == HARMLESS


@FUZZED
@given(password=passwords())
def test_password_is_masked_in_every_form_and_wherever_it_is_cut(password: str) -> None:
    masker = masked_by("PASSWORD", password)
    octets = password.encode()
    texts = [
        *parsed(password),
        quote(password),
        quote(password, safe=""),
        quote_plus(password),
        json.dumps({"a": password}),
        json.dumps(json.dumps(password)),
        repr({"a": [password]}),
        repr(octets),
        ascii(password),
        octets.hex(),
        base64.b64encode(octets).decode(),
        base64.b64encode(b"user:" + octets + b"!").decode(),
        f"Authorization: Basic {base64.b64encode(b'app:' + octets).decode()}",
        HARMLESS + password + HARMLESS,
    ]
    encoded = [core for text in texts[-5:-1] if len(core := text[8:-8]) >= SHORTEST]

    for text in texts:
        assert leaked(password, masker.mask(text)) == []
    for core in encoded:
        assert all(core not in masker.mask(text) for text in texts)
    assert masker.mask(HARMLESS) == HARMLESS


@FUZZED
@given(
    password=passwords(),
    write=st.sampled_from(
        [
            lambda it: json.dumps({"db": {"user": "app_user", "password": it}}),
            lambda it: json.dumps({"db": {"user": "app_user", "password": it}}, indent=1),
            lambda it: yaml.safe_dump({"db": {"user": "app_user", "password": it}}, width=1000),
            lambda it: base64.b64encode(json.dumps({"password": it}).encode()).decode(),
            lambda it: json.dumps({"auths": {HOST: {"auth": _basic(it)}}}),
        ]
    ),
)
def test_password_inside_a_document_is_masked(password: str, write: Callable[[str], str]) -> None:
    masker = masked_by("config", write(password))

    assert leaked(password, masker.mask(f"cannot log in with {password}")) == []
    assert masker.mask(HARMLESS) == HARMLESS


@FUZZED
@given(password=passwords(), start=st.integers(0, 8), length=st.integers(SHORTEST, 40))
def test_part_of_a_password_is_masked_unless_it_is_a_word(
    password: str, start: int, length: int
) -> None:
    part = password[start : start + length]
    assume(len(part) >= SHORTEST and not is_ordinary(part))
    masker = masked_by("PASSWORD", password)

    assert part not in masker.mask(f"no: {part}")
    assert part not in masker.mask(f"{HARMLESS}{part}{HARMLESS}")


def test_parsers_of_these_tests_quote_passwords() -> None:
    password = "Sommer2024/x"
    dsn = f"host={HOST} password={password} x"

    for value in (URLS[0].format(password), URLS[1].format(password), dsn, password):
        assert sum(bool(leaked(password, said)) for said in parsed(value)) > 5


def _basic(password: str) -> str:
    return base64.b64encode(f"app_user:{password}".encode()).decode()
