"""RabbitMQ as a kind of component: its part of nova.yaml, its client, its checks and causes."""

from __future__ import annotations

from nova_acceptance.components.kind import Access, Drafting, Kind
from nova_rabbitmq import answers, checks, draft, spec, urls
from nova_rabbitmq.answers import Login
from nova_rabbitmq.client import RabbitMQ


def connect(access: Access, component: spec.RabbitMQ) -> RabbitMQ:
    """Return a client of a RabbitMQ through its Service, as the user whom nova.yaml names."""
    password = access.password(component, component.password)
    login = Login(component.user, password, component.vhost)
    return RabbitMQ(access.to_service(component), login, access.transcript)


KIND = Kind(
    name="rabbitmq",
    spec=spec.RabbitMQ,
    answer=answers.of_error,
    connect=connect,
    urls=urls,
    checks=checks.CHECKS,
    drafting=Drafting(draft.recognises, draft.draft),
)
