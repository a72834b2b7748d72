"""The URLs of a system, tried together by real clients, and read one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Url, parts
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.url_trials import TriedUrls
from testing.unit.probes.a_nova import nova
from testing.unit.probes.serving import serving
from testing.unit.probes.test_url_trials import a_redis
from testing.unit.waiting import SOON

NOVA = nova()
URLS = [it for it in parts.urls(NOVA, inside=True) if it.target == "redis"]
USER, AUTH, *_ = URLS
HELD = "redis://:right@redis-service.nova-redis.svc.cluster.local:6379/0"


class Secrets:
    """Every key holds the same URL, but for those that a test changes."""

    def __init__(self) -> None:
        self.changed: dict[str, str] = {}

    def text(self, _kind: str, _namespace: str, name: str, _key: str) -> str:
        return self.changed.get(name, HELD)


class Ways:
    """Ways from pods to where their URLs point."""

    def __init__(self, transcript: Transcript, port: int) -> None:
        self.system = NOVA
        self.pods = {each.name: each.name for each in NOVA.components}
        self.opened: list[str] = []
        self.before: Callable[[], object] = lambda: None
        self.closed = ""
        self._transcript = transcript
        self._port = port

    def to_host(self, pod: str, host: str, port: int) -> Route:
        self.before()
        self.opened.append(pod)
        with self._transcript.asking("dial", source=pod, target=host) as asking:
            asking.answered("refused" if pod == self.closed else "open")
        if pod == self.closed:
            raise FindingError(Finding.here("PORT_CLOSED", Phrase("nobody listens there")))
        return Route(self._port, pod, f"{host}:{port}")


@pytest.fixture
def port() -> Iterator[int]:
    with serving(a_redis({"default": "right"})) as listening:
        yield listening


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


@pytest.fixture
def ways(transcript: Transcript, port: int) -> Ways:
    return Ways(transcript, port)


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def urls(ways: Ways, transcript: Transcript, secrets: Secrets) -> TriedUrls:
    return TriedUrls(cast(Any, ways), transcript, cast(Any, None), cast(Any, secrets))


@pytest.fixture
def background() -> Iterator[Background]:
    with Background() as opened:
        yield opened


def shown(urls: TriedUrls, transcript: Transcript, url: Url) -> list[list[str]]:
    """Return what the set-up of a test of a URL shows, and each of its tests."""
    found: list[list[str]] = []
    for each in (urls.trial, urls.locked_out, urls.accepted_wrong_password):
        heard: list[Evidence] = []
        with transcript.listening(heard.append):
            each(url)
        found.append([f"{it.asked} of {it.source}: {it.answer}" for it in heard])
    return found


def test_urls_are_tried_ahead_and_show_what_they_would_have_shown(
    urls: TriedUrls, ways: Ways, transcript: Transcript, background: Background
) -> None:
    another: list[Evidence] = []
    with transcript.listening(another.append):
        urls.foresee(background, URLS)
        background.settle()
    assert another == []
    opened = sorted(ways.opened)

    assert shown(urls, transcript, AUTH) == [
        ["dial of auth-service: open"],
        ["PING of auth-service: True"],
        [
            "PING of auth-service: True",
            "PING of auth-service: AuthenticationError: invalid username-password pair or user is"
            " disabled.",
        ],
    ]
    assert sorted(ways.opened) == opened == sorted(it.source.name for it in URLS if it.source)


def test_url_that_nobody_has_foreseen_shows_the_same(
    urls: TriedUrls, ways: Ways, transcript: Transcript
) -> None:
    assert [len(each) for each in shown(urls, transcript, AUTH)] == [1, 1, 2]
    assert ways.opened == ["auth-service"]


def test_ways_of_several_pods_are_opened_side_by_side(
    urls: TriedUrls, ways: Ways, background: Background
) -> None:
    together = threading.Barrier(len(URLS))
    ways.before = lambda: together.wait(SOON)

    urls.foresee(background, URLS)

    assert [urls.locked_out(each) for each in URLS] == [[]] * len(URLS)


def test_failure_belongs_to_the_url_that_has_it(
    urls: TriedUrls, secrets: Secrets, ways: Ways, background: Background
) -> None:
    secrets.changed[USER.holder.name] = HELD.replace("/0", "/99")
    ways.closed = "auth-service"

    urls.foresee(background, URLS)

    assert [it.cause for it in urls.locked_out(USER)] == ["URL_DATABASE_WRONG"]
    with pytest.raises(FindingError, match="nobody listens"):
        urls.trial(AUTH)
    for url in URLS[2:]:
        assert urls.locked_out(url) == urls.accepted_wrong_password(url) == []


def test_url_is_read_without_its_password(urls: TriedUrls, transcript: Transcript) -> None:
    heard: list[Evidence] = []

    with transcript.listening(heard.append):
        found = urls.held(AUTH)

    (evidence,) = heard
    assert evidence.asked == "read REDIS_URL"
    assert evidence.answer == f"redis, {found.address}, /0"
    assert "right" not in f"{found}{evidence}"
