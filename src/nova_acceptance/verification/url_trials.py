"""URLs of the system, ready to be tried from the pods that are configured with them."""

from __future__ import annotations

from nova_acceptance.components.kind import Clients, UrlTrial
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import kind_of
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.components.urls.parsed import ParsedUrl
from nova_acceptance.components.urls.trying import first_that_lets_in
from nova_acceptance.findings import FindingError
from nova_acceptance.vantage.transcript import Transcript


def trial_of(
    text: str,
    held: HeldUrl,
    *,
    connections: Connections,
    transcript: Transcript,
    clients: Clients,
) -> UrlTrial:
    """Return a URL's trial from its component's own pod, at the host that its program takes.

    Args:
        text: the URL as it is held; it is never shown.
        held: what may be looked at of it.
        connections: from the pods to Services.
        transcript: takes down what is asked.
        clients: to ask the owner what the URL's login may not.

    Raises:
        FindingError: it is no URL, or its port is closed to the pod.
        UnaskedError: the pod cannot be asked from.
        ProbeError: it could not be asked.
    """
    for found in checks.malformed_url(held):
        raise FindingError(found)
    parsed, url = ParsedUrl.of(text, held.wanted.usual_port), held.url
    source = url.source or next(
        it for it in connections.system.components if it.namespace == held.holder.namespace
    )

    def at(host: str, port: int) -> UrlTrial:
        return UrlTrial(
            url=url,
            owner=held.owner,
            user=parsed.user,
            password=parsed.password,
            path=parsed.path,
            route=connections.to_host(connections.pods[source.name], host, port),
            transcript=transcript,
            client=lambda: clients.of(held.owner),
            scheme=parsed.scheme,
            options=parsed.options,
        )

    return first_that_lets_in(parsed.hosts, at, kind_of(held.owner).urls)
