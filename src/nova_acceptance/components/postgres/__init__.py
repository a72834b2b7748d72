"""PostgreSQL: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from nova_acceptance.components.kind import Access, Kind
from nova_acceptance.components.postgres import answers, rules, spec, urls
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.logins import Logins
from nova_acceptance.kube import PodRef


def connect(access: Access, component: spec.Postgres) -> Postgres:
    """Return the members of a PostgreSQL, asked as the superuser from inside their pods."""
    members = {pod.name: pod for pod in access.pods(component)}
    logins = Logins(access, component)
    return Postgres(
        members,
        component.server_port,
        logins.untested(component.superuser.name),
        access.to_pod,
        access.witness,
        address_of=lambda pod: _address(access, pod),
        has_patroni=component.patroni is not None,
    )


def _address(access: Access, pod: PodRef) -> str:
    found = access.kube.get("v1", "Pod", pod.name, pod.namespace) or {}
    return str(found.get("status", {}).get("podIP", ""))


KIND = Kind(
    name="postgres",
    spec=spec.Postgres,
    live=rules.LIVE,
    answer=answers.of_error,
    connect=connect,
    urls=urls,
)
