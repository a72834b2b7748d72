"""Recognising a PostgreSQL that no nova.yaml names, and what its manifests say of it."""

from __future__ import annotations

import re
from typing import Any, Final

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access
from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.variables import Given
from nova_acceptance.components.patroni import draft as patroni
from nova_acceptance.components.postgres import told

PORT: Final = 5432
NO_SECRET: Final = "secret-to-be-named"  # noqa: S105 - a Secret that nobody has named yet
MAINTENANCE: Final = "postgres"
_IMAGE: Final = re.compile(
    r"(^|[-_.])(postgres(ql)?|pg|postgis|spilo|patroni|timescaledb(-ha)?)([-_.\d]|$)"
)
_BESIDE: Final = re.compile(r"exporter|bouncer|pool|admin|operator|backup|client|postgrest|ferret")
_SERVER: Final = re.compile(r"^(postgres|postgresql|postgis|spilo(-\d+)?)$")
_OLDEST: Final = 9
_USER: Final = ("PATRONI_SUPERUSER_USERNAME", "PGUSER_SUPERUSER", "POSTGRES_USER", "PGUSER")
_PASSWORD: Final = (
    "PATRONI_SUPERUSER_PASSWORD",
    "PGPASSWORD_SUPERUSER",
    "POSTGRESQL_POSTGRES_PASSWORD",
    "POSTGRES_POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD",
    "POSTGRESQL_PASSWORD",
    "PGPASSWORD",
)
_DATABASE: Final = ("POSTGRES_DB", "POSTGRESQL_DATABASE", "PGDATABASE")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def recognises(candidate: Candidate) -> int:
    """Return how sure it is that a workload runs a PostgreSQL: by its image and its port."""
    is_named = any(_IMAGE.search(image) and not _BESIDE.search(image) for image in candidate.images)
    if PORT in candidate.ports:
        is_beside = not is_named and candidate.is_of_image(_BESIDE)
        return 3 if is_named else 0 if is_beside else 2
    return 2 if candidate.is_of_image(_SERVER) else 0


def draft(candidate: Candidate, access: Access | None) -> Drafted:
    """Return what nova.yaml says of it, asked of the server where a login can be had."""
    port = PORT if PORT in candidate.ports else next(iter(candidate.ports), PORT)
    drafted = Drafted({"services": candidate.service_fields("postgresql", port)})
    if version := candidate.version_of(_IMAGE, _OLDEST):
        drafted.fields["version"] = version
    decides = patroni.of(candidate, drafted)
    if decides is not None:
        drafted.fields["patroni"] = decides
    user = candidate.variable(*_USER)
    superuser = _spelled(user) or MAINTENANCE
    homes = candidate.password_homes(*_PASSWORD)
    if access:
        login = told.Login(superuser, _by_name(candidate, homes))
        if told.ask(candidate, access, drafted, login):
            return drafted
    if user and not _spelled(user):
        drafted.remark(
            f"The superuser's name is in {user.holder}, {user.key}: is it {superuser}?",
            "roles",
            is_unknown=True,
        )
    _read(candidate, drafted, superuser, homes)
    return drafted


def _by_name(candidate: Candidate, homes: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return where the superuser's password may be, those that variables name so first."""
    named = candidate.variable(*_PASSWORD)
    if named is None or named.holder.kind != "Secret" or candidate.lacks(named):
        return homes
    first = {"secret": named.holder.name, "key": named.key}
    return [first, *(each for each in homes if each != first)]


def _spelled(given: Given | None) -> str:
    """Return a value that is no secret's; empty where it is one's, or is no plain name."""
    if given is None or given.holder.kind == "Secret" or given.shape == mark(given.shape):
        return ""
    return given.shape if _NAME.fullmatch(given.shape) else ""


def _read(
    candidate: Candidate, drafted: Drafted, superuser: str, homes: list[dict[str, str]]
) -> None:
    """Write what the manifests and others' URLs say; what they do not say is to be filled in."""
    named = _by_name(candidate, homes)
    password = named[0] if named else {"secret": NO_SECRET, "key": _PASSWORD[4]}
    if not named:
        drafted.remark(
            "No Secret that it is given holds the superuser's password: say where it is",
            "roles",
            is_unknown=True,
        )
    names, users = _from_urls(candidate)
    if (first := _spelled(candidate.variable(*_DATABASE))) and first != MAINTENANCE:
        names.setdefault(first, set())
    drafted.remark(
        "Its databases and roles are known from URLs and variables alone. Say who owns what, which"
        " schemas there are, and what each role is granted; with `--context`, and a superuser's"
        " password that may be read, the server is asked.",
        is_unknown=True,
    )
    drafted.fields["databases"] = [
        {"name": name, "owner": superuser, "schemas": {"public": superuser}}
        for name in sorted(names)
    ]
    roles: list[dict[str, Any]] = [
        {"name": superuser, "attributes": ["SUPERUSER", "LOGIN"], "password": password}
    ]
    for user in sorted(users - {superuser}):
        role: dict[str, Any] = {"name": user, "attributes": ["LOGIN"]}
        marks = {it.password for it in candidate.incoming if it.address.user == user}
        if home := next(iter(candidate.homes_of(marks - {""})), None):
            role["password"] = {"secret": home[0], "key": home[1]}
        role["grants"] = [
            {"database": name, "on_database": ["CONNECT"]}
            for name in sorted(names)
            if user in names[name]
        ]
        roles.append(role)
    drafted.fields["roles"] = roles
    if not drafted.fields["databases"]:
        del drafted.fields["databases"]


def _from_urls(candidate: Candidate) -> tuple[dict[str, set[str]], set[str]]:
    """Return the databases that URLs name, each with its users, and all of their users."""
    names: dict[str, set[str]] = {}
    users: set[str] = set()
    for link in candidate.incoming:
        database, user = link.address.path.strip("/"), link.address.user
        if not link.address.scheme.startswith(("postgres", "jdbc:postgres", "pgsql")):
            continue
        if _NAME.fullmatch(user):
            users.add(user)
        if _NAME.fullmatch(database) and database != MAINTENANCE:
            names.setdefault(database, set()).add(user)
    return names, users
