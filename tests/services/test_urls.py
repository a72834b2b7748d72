"""The URLs in the services' Secrets, tried from inside the service's own pod."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import SplitResult, unquote, urlsplit

import pytest

from nova_acceptance.claims import broken, equal, holds
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.postgres.admission import WRONG, let_in, turned_away
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.sql import Login, connect
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import System, Use, parts
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.secret_values import SecretValues

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
def way(url: SplitResult, use: Use, ways: Ways, service_pods: dict[str, PodRef]) -> Route:
    """From the service's pod to where its URL points."""
    if not (url.hostname and url.port):
        said = Phrase(
            "{key} of {service} has no host and port", key=use.url_key, service=use.service.name
        )
        raise broken("URL_MALFORMED", said)
    return ways.to_host(service_pods[use.service.name], url.hostname, url.port)


def login_of(url: SplitResult, postgres: Postgres) -> Login:
    """Return who a PostgreSQL URL connects as, and to what; that the role exists is claimed."""
    if not postgres.has_role(url.username or ""):
        raise broken("ROLE_MISSING", Phrase("there is no role {role}", role=url.username))
    return Login(url.username or "", url.path.lstrip("/"), unquote(url.password or ""))


@pytest.mark.means("URL_TARGET_WRONG", "URL_SCHEME_WRONG", "URL_PORT_WRONG", "URL_DATABASE_WRONG")
def test_url_leads_to_what_the_service_uses(url: SplitResult, use: Use, system: System) -> None:
    """The URL names the Service, the port and the database that nova.yaml says."""
    by_name = {front.name: front for front in parts.fronts(system)}
    redis = use.target == "redis"
    front = by_name[system.redis.service if redis else system.postgres.primary]
    (port,) = front.service.ports.values()

    what = Phrase("{key} of {service}", key=use.url_key, service=use.service.name)
    scheme = "redis" if redis else "postgresql"
    equal(url.scheme, scheme, "URL_SCHEME_WRONG", Phrase("{what}: the scheme", what=what))
    host = front.full_name(system.zone)
    equal(url.hostname, host, "URL_TARGET_WRONG", Phrase("{what}: the host", what=what))
    equal(url.port, port, "URL_PORT_WRONG", Phrase("{what}: the port", what=what))
    is_right = redis or url.path == f"/{use.target}"
    # not which one it names: the path of a URL that is wrong may hold anything
    otherwise = Phrase("{what} names another database than {wanted}", what=what, wanted=use.target)
    holds(is_right, "URL_DATABASE_WRONG", otherwise)


@pytest.mark.means(
    "URL_DATABASE_WRONG", "PASSWORD_REFUSED", "REDIS_WRONG_PASSWORD", "PRIMARY_READ_ONLY"
)
def test_url_connects_and_authenticates(
    url: SplitResult,
    way: Route,
    use: Use,
    witness: Witness,
    request: pytest.FixtureRequest,
) -> None:
    """With the credentials in its URL the service is let in, to what it uses."""
    if use.target == "redis":
        assert Redis(way, unquote(url.password or ""), witness).answers_ping
        return
    postgres = request.getfixturevalue("postgres")  # Redis's URLs do without it
    with connect(way, login_of(url, postgres), witness) as session:
        database = session.value("SELECT current_database()")
        what = Phrase("the database of {service}", service=use.service.name)
        equal(database, use.target, "URL_DATABASE_WRONG", what)
        follows = session.value("SELECT pg_is_in_recovery()")
        otherwise = Phrase("the primary follows another member, and takes no writes")
        holds(not follows, "PRIMARY_READ_ONLY", otherwise)


@pytest.mark.means("TRUST_AUTHENTICATION", "REDIS_WITHOUT_PASSWORD")
def test_url_with_another_password_is_refused(
    url: SplitResult,
    way: Route,
    use: Use,
    witness: Witness,
    request: pytest.FixtureRequest,
) -> None:
    """It is the password in the URL that lets the service in."""
    if use.target == "redis":
        redis = Redis(way, unquote(url.password or ""), witness)
        assert redis.answers_ping
        said = redis.refusal(WRONG)
        if "invalid username-password pair" not in said:
            sentence = Phrase("to a wrong password Redis says {said}", said=repr(said))
            raise broken("REDIS_WITHOUT_PASSWORD", sentence)
        return
    right = login_of(url, request.getfixturevalue("postgres"))
    let_in(way, right, witness)
    because = f'^password authentication failed for user "{right.user}"$'
    turned_away(way, replace(right, password=WRONG), witness, because=because)


@pytest.mark.external
@pytest.mark.means("CONFIGURATION_KEY_MISSING", "CONFIGURATION_MISSING")
def test_external_system_is_declared(objects: Objects, external_use: Use) -> None:
    """The service's Secret says where the external system is; whether it answers is not asked."""
    service = external_use.service
    found = objects.find("Secret", service.secret, service.namespace)

    if found is None:
        said = Phrase("there is no Secret {secret}", secret=service.secret)
        raise broken("CONFIGURATION_MISSING", said)
    assert (found.get("data") or {}).get(external_use.url_key)
