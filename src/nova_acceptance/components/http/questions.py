"""What a service is asked, put to its Service."""

from __future__ import annotations

from nova_acceptance.components.http.spec import Http
from nova_acceptance.system import Front, System, parts
from nova_acceptance.system.parts import Door
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


def every_question(service: Http, system: System) -> list[Question[Answer]]:
    """Return what a service is asked by its own protocol."""
    asked: list[Question[Answer]] = []
    if service.is_asked:
        asked.append(health(service, system))
    if service.protocol == "grpc":
        asked.append(first_words(service, system))
    return asked


def unvisited(system: System) -> list[Door]:
    """Return the ports of services that nobody is to reach; they are asked by whoever does."""
    visited = {(it.door.front.ref, it.door.port) for it in parts.passages(system)}
    asked = {
        (front_of(each).ref, each.port) for each in system.of(Http) if every_question(each, system)
    }
    return [it for it in parts.doors(system) if (it.front.ref, it.port) in asked - visited]
