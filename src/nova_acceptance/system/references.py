"""What one part of nova.yaml says about another: names that must exist, names that must differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.system.model import System
from nova_acceptance.system.source import Path

Finding = tuple[Path, str]


def findings(system: System) -> Iterator[Finding]:
    """Yield every reference that leads nowhere and every name that is taken twice.

    Yields:
        The path of the field and what is wrong with it.
    """
    yield from _names_are_unique(system)
    yield from _namespaces_exist(system)
    yield from _uses_exist(system)
    yield from _data_layer_exists(system)
    yield from _roles_exist(system)


def _names_are_unique(system: System) -> Iterator[Finding]:
    yield from _twice(((("namespaces", i), n) for i, n in enumerate(system.namespaces)))
    workloads = (
        (("workloads", i, "name"), f"{w.namespace}/{w.name}")
        for i, w in enumerate(system.workloads)
    )
    services = (
        (("services", i, "name"), f"{s.namespace}/{s.name}") for i, s in enumerate(system.services)
    )
    yield from _twice((*workloads, *services))
    fronts = (
        (("workloads", i, "services", j, "name"), f"{w.namespace}/{front.name}")
        for i, w in enumerate(system.workloads)
        for j, front in enumerate(w.services)
    )
    yield from _twice(fronts)
    yield from _twice(
        (("external", i, "name"), external.name) for i, external in enumerate(system.external)
    )
    yield from _twice(
        (("postgres", "databases", i, "name"), database.name)
        for i, database in enumerate(system.postgres.databases)
    )
    yield from _twice(
        (("postgres", "roles", i, "name"), role.name)
        for i, role in enumerate(system.postgres.roles)
    )


def _twice(names: Iterable[Finding]) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, name in names:
        if name in seen:
            yield path, f"{name} is there twice"
        seen.add(name)


def _namespaces_exist(system: System) -> Iterator[Finding]:
    for part in ("workloads", "services", "configuration", "certificates"):
        for index, item in enumerate(getattr(system, part)):
            if item.namespace not in system.namespaces:
                yield (part, index, "namespace"), f"no namespace is called {item.namespace}"


def _uses_exist(system: System) -> Iterator[Finding]:
    databases = {database.name for database in system.postgres.databases}
    known = {"redis"} | databases | {external.name for external in system.external}
    for index, service in enumerate(system.services):
        keys: dict[str, str] = {}
        for place, use in enumerate(service.uses):
            path: Path = ("services", index, "uses", place)
            if use not in known:
                yield path, f"{use} is neither a database, nor redis, nor an external system"
                continue
            key = system.url_key(use)
            if key in keys:
                yield path, f"{use} and {keys[key]} would both be {key}"
            keys[key] = use


def _data_layer_exists(system: System) -> Iterator[Finding]:
    workloads = {workload.name: workload for workload in system.workloads}
    for part in ("redis", "etcd", "postgres"):
        name = getattr(system, part).workload
        if name not in workloads:
            yield (part, "workload"), f"no workload is called {name}"
    for part, fields in (("redis", ("service",)), ("postgres", ("primary", "replicas"))):
        section = getattr(system, part)
        workload = workloads.get(section.workload)
        fronts = {front.name for front in workload.services} if workload else set()
        for name in fields:
            if workload and getattr(section, name) not in fronts:
                message = f"{workload.name} has no service called {getattr(section, name)}"
                yield (part, name), message
    secrets = {item.name: item for item in system.every_configuration if item.kind == "Secret"}
    passwords = [(("redis", "password"), system.redis.password)] + [
        (("postgres", "roles", index, "password"), role.password)
        for index, role in enumerate(system.postgres.roles)
        if role.password
    ]
    for path, home in passwords:
        if home.secret not in secrets:
            yield (*path, "secret"), f"no Secret is called {home.secret}"
        elif home.key not in secrets[home.secret].keys:
            yield (*path, "key"), f"{home.secret} has no key {home.key}"
    for index, certificate in enumerate(system.certificates):
        if certificate.secret not in secrets:
            yield ("certificates", index, "secret"), f"no Secret is called {certificate.secret}"


def _roles_exist(system: System) -> Iterator[Finding]:
    roles = {role.name for role in system.postgres.roles}
    schemas = {database.name: set(database.schemas) for database in system.postgres.databases}
    for index, database in enumerate(system.postgres.databases):
        path: Path = ("postgres", "databases", index)
        if database.owner not in roles:
            yield (*path, "owner"), f"no role is called {database.owner}"
        for schema, owner in database.schemas.items():
            if owner not in roles and not owner.startswith("pg_"):
                yield (*path, "schemas", schema), f"no role is called {owner}"
    for index, role in enumerate(system.postgres.roles):
        for place, grant in enumerate(role.grants):
            path = ("postgres", "roles", index, "grants", place)
            if grant.database not in schemas:
                yield (*path, "database"), f"no database is called {grant.database}"
                continue
            for position, schema in enumerate(grant.schemas):
                if schema not in schemas[grant.database]:
                    message = f"{grant.database} has no schema called {schema}"
                    yield (*path, "schemas", position), message
