"""Each service answers as one that is well, by its own name, through its Service."""

from __future__ import annotations

from nova_acceptance.components.http import checks
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.network.connections import Connections


def test_service_answers_health(connections: Connections, service: Http) -> None:
    """Whoever uses the service is answered with the status of nova.yaml."""
    assert checks.wrong_status(connections, service) == []


def test_service_names_itself(connections: Connections, named_service: Http) -> None:
    """The answer is the service's own, not that of whatever else listens there."""
    assert checks.wrong_name(connections, named_service) == []


def test_service_shows_its_certificate(connections: Connections, tls_service: Http) -> None:
    """Over TLS the service shows a certificate of now, for its name, as its Secret holds it."""
    assert checks.wrong_certificate(connections, tls_service) == []


def test_service_speaks_http2(connections: Connections, grpc_service: Http) -> None:
    """Whoever uses the gRPC service is met by a server of HTTP/2."""
    assert checks.missing_http2(connections, grpc_service) == []
