"""PostgreSQL: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from typing import Final

from nova_acceptance.components.kind import (
    ALONE,
    Access,
    Check,
    Clients,
    Drafting,
    Kind,
    where,
)
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres import (
    answers,
    draft,
    parts,
    rules,
    spec,
    survival,
    tables,
    urls,
)
from nova_acceptance.components.postgres.checks import (
    databases,
    holders,
    privileges,
    replication,
    roles,
    rows,
)
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.members import MAINTENANCE
from nova_acceptance.components.postgres.sql import Login, Server
from nova_acceptance.errors import ClusterError
from nova_acceptance.findings import ref
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

    def pod_at(address: str) -> str:
        try:
            pods = access.kube.list("v1", "Pod")
        except ClusterError:  # whoever may not list pods is told the address
            return ""
        found = [
            str(ref(pod))
            for pod in pods
            if pod.get("status", {}).get("podIP") == address
            and not pod["spec"].get("hostNetwork")
            and pod["status"].get("phase") == "Running"
        ]
        return found[0] if len(found) == 1 else ""

    superuser = component.superuser.name
    return Postgres(
        {pod.name: pod for pod in access.pods(component)},
        Login(superuser, MAINTENANCE, password_of(superuser)),
        lambda pod: Server(access.to_pod(pod, component.server_port), access.transcript),
        address_of=address_of,
        password_of=password_of,
        pod_at=pod_at,
        spec=component,
    )


def connect_by_primary(
    access: Access, clients: Clients, component: spec.Postgres
) -> RoleConnections:
    """Return connections as PostgreSQL's roles through the Service by which clients connect."""
    server = Server(access.to_service(component), access.transcript)
    return RoleConnections(component, clients.of(component), server)


def connect_by_replicas(
    access: Access, clients: Clients, component: spec.Postgres
) -> RoleConnections:
    """Return connections as PostgreSQL's roles through the Service for replicas."""
    server = Server(access.to_role(component, "replica"), access.transcript)
    return RoleConnections(component, clients.of(component), server)


def connect_patroni(access: Access, _clients: Clients, component: spec.Postgres) -> Patroni:
    """Return the Patronis of a PostgreSQL's members, each asked by itself.

    Raises:
        ValueError: nova.yaml says of none.
    """
    if component.patroni is None:
        raise ValueError(f"nova.yaml says of no Patroni of {component.name}")
    port = component.patroni.port
    members = {pod.name: access.to_pod(pod, port) for pod in access.pods(component)}
    return Patroni(members, access.transcript)


_HAS, _PARTS = parts.COMPONENTS, parts.PARTS
CHECKS: Final = (
    Check(databases.wrong_version, where(_HAS["versioned_spec"])),
    Check(databases.lost_durability, where(_HAS["durable_spec"], databases.DURABLE)),
    Check(holders.taken_connections, where(_HAS["postgres_spec"], ALONE)),
    Check(databases.settings_made_by_hand, where(_HAS["postgres_spec"], ALONE)),
    Check(databases.wrong_owner, _PARTS["database"]),
    Check(databases.wrong_schema_owner, _PARTS["schema"]),
    Check(databases.foreign_property, _PARTS["schema"]),
    Check(roles.wrong_attributes, _PARTS["spec_role"]),
    Check(roles.inherited_rights, _PARTS["spec_role"]),
    Check(roles.weak_password, _PARTS["spec_role"]),
    Check(roles.expired_password, _PARTS["spec_role"]),
    Check(privileges.wrong_on_database, _PARTS["reach"]),
    Check(privileges.wrong_on_schemas, _PARTS["reach"]),
    Check(privileges.wrong_on_tables, _PARTS["reach"]),
    Check(privileges.wrong_on_sequences, _PARTS["reach"]),
    Check(rows.hidden_rows),
    Check(privileges.public_on_databases, where(_HAS["strict_spec"])),
    Check(replication.wrong_leaders),
    Check(replication.absent_streams, where(_HAS["replicated_spec"])),
    Check(replication.asynchrony, where(_HAS["synchronous_spec"])),
)

KIND = Kind(
    name="postgres",
    spec=spec.Postgres,
    live=rules.LIVE,
    reads=("Role", "RoleBinding"),
    answer=answers.of_error,
    connect=connect,
    beside={
        "by_primary": connect_by_primary,
        "by_replicas": connect_by_replicas,
        "patroni": connect_patroni,
    },
    urls=urls,
    components=parts.COMPONENTS,
    parts=parts.PARTS,
    checks=CHECKS,
    fixtures="nova_acceptance.components.postgres.fixtures",
    markers={"postgres": "PostgreSQL", "patroni": "Patroni and failover"},
    drafting=Drafting(draft.recognises, draft.draft),
    holding=survival.holding,
    clear=tables.clear,
)
