"""What a service is asked, put to its Service."""

from __future__ import annotations

from nova_acceptance.components.http.spec import Http
from nova_acceptance.system import Front, System, parts
from nova_acceptance.vantage.questions import Answer, Get, Http2, Question


def front_of(service: Http) -> Front:
    """Return the Kubernetes Service of a service; every one has its own."""
    found = parts.front_of(service)
    assert found is not None
    return found


def health(service: Http, system: System) -> Get:
    """Return the question how a service is.

    Raises:
        ValueError: nova.yaml does not say how it tells.
    """
    if service.health is None:
        raise ValueError(f"{service.name} is asked for no page")
    host = front_of(service).full_name(system.zone)
    return Get(host, service.port, service.health.path, service.scheme)


def first_words(service: Http, system: System) -> Http2:
    """Return the question whether a service speaks HTTP/2, as gRPC needs it."""
    return Http2(front_of(service).full_name(system.zone), service.port)


def every_question(system: System) -> list[Question[Answer]]:
    """Return what every service is asked by its own protocol."""
    services = system.of(Http)
    return [
        *(health(each, system) for each in services if each.is_asked),
        *(first_words(each, system) for each in services if each.protocol == "grpc"),
    ]
