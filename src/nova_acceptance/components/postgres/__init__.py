"""PostgreSQL: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from nova_acceptance.components.kind import Access, Kind
from nova_acceptance.components.postgres import answers, parts, rules, spec, urls
from nova_acceptance.components.postgres.client import MAINTENANCE, Postgres
from nova_acceptance.components.postgres.sql import Login, Server
from nova_acceptance.kube import PodRef


def connect(access: Access, component: spec.Postgres) -> Postgres:
    """Return the members of a PostgreSQL, asked as the superuser from inside their pods."""

    def password_of(role: str) -> str:
        home = component.role(role).password
        if home is None:
            raise ValueError(f"nova.yaml gives {role} no password")
        return access.password(component, home)

    def address_of(pod: PodRef) -> str:
        found = access.kube.get("v1", "Pod", pod.name, pod.namespace) or {}
        return str(found.get("status", {}).get("podIP", ""))

    superuser = component.superuser.name
    return Postgres(
        {pod.name: pod for pod in access.pods(component)},
        Login(superuser, MAINTENANCE, password_of(superuser)),
        lambda pod: Server(access.to_pod(pod, component.server_port), access.transcript),
        address_of=address_of,
        password_of=password_of,
    )


KIND = Kind(
    name="postgres",
    spec=spec.Postgres,
    live=rules.LIVE,
    answer=answers.of_error,
    connect=connect,
    urls=urls,
    components=parts.COMPONENTS,
    parts=parts.PARTS,
    fixtures="nova_acceptance.components.postgres.fixtures",
    markers={"postgres": "PostgreSQL", "patroni": "Patroni and failover"},
)
