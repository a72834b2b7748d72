"""The URLs in the components' Secrets, tried from inside the component's own pod."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kind import Urls, UrlTrial
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.traits import traits_of
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import kind_of
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.system import System, Url
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients
from nova_acceptance.verification.secret_values import SecretValues
from nova_acceptance.verification.url_trials import trial_of

pytestmark = pytest.mark.configuration


@pytest.fixture
def text(secret_values: SecretValues, url: Url) -> str:
    """The URL as it is held; it is never shown."""
    return secret_values.text(*url.holder, url.key)


@pytest.fixture
def held(text: str, url: Url, system: System, transcript: Transcript) -> HeldUrl:
    """What may be looked at of the URL."""
    written = text.encode()
    found = HeldUrl.of(url, system, shape(written), traits_of(written))
    assert found is not None
    with transcript.asking(f"read {url.key}", source="runner", target=str(found.holder)) as asking:
        at = found.address
        asking.answered(f"{at.scheme}, {at}, {at.path or 'no path'}" if at else "no URL")
    return found


@pytest.fixture
def urls(held: HeldUrl) -> Urls:
    """The checks of a URL of the kind that it leads to."""
    found = kind_of(held.owner).urls
    assert found is not None
    return found


@pytest.fixture
def trial(
    text: str, held: HeldUrl, connections: Connections, transcript: Transcript, clients: Clients
) -> UrlTrial:
    """The URL, ready to be tried from the component's own pod: the host that its program takes."""
    return trial_of(text, held, connections=connections, transcript=transcript, clients=clients)


def test_url_leads_to_what_the_service_uses(held: HeldUrl) -> None:
    """The URL names the Service, the port and the database that nova.yaml says."""
    assert checks.differing_url(held) == []


def test_url_connects_and_authenticates(trial: UrlTrial, urls: Urls) -> None:
    """With the credentials in its URL the component is let in, to what it uses."""
    assert urls.locked_out(trial) == []


def test_url_with_another_password_is_refused(trial: UrlTrial, urls: Urls) -> None:
    """It is the password in the URL that lets the component in."""
    assert urls.accepted_wrong_password(trial) == []


@pytest.mark.external
def test_external_system_is_declared(objects: Seen, external_url: Url) -> None:
    """The component's Secret says where the external system is."""
    kind, namespace, name = external_url.holder
    assert checks.missing_address(objects.get(kind, namespace, name), external_url) == []
