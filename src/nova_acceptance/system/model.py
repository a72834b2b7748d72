"""The data of nova.yaml, field by field.

Every model refuses keys that it does not know and is frozen. Types are strict: `name: no` is a
boolean to YAML and is refused, not taken for a text.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A DNS label (RFC 1123)."""
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
"""A name in SQL that needs no quotes."""
Key = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$")]
"""A key of a ConfigMap or Secret."""
Quantity = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(Ki|Mi|Gi|Ti)?$")]
"""An amount of storage, as Kubernetes writes it."""
Port = Annotated[int, Field(ge=1, le=65535)]
Attribute = Literal["SUPERUSER", "LOGIN", "REPLICATION", "CREATEDB", "CREATEROLE", "BYPASSRLS"]


class Strict(BaseModel):
    """What every part of the file has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class KubeService(Strict):
    """A Service in front of a workload of the data layer.

    Attributes:
        ports: number by name.
        role: the value of PostgreSQL's role label that it selects; empty when it takes every pod.
    """

    name: Name
    headless: bool = False
    ports: Annotated[dict[Name, Port], Field(min_length=1)]
    role: Literal["", "primary", "replica"] = ""


class Claim(Strict):
    """One volume of one replica, derived from a workload's claim templates."""

    name: str
    namespace: Name
    size: Quantity


class Workload(Strict):
    """A Deployment or StatefulSet and the Services in front of it.

    Attributes:
        claims: size by name of the claim template.
        api_token: whether its pods hold a token of the Kubernetes API.
    """

    name: Name
    kind: Literal["StatefulSet", "Deployment"]
    namespace: Name
    replicas: Annotated[int, Field(ge=1)]
    claims: dict[Name, Quantity] = {}
    api_token: bool = False
    services: tuple[KubeService, ...] = ()
    layer: Literal["infrastructure", "services"] = "infrastructure"

    @property
    def claimed(self) -> tuple[Claim, ...]:
        """Every claim that its replicas should hold."""
        return tuple(
            Claim(
                name=f"{template}-{self.name}-{ordinal}",
                namespace=self.namespace,
                size=size,
            )
            for template, size in self.claims.items()
            for ordinal in range(self.replicas)
        )


class Service(Strict):
    """A service of the application layer: one line of the file.

    Attributes:
        uses: databases, `redis` and external systems whose URL its Secret holds.
    """

    name: Name
    namespace: Name
    port: Port
    port_name: Name = "http"
    replicas: Annotated[int, Field(ge=1)] = 1
    uses: tuple[str, ...] = ()

    @property
    def secret(self) -> str:
        """The name of the Secret with its URLs."""
        return f"{self.name}-secrets"

    @property
    def address_key(self) -> str:
        """The key under which a ConfigMap tells the others where it is."""
        return f"{self.name.upper().replace('-', '_')}_URL"

    @property
    def workload(self) -> Workload:
        """Its Deployment and its Service."""
        front = KubeService(name=self.name, ports={self.port_name: self.port})
        return Workload(
            name=self.name,
            kind="Deployment",
            namespace=self.namespace,
            replicas=self.replicas,
            services=(front,),
            layer="services",
        )


class External(Strict):
    """A system outside the cluster: declared, and reported as not verified."""

    name: str
    url_key: Key


class Configuration(Strict):
    """A ConfigMap or Secret and exactly its keys."""

    kind: Literal["ConfigMap", "Secret"]
    namespace: Name
    name: Name
    keys: tuple[Key, ...]
    addresses: bool = False


class Certificate(Strict):
    """A TLS Secret whose certificate names every service of its namespace."""

    secret: Name
    namespace: Name
    days_left: Annotated[int, Field(ge=1)]

    @property
    def name(self) -> str:
        """The Secret's name."""
        return self.secret


class SecretKey(Strict):
    """Where a password is."""

    secret: Name
    key: Key


class Redis(Strict):
    """Where Redis is and how one authenticates."""

    workload: Name
    service: Name
    url_key: Key
    password: SecretKey


class Etcd(Strict):
    """Where etcd is."""

    workload: Name
    client_port: Port


class Database(Strict):
    """A database with its owner, and its schemas with theirs."""

    name: Identifier
    owner: Identifier
    schemas: dict[Identifier, Identifier]


class Grant(Strict):
    """What a role may do in one database; whatever is not listed is denied."""

    database: Identifier
    on_database: tuple[Literal["CONNECT", "CREATE", "TEMPORARY"], ...] = ()
    schemas: tuple[Identifier, ...] = ()
    on_schemas: tuple[Literal["USAGE", "CREATE"], ...] = ()
    on_tables: tuple[
        Literal["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"], ...
    ] = ()
    on_sequences: tuple[Literal["USAGE", "SELECT", "UPDATE"], ...] = ()


class Role(Strict):
    """A role, its attributes and its grants."""

    name: Identifier
    attributes: tuple[Attribute, ...] = ()
    password: SecretKey | None = None
    grants: tuple[Grant, ...] = ()

    def grant_in(self, database: str) -> Grant:
        """Return what the role may do in `database`; nothing where no grant names it."""
        found = (grant for grant in self.grants if grant.database == database)
        return next(found, Grant(database=database))


class Postgres(Strict):
    """Where PostgreSQL is, and what it holds."""

    workload: Name
    primary: Name
    replicas: Name
    port: Port
    patroni_port: Port
    role_label: str
    url_key: Key
    databases: tuple[Database, ...]
    roles: tuple[Role, ...]

    def role(self, name: str) -> Role:
        """Return the role of that name."""
        return next(role for role in self.roles if role.name == name)


class System(Strict):
    """All of nova.yaml."""

    zone: str
    namespaces: tuple[Name, ...]
    workloads: tuple[Workload, ...]
    services: tuple[Service, ...]
    external: tuple[External, ...] = ()
    configuration: tuple[Configuration, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    redis: Redis
    etcd: Etcd
    postgres: Postgres

    @cached_property
    def every_workload(self) -> tuple[Workload, ...]:
        """The data layer's workloads and the services' Deployments."""
        return (*self.workloads, *(service.workload for service in self.services))

    @cached_property
    def every_configuration(self) -> tuple[Configuration, ...]:
        """The listed ConfigMaps and Secrets and the services' Secrets, with all of their keys."""
        listed = tuple(self._with_addresses(item) for item in self.configuration)
        secrets = tuple(
            Configuration(
                kind="Secret",
                namespace=service.namespace,
                name=service.secret,
                keys=tuple(self.url_key(use) for use in service.uses),
            )
            for service in self.services
            if service.uses
        )
        return listed + secrets

    def workload(self, name: str) -> Workload:
        """Return the workload of that name."""
        return next(workload for workload in self.every_workload if workload.name == name)

    def url_key(self, use: str) -> str:
        """Return the key under which a service's Secret holds the URL of what it uses."""
        if use == "redis":
            return self.redis.url_key
        external = {system.name: system.url_key for system in self.external}
        return external.get(use, self.postgres.url_key)

    def _with_addresses(self, item: Configuration) -> Configuration:
        if not item.addresses:
            return item
        keys = (s.address_key for s in self.services if s.namespace == item.namespace)
        return item.model_copy(update={"keys": (*item.keys, *keys)})
