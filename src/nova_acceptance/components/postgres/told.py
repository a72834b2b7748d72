"""What a PostgreSQL says of itself to a superuser, as nova.yaml says it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access
from nova_acceptance.components.kubernetes.variables import held
from nova_acceptance.components.postgres import sql
from nova_acceptance.components.postgres.checks.databases import DURABLE
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.holdings import PUBLIC, Held, holdings
from nova_acceptance.components.postgres.members import MAINTENANCE
from nova_acceptance.components.postgres.roles import ATTRIBUTES
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.verifier import is_password
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import FindingError, ref
from nova_acceptance.kube import PodRef
from nova_acceptance.libraries import psycopg
from nova_acceptance.system import SecretKey

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOOPBACK: Final = re.compile(r"^(127\.|::1|samehost$|localhost$)")
_TOKENS: Final = "kubernetes.io/service-account-token"
_MOST_TRIED: Final = 3
"""Secrets whose values are tried as the superuser's password: each failure is in a server's log."""

Home = dict[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """As whom to ask.

    Attributes:
        superuser: the role's name.
        homes: where its password may be, likeliest first.
    """

    superuser: str
    homes: list[Home]


@dataclass(frozen=True, slots=True)
class _Role:
    name: str
    attributes: tuple[str, ...]
    verifier: str

    @property
    def is_superuser(self) -> bool:
        return "SUPERUSER" in self.attributes


def ask(candidate: Candidate, access: Access, drafted: Drafted, login: Login) -> bool:
    """Fill in what the server says; False where it could not be asked, and why is said."""
    if not candidate.pods:
        drafted.remark("No pod of it is ready, so that it was not asked.", is_unknown=True)
        return False
    if not login.homes:
        drafted.remark("No login was found, so that it was not asked.", is_unknown=True)
        return False
    failures: list[str] = []
    for home in login.homes[:_MOST_TRIED]:
        try:
            with closing(_connect(candidate, access, login.superuser, home)) as postgres:
                _tell(candidate, access, postgres, drafted)
                return True
        except (NovaError, FindingError, psycopg.Error) as error:
            failures.append(_said(error))
    drafted.remark(f"It was not asked: {failures[0]}", is_unknown=True)
    return False


def _said(error: Exception) -> str:
    """Return the server's own word of an error, else the first line of it."""
    text = str(error)  # of one of ours its evidence, too
    if found := sql.REFUSED.search(text):
        return found[1]
    return text.splitlines()[0] if text else type(error).__name__


def _connect(candidate: Candidate, access: Access, superuser: str, home: Home) -> Postgres:
    password = access.password(_component(candidate), SecretKey(**home))
    login = sql.Login(superuser, MAINTENANCE, password)
    port = next((number for number in candidate.ports if number == 5432), None)  # noqa: PLR2004
    number = port or next(iter(candidate.ports), 5432)

    def address_of(pod: PodRef) -> str:
        found = access.kube.get("v1", "Pod", pod.name, pod.namespace) or {}
        return str((found.get("status") or {}).get("podIP", ""))

    return Postgres(
        {pod.name: pod for pod in candidate.pods},
        login,
        lambda pod: sql.Server(access.to_pod(pod, number), access.transcript),
        address_of=address_of,
        password_of=lambda _role: password,
    )


def _component(candidate: Candidate) -> Spec:
    """Return a component of that namespace: what passwords are asked for by."""
    return Spec(name=candidate.name, namespace=candidate.namespace)


def _tell(candidate: Candidate, access: Access, postgres: Postgres, drafted: Drafted) -> None:
    fields: dict[str, Any] = {}
    admin = postgres.admin()
    fields["version"] = str(admin.value("SHOW server_version")).partition(".")[0]
    lost = [name for name in DURABLE if admin.value("SELECT current_setting(%s)", name) == "off"]
    if lost:
        fields["durable"] = False
        drafted.remark(f"Off: {', '.join(lost)}. A crash loses acknowledged commits.", "durable")
    if len(postgres.members) > 1:
        fields["synchronous"] = any(
            synchrony in ("sync", "quorum") for _, synchrony in postgres.standbys.values()
        )
        if not fields["synchronous"]:
            del fields["synchronous"]
    databases = _databases(postgres, drafted)
    fields["databases"] = databases
    if _of_public(postgres, databases):
        fields["public"] = "not judged"
        drafted.remark(
            "PUBLIC, which is everybody, holds something, as PostgreSQL gives it by itself; what"
            " a role holds by that is no grant of its own. Revoke it, and take this line away.",
            "public",
        )
    fields["roles"] = _roles(candidate, access, postgres, databases, drafted)
    for where, setting in postgres.own_settings:
        name = setting.partition("=")[0]
        drafted.remark(f"{where} has its own {name}, which the verification will find")
    # nothing is half said: what was asked replaces what was read
    drafted.fields |= fields


def _databases(postgres: Postgres, drafted: Drafted) -> list[dict[str, Any]]:
    made = []
    for name, owner in sorted(postgres.databases.items()):
        schemas = dict(sorted(postgres.schemas(name).items(), key=lambda it: it[0] != "public"))
        named = (name, owner, *schemas, *schemas.values())
        strange = [each for each in named if not _is_plain(each)]
        if strange:
            drafted.allows_undeclared = True
            drafted.remark(
                f"The database {name!r} is left out: nova.yaml takes no name such as"
                f" {strange[0]!r}",
                "databases",
            )
            continue
        made.append({"name": name, "owner": owner, "schemas": schemas})
        if not any(postgres.tables(name, schema) for schema in schemas):
            drafted.remark(f"{name} holds no table, so that grants show nothing", "databases")
    return made


def _of_public(postgres: Postgres, databases: list[dict[str, Any]]) -> bool:
    return bool(postgres.public_on_databases) or any(
        postgres.public_in(each["name"]) for each in databases
    )


def _roles(
    candidate: Candidate,
    access: Access,
    postgres: Postgres,
    databases: list[dict[str, Any]],
    drafted: Drafted,
) -> list[dict[str, Any]]:
    found = list(_known(postgres))
    held_in = {each["name"]: holdings(postgres.admin(each["name"])) for each in databases}
    values = list(_values(candidate, access))
    network = _over_the_network(postgres, [role.name for role in found])
    made = []
    for role in sorted(found, key=lambda each: (not each.is_superuser, each.name)):
        if not _is_plain(role.name):
            drafted.allows_undeclared = True
            drafted.remark(
                f"The role {role.name!r} is left out: nova.yaml takes no such name", "roles"
            )
            continue
        said: dict[str, Any] = {"name": role.name}
        if role.attributes:
            said["attributes"] = list(role.attributes)
        homes = [home for home, value in values if is_password(value, role.name, role.verifier)]
        if homes:
            said["password"] = _likeliest(homes, candidate)
            if role.name not in network and "LOGIN" in role.attributes:
                said["over_the_network"] = False
        elif role.verifier:
            drafted.remark(
                f"{role.name} has a password, and no Secret of {candidate.namespace} that could be"
                " read holds it",
                "roles",
                is_unknown=True,
            )
        grants = [] if role.is_superuser else list(_grants(role, databases, held_in, drafted))
        if grants:
            said["grants"] = grants
        if memberships := sorted(postgres.role(role.name).memberships):
            drafted.remark(
                f"{role.name} is a member of {', '.join(memberships)}, which the verification will"
                " find: nova.yaml knows no rights through another role",
                "roles",
            )
        made.append(said)
    return made


def _grants(
    role: _Role,
    databases: list[dict[str, Any]],
    held_in: dict[str, dict[str, Held]],
    drafted: Drafted,
) -> Iterator[dict[str, Any]]:
    """Yield what a role holds: of an owner who may log in, on the database alone."""
    for each in databases:
        name = each["name"]
        owns = role.name in (each["owner"], *each["schemas"].values())
        found = held_in[name].get(role.name)
        if found is None or (owns and "LOGIN" not in role.attributes):
            continue
        if owns:
            found = Held(on_database=found.on_database)
        grant, is_whole = found.grant(name, held_in[name].get(PUBLIC, Held()))
        if len(grant) > 1:
            yield grant
        if not is_whole:
            drafted.remark(
                f"what {role.name} holds differs from one schema or table of {name} to the next,"
                " and nova.yaml says one thing for all: the verification will tell the rest",
                "roles",
            )


def _known(postgres: Postgres) -> Iterator[_Role]:
    rows = postgres.admin().rows(
        "SELECT rolname, rolsuper, rolcanlogin, rolreplication, rolcreatedb, rolcreaterole,"
        " rolbypassrls, coalesce(rolpassword, '') FROM pg_authid WHERE rolname !~ '^pg_'"
    )
    for name, *flags, verifier in rows:
        pairs = zip(ATTRIBUTES.values(), flags, strict=True)
        yield _Role(str(name), tuple(what for what, is_on in pairs if is_on), str(verifier))


def _values(candidate: Candidate, access: Access) -> Iterator[tuple[Home, str]]:
    """Yield what the Secrets of its namespace hold, but for URLs and certificates."""
    component = _component(candidate)
    for secret in candidate.snapshot.of_kind("Secret", candidate.namespace):
        where = ref(secret)
        if secret.get("type") == _TOKENS:
            continue
        for key, shape in held(candidate.snapshot, where).items():
            if not shape or "://" in shape or "-----BEGIN" in shape:
                continue
            home = {"secret": where.name, "key": key}
            try:
                yield home, access.password(component, SecretKey(**home))
            except (NovaError, ValueError):
                continue


def _likeliest(homes: list[Home], candidate: Candidate) -> Home:
    """Return the place of a password that is in several: the one that its containers are given."""
    given = Counter((each.holder.name, each.key) for each in candidate.given)
    return max(homes, key=lambda home: given[home["secret"], home["key"]])


def _over_the_network(postgres: Postgres, roles: list[str]) -> set[str]:
    """Return the roles that some rule of pg_hba.conf lets in from elsewhere; all where unknown.

    Source: the PostgreSQL manual, "pg_hba_file_rules".
    """
    try:
        rules = postgres.admin().rows(
            "SELECT type, user_name, address, auth_method FROM pg_hba_file_rules"
            " WHERE error IS NULL ORDER BY line_number"
        )
    except psycopg.Error:
        return set(roles)
    let_in: set[str] = set()
    for kind, users, address, method in rules:
        if kind == "local" or method == "reject" or _LOOPBACK.match(str(address or "")):
            continue
        named = set(users or ())
        is_open = "all" in named or any(each.startswith(("+", "/")) for each in named)
        let_in |= set(roles) if is_open else named & set(roles)
    return let_in


def _is_plain(name: str) -> bool:
    return bool(_NAME.fullmatch(name))
