"""PostgreSQL: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from nova_acceptance.components.kind import Access, Kind
from nova_acceptance.components.postgres import answers, parts, rules, spec, urls
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.logins import Logins


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
)
