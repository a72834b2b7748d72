"""The URLs in the components' Secrets, tried from inside the component's own pod."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

import pytest

from nova_acceptance.claims import BrokenClaimError, broken, equal, holds
from nova_acceptance.components.kind import Urls, UrlTrial
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.registry import kind_of
from nova_acceptance.findings import Ref
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Component, System, Url
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.access import Clients
from nova_acceptance.verification.secret_values import SecretValues
from nova_acceptance.verification.vantage_points import VantagePoints

pytestmark = pytest.mark.configuration


@pytest.fixture
def owner(url: Url, system: System) -> Component:
    """The component that the URL leads to."""
    found = system.owner_of(url.target)
    assert found is not None
    return found


@pytest.fixture
def written(secret_values: SecretValues, url: Url, witness: Witness) -> SplitResult:
    """The URL as it is held; its password is never shown."""
    target = str(Ref(*url.holder))
    with witness.asking(f"read {url.key}", source="runner", target=target) as asking:
        found = urlsplit(secret_values.text(*url.holder, url.key))
        asking.answered(f"{found.scheme}, {found.hostname}, {found.port}, {found.path}")
    return found


@pytest.fixture
def kind(owner: Component) -> Urls:
    """How URLs of the kind that it leads to are tried."""
    found = kind_of(owner).urls
    assert found is not None
    return found


@pytest.fixture
def trial(
    *,
    written: SplitResult,
    url: Url,
    owner: Component,
    ways: Ways,
    component_pods: VantagePoints,
    system: System,
    witness: Witness,
) -> UrlTrial:
    """The URL, ready to be tried from the component's own pod."""
    if not (written.hostname and written.port):
        said = Phrase("{key} of {url} has no host and port", key=url.key, url=url.name)
        raise broken("URL_MALFORMED", said)
    source = url.source or next(
        each for each in system.components if each.namespace == url.holder[1]
    )
    return UrlTrial(
        url=url,
        owner=owner,
        user=unquote(written.username or ""),
        password=unquote(written.password or ""),
        path=written.path.lstrip("/"),
        route=ways.to_host(component_pods[source.name], written.hostname, written.port),
        witness=witness,
    )


@pytest.mark.means("URL_TARGET_WRONG", "URL_SCHEME_WRONG", "URL_PORT_WRONG", "URL_DATABASE_WRONG")
def test_url_leads_to_what_the_service_uses(
    written: SplitResult, url: Url, owner: Component, system: System
) -> None:
    """The URL names the Service, the port and the database that nova.yaml says."""
    wanted = owner.url(url.target)
    assert wanted is not None

    what = Phrase("{key} of {url}", key=url.key, url=url.name)
    equal(
        written.scheme, wanted.scheme, "URL_SCHEME_WRONG", Phrase("{what}: the scheme", what=what)
    )
    host = f"{wanted.service.name}.{wanted.namespace}.svc.{system.zone}"
    equal(written.hostname, host, "URL_TARGET_WRONG", Phrase("{what}: the host", what=what))
    equal(written.port, wanted.port, "URL_PORT_WRONG", Phrase("{what}: the port", what=what))
    is_right = wanted.path is None or written.path == f"/{wanted.path}"
    # not which one it names: the path of a URL that is wrong may hold anything
    otherwise = Phrase("{what} names another database than {wanted}", what=what, wanted=url.target)
    holds(is_right, "URL_DATABASE_WRONG", otherwise)


@pytest.mark.means(
    "URL_DATABASE_WRONG", "PASSWORD_REFUSED", "REDIS_WRONG_PASSWORD", "PRIMARY_READ_ONLY"
)
def test_url_connects_and_authenticates(trial: UrlTrial, kind: Urls, clients: Clients) -> None:
    """With the credentials in its URL the component is let in, to what it uses."""
    for found in kind.lets_in(trial, lambda: clients.of(trial.owner)):
        raise BrokenClaimError(found)


@pytest.mark.means("TRUST_AUTHENTICATION", "REDIS_WITHOUT_PASSWORD")
def test_url_with_another_password_is_refused(
    trial: UrlTrial, kind: Urls, clients: Clients
) -> None:
    """It is the password in the URL that lets the component in."""
    for found in kind.demands_password(trial, lambda: clients.of(trial.owner)):
        raise BrokenClaimError(found)


@pytest.mark.external
@pytest.mark.means("CONFIGURATION_KEY_MISSING", "CONFIGURATION_MISSING")
def test_external_system_is_declared(objects: Objects, external_url: Url) -> None:
    """The component's Secret says where the external system is."""
    kind, namespace, name = external_url.holder
    found = objects.find(kind, name, namespace)

    if found is None:
        said = Phrase("there is no {where}", where=Ref(*external_url.holder))
        raise broken("CONFIGURATION_MISSING", said)
    assert (found.get("data") or {}).get(external_url.key)
