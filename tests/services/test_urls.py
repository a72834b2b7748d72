"""The URLs in the services' Secrets, tried from inside the service's own pod."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import SplitResult, unquote, urlsplit

import pytest

from nova_acceptance.kube import PodRef
from nova_acceptance.probes.objects import Objects
from nova_acceptance.probes.redis import Redis
from nova_acceptance.probes.routes import Route, Routes
from nova_acceptance.probes.secret_values import SecretValues
from nova_acceptance.probes.sql import Login, connect, refusal
from nova_acceptance.probes.witness import Witness
from nova_acceptance.system import System, Use, parts

pytestmark = pytest.mark.configuration


@pytest.fixture
def url(secret_values: SecretValues, use: Use, witness: Witness) -> SplitResult:
    """The URL that the service's Secret holds; its password is never shown."""
    service = use.service
    secret = f"Secret {service.namespace}/{service.secret}"
    with witness.asking(f"read {use.url_key}", source="runner", target=secret) as asking:
        found = urlsplit(secret_values.text(service.namespace, service.secret, use.url_key))
        asking.answered(f"{found.scheme}, {found.hostname}, {found.port}, {found.path}")
    return found


@pytest.fixture
def way(url: SplitResult, use: Use, routes: Routes, service_pods: dict[str, PodRef]) -> Route:
    """From the service's pod to where its URL points."""
    assert url.hostname
    assert url.port
    return routes.through(service_pods[use.service.name], url.hostname, url.port)


def login_of(url: SplitResult) -> Login:
    """Return who a PostgreSQL URL connects as, and to what."""
    return Login(url.username or "", url.path.lstrip("/"), unquote(url.password or ""))


def test_url_leads_to_what_the_service_uses(url: SplitResult, use: Use, system: System) -> None:
    """The URL names the Service, the port and the database that nova.yaml says."""
    by_name = {front.name: front for front in parts.fronts(system)}
    redis = use.target == "redis"
    front = by_name[system.redis.service if redis else system.postgres.primary]
    (port,) = front.service.ports.values()

    assert url.scheme == ("redis" if redis else "postgresql")
    assert (url.hostname, url.port) == (front.full_name(system.zone), port)
    assert redis or url.path == f"/{use.target}"


def test_url_connects_and_authenticates(
    url: SplitResult, way: Route, use: Use, witness: Witness
) -> None:
    """With the credentials in its URL the service is let in, to what it uses."""
    if use.target == "redis":
        assert Redis(way, unquote(url.password or ""), witness).answers_ping
        return
    with connect(way, login_of(url), witness) as session:
        assert session.value("SELECT current_database()") == use.target
        assert session.value("SELECT NOT pg_is_in_recovery()")


def test_url_with_another_password_is_refused(
    url: SplitResult, way: Route, use: Use, witness: Witness
) -> None:
    """It is the password in the URL that lets the service in."""
    if use.target == "redis":
        redis = Redis(way, unquote(url.password or ""), witness)
        assert redis.answers_ping
        assert "invalid username-password pair" in redis.refusal("not-the-password")
        return
    right = login_of(url)
    assert refusal(way, right, witness) == ""
    said = refusal(way, replace(right, password="not-the-password"), witness)  # noqa: S106
    assert said == f'password authentication failed for user "{right.user}"'


@pytest.mark.external
def test_external_system_is_declared(objects: Objects, external_use: Use) -> None:
    """The service's Secret says where the external system is; whether it answers is not asked."""
    service = external_use.service
    found = objects.find("Secret", service.secret, service.namespace)

    assert found is not None
    assert found["data"].get(external_use.url_key)
