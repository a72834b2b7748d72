"""The URLs by which services connect, against nova.yaml."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nova_acceptance.diagnosis.addresses import Address, addresses_in
from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref, ref
from nova_acceptance.diagnosis.resolution import missing_service, service_at, zone_of
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.system import System, Use, parts

URL_MALFORMED: Final = Cause(
    "URL_MALFORMED",
    "A Secret holds under a URL's key what is no URL",
    "The program cannot parse its configuration, and ends or falls back to a default",
    "The shape of the value; the value itself is never shown",
    "write a URL, in manifests/components/credentials",
)
URL_SCHEME_WRONG: Final = Cause(
    "URL_SCHEME_WRONG",
    "A URL has the scheme of another protocol",
    "The program refuses the URL, or speaks a protocol that the server does not",
    "The URL's scheme against what it leads to in nova.yaml",
    "write the scheme of the server's protocol",
)
URL_TARGET_WRONG: Final = Cause(
    "URL_TARGET_WRONG",
    "A URL leads to another Service than nova.yaml says",
    "The program connects, and finds another server's data, or one that refuses it",
    "The host in the URL against what the service uses in nova.yaml",
    "write the name of the right Service into the URL",
)
URL_DATABASE_WRONG: Final = Cause(
    "URL_DATABASE_WRONG",
    "A URL names another database than nova.yaml says",
    "`database … does not exist` or `permission denied for database …`, or another one's tables",
    "The path of the URL against the databases that the service uses in nova.yaml",
    "write the database's name after the last slash of the URL",
)
URL_USER_WRONG: Final = Cause(
    "URL_USER_WRONG",
    "A URL names a role that nova.yaml does not let into this database",
    "`password authentication failed for user …`, or more rights than the service should have",
    "The user in the URL against the roles with CONNECT on the database in nova.yaml",
    "write the role that nova.yaml grants CONNECT",
)
URL_PASSWORD_WRONG: Final = Cause(
    "URL_PASSWORD_WRONG",
    "The password in a URL is not the one in the Secret that holds it",
    "`password authentication failed`, `WRONGPASS`, `NOAUTH`",
    "Whether the two passwords are equal, by marks that tell nothing else of them",
    "deploy both Secrets together, so that one password is in both",
)
CAUSES: Final = (
    URL_MALFORMED,
    URL_SCHEME_WRONG,
    URL_TARGET_WRONG,
    URL_DATABASE_WRONG,
    URL_USER_WRONG,
    URL_PASSWORD_WRONG,
)

_PASSWORD: Final = re.compile(r"://[^\s:/@?#]*:([^\s@]*)@")
_SCHEMES: Final = {
    "redis": re.compile(r"rediss?(\+\w+)?"),
    "postgres": re.compile(r"postgres(ql)?(\+\w+)?"),
}
_DEFAULT_PORT: Final = {"redis": 6379, "postgres": 5432}


@dataclass(frozen=True, slots=True)
class _Url:
    """One URL of one service, as its Secret holds it."""

    use: Use
    holder: Ref
    text: str
    address: Address | None

    @property
    def kind(self) -> str:
        return "redis" if self.use.target == "redis" else "postgres"

    @property
    def password(self) -> str:
        """The mark of its password; empty if it has none."""
        found = _PASSWORD.search(self.text)
        return found[1] if found else ""

    @property
    def where(self) -> str:
        return f"{self.holder}, {self.use.url_key},"


Finding = tuple[_Url, str, str]
"""A URL, what is wrong with it, and what to do."""


def urls_of_services(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find URLs that differ from nova.yaml; one diagnosis for each cause and Secret."""
    system = snapshot.system
    if system is None:
        return
    urls = list(_urls(snapshot, system))
    found: dict[tuple[Cause, Ref], list[Finding]] = defaultdict(list)
    for url in urls:
        for cause, said, cure in _wrong(snapshot, system, url):
            found[cause, url.holder].append((url, said, cure))
    for (cause, holder), findings in found.items():
        yield _diagnosis(cause, holder, findings)
    yield from _passwords(snapshot, system, urls)


def _urls(snapshot: Snapshot, system: System) -> Iterator[_Url]:
    for use in parts.uses(system, inside=True):
        holder = Ref("Secret", use.service.namespace, use.service.secret)
        text = ((snapshot.at(holder) or {}).get("data") or {}).get(use.url_key)
        if text:
            addresses = [it for it in addresses_in(text, holder, use.url_key) if it.scheme]
            yield _Url(use, holder, text, addresses[0] if addresses else None)


def _wrong(snapshot: Snapshot, system: System, url: _Url) -> Iterator[tuple[Cause, str, str]]:
    address = url.address
    if address is None:
        yield URL_MALFORMED, f"{url.where} is no URL", ""
        return
    if not _SCHEMES[url.kind].fullmatch(address.scheme):
        right = "redis" if url.kind == "redis" else "postgresql"
        yield (
            URL_SCHEME_WRONG,
            f"{url.where} begins with {address.scheme}://, and leads to {url.use.target}",
            f"write {right}://",
        )
    yield from _target(snapshot, system, url, address)
    if url.kind == "postgres":
        yield from _database(system, url, address)


def _target(
    snapshot: Snapshot, system: System, url: _Url, address: Address
) -> Iterator[tuple[Cause, str, str]]:
    wanted, port = _wanted(system, url)
    service = service_at(snapshot, address, url.holder.namespace)
    full = f"{wanted.name}.{wanted.namespace}.svc.{zone_of(snapshot)}"
    user = snapshot.get("Deployment", url.use.service.namespace, url.use.service.name)
    if service is None and user and missing_service(snapshot, address, user):
        return  # which is said of it as such
    if service is None and ".svc" not in f"{address.host}.":
        yield (
            URL_TARGET_WRONG,
            f"{url.where} leads out of the cluster, to {address}",
            f"name {full}",
        )
    elif service is not None and ref(service) != wanted:
        yield (
            URL_TARGET_WRONG,
            f"{url.where} leads to {ref(service)}, where nova.yaml says {wanted}",
            f"name {full}",
        )
    elif service is not None:
        ports = {entry["port"] for entry in service["spec"].get("ports") or ()}
        written = address.port or _DEFAULT_PORT[url.kind]
        if written != port and (written in ports or address.port is None):
            yield (
                URL_TARGET_WRONG,
                f"{url.where} leads to port {written} of {wanted}, where nova.yaml says {port}",
                f"write {full}:{port}",
            )


def _wanted(system: System, url: _Url) -> tuple[Ref, int]:
    name = system.redis.service if url.kind == "redis" else system.postgres.primary
    front = next(front for front in parts.fronts(system) if front.name == name)
    return Ref("Service", front.namespace, front.name), next(iter(front.service.ports.values()))


def _database(system: System, url: _Url, address: Address) -> Iterator[tuple[Cause, str, str]]:
    named, wanted = address.path.strip("/"), url.use.target
    if named != wanted:
        yield (
            URL_DATABASE_WRONG,
            f"{url.where} names {f'the database {named}' if named else 'no database'}, where "
            f"nova.yaml says {wanted}",
            f"write /{wanted}",
        )
    roles = [
        role.name
        for role in system.postgres.roles
        if "LOGIN" in role.attributes and "CONNECT" in role.grant_in(wanted).on_database
    ]
    if roles and address.user not in roles:
        yield (
            URL_USER_WRONG,
            f"{url.where} connects as {address.user or 'nobody'}, whom nova.yaml does not let "
            f"into {wanted}",
            f"write {' or '.join(roles)}",
        )


def _passwords(snapshot: Snapshot, system: System, urls: Iterable[_Url]) -> Iterator[Diagnosis]:
    """Compare the passwords in URLs with those in the Secrets that hold them.

    Where all URLs agree with each other and none with that Secret, it is the Secret that differs.
    """
    found: dict[tuple[Ref, str], list[_Url]] = defaultdict(list)
    for url in urls:
        where = _home(system, url)
        if where and url.address:
            found[where].append(url)
    for (home, key), its in found.items():
        held = ((snapshot.at(home) or {}).get("data") or {}).get(key)
        if held is None or "://" in held:
            continue
        wrong = [url for url in its if url.password != held]
        marks = {url.password for url in wrong}
        if len(wrong) == len(its) > 1 and len(marks) == 1 and "" not in marks:
            users = ", ".join(sorted(url.use.service.name for url in its))
            yield Diagnosis(
                URL_PASSWORD_WRONG,
                home,
                f"{home}, {key}, is another password than the one that every URL holds",
                "write the password of the URLs into it, or deploy the URLs with this one",
                evidence=(f"URLs of {users} agree with each other, and not with {home}",),
            )
            continue
        by_holder: dict[Ref, list[Finding]] = defaultdict(list)
        for url in wrong:
            said = "holds another password than" if url.password else "holds no password;"
            at = f"{home}, {key}"
            by_holder[url.holder].append(
                (url, f"{url.where} {said} {at}{'' if url.password else ' does'}", "")
            )
        for holder, findings in by_holder.items():
            yield _diagnosis(URL_PASSWORD_WRONG, holder, findings)


def _home(system: System, url: _Url) -> tuple[Ref, str] | None:
    """Return the Secret and key that hold the password that this URL should have."""
    if url.kind == "redis":
        home, workload = system.redis.password, system.redis.workload
    else:
        user = url.address.user if url.address else ""
        role = next((it for it in system.postgres.roles if it.name == user), None)
        if role is None or role.password is None:
            return None
        home, workload = role.password, system.postgres.workload
    return Ref("Secret", system.workload(workload).namespace, home.secret), home.key


def _diagnosis(cause: Cause, holder: Ref, findings: list[Finding]) -> Diagnosis:
    _, said, cure = findings[0]
    more = f" (and {len(findings) - 1} more like it)" if len(findings) > 1 else ""
    evidence = tuple(f"{url.use.name}: {said}" for url, said, _ in findings)
    return Diagnosis(cause, holder, f"{said}{more}", cure, evidence=evidence)


BEFOREHAND: Final = (urls_of_services,)
