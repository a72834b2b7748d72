"""The URLs in the components' Secrets, tried from inside the component's own pod."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.system import Url
from nova_acceptance.verification.url_trials import TriedUrls

pytestmark = pytest.mark.configuration


@pytest.fixture
def held(urls: TriedUrls, url: Url) -> HeldUrl:
    """What may be looked at of the URL; the rest is never shown."""
    return urls.held(url)


@pytest.fixture
def way(urls: TriedUrls, held: HeldUrl) -> None:
    """A way from the component's own pod to where the URL points: the host its program takes."""
    urls.trial(held.url)


def test_url_leads_to_what_the_service_uses(held: HeldUrl) -> None:
    """The URL names the Service, the port and the database that nova.yaml says."""
    assert checks.differing_url(held) == []


@pytest.mark.usefixtures("way")
def test_url_connects_and_authenticates(urls: TriedUrls, url: Url) -> None:
    """With the credentials in its URL the component is let in, to what it uses."""
    assert urls.locked_out(url) == []


@pytest.mark.usefixtures("way")
def test_url_with_another_password_is_refused(urls: TriedUrls, url: Url) -> None:
    """It is the password in the URL that lets the component in."""
    assert urls.accepted_wrong_password(url) == []


@pytest.mark.external
def test_external_system_is_declared(objects: Seen, external_url: Url) -> None:
    """The component's Secret says where the external system is."""
    kind, namespace, name = external_url.holder
    assert checks.missing_address(objects.get(kind, namespace, name), external_url) == []
