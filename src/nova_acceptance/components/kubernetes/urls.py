"""The URLs by which services connect, against nova.yaml."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.kubernetes.addresses import Address, addresses_in
from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.resolution import missing_service, service_at, zone_of
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase
from nova_acceptance.system import Component, System, Url, UrlOf, parts

_PASSWORD: Final = re.compile(r"://[^\s:/@?#]*:([^\s@]*)@")


@dataclass(frozen=True, slots=True)
class _Url:
    """One URL of one service, as its Secret holds it."""

    url: Url
    owner: Component
    wanted: UrlOf
    text: str
    address: Address | None

    @property
    def holder(self) -> Ref:
        return Ref(*self.url.holder)

    @property
    def password(self) -> str:
        """The mark of its password; empty if it has none."""
        found = _PASSWORD.search(self.text)
        return found[1] if found else ""

    @property
    def key(self) -> str:
        return self.url.key


Said = tuple[_Url, Phrase, Phrase]
"""A URL, what is wrong with it, and what to do."""


def urls_of_services(snapshot: Snapshot) -> Iterator[Finding]:
    """Find URLs that differ from nova.yaml; one diagnosis for each cause and Secret."""
    system = snapshot.system
    if system is None:
        return
    urls = list(_urls(snapshot, system))
    found: dict[tuple[str, Ref], list[Said]] = defaultdict(list)
    for url in urls:
        for cause, said, cure in _wrong(snapshot, url):
            found[cause, url.holder].append((url, said, cure))
    for (cause, holder), findings in found.items():
        yield _diagnosis(cause, holder, findings)
    yield from _passwords(snapshot, urls)


def _urls(snapshot: Snapshot, system: System) -> Iterator[_Url]:
    for url in parts.urls(system, inside=True):
        holder, owner = Ref(*url.holder), system.owner_of(url.target)
        wanted = owner.url(url.target) if owner else None
        text = ((snapshot.at(holder) or {}).get("data") or {}).get(url.key)
        if text and owner and wanted:
            addresses = [it for it in addresses_in(text, holder, url.key) if it.scheme]
            yield _Url(url, owner, wanted, text, addresses[0] if addresses else None)


def _wrong(snapshot: Snapshot, url: _Url) -> Iterator[tuple[str, Phrase, Phrase]]:
    address = url.address
    if address is None:
        said = Phrase("{holder}, {key}, is no URL", holder=url.holder, key=url.key)
        yield "URL_MALFORMED", said, NOTHING
        return
    if not re.fullmatch(url.wanted.schemes, address.scheme):
        yield (
            "URL_SCHEME_WRONG",
            Phrase(
                "{holder}, {key}, begins with {scheme}://, and leads to {target}",
                holder=url.holder,
                key=url.key,
                scheme=address.scheme,
                target=url.url.target,
            ),
            Phrase("write {scheme}://", scheme=url.wanted.scheme),
        )
    yield from _target(snapshot, url, address)
    yield from _path(url, address)


def _target(
    snapshot: Snapshot, url: _Url, address: Address
) -> Iterator[tuple[str, Phrase, Phrase]]:
    wanted = Ref("Service", url.wanted.namespace, url.wanted.service.name)
    port = url.wanted.port
    service = service_at(snapshot, address, url.holder.namespace)
    full = f"{wanted.name}.{wanted.namespace}.svc.{zone_of(snapshot)}"
    source = url.url.source
    user = workload_of_component(snapshot, source) if source else None
    if service is None and user and missing_service(snapshot, address, user):
        return  # which is said of it as such
    if service is None and ".svc" not in f"{address.host}.":
        yield (
            "URL_TARGET_WRONG",
            Phrase(
                "{holder}, {key}, leads out of the cluster, to {address}",
                holder=url.holder,
                key=url.key,
                address=address,
            ),
            Phrase("name {service}", service=full),
        )
    elif service is not None and ref(service) != wanted:
        yield (
            "URL_TARGET_WRONG",
            Phrase(
                "{holder}, {key}, leads to {service}, where nova.yaml says {wanted}",
                holder=url.holder,
                key=url.key,
                service=ref(service),
                wanted=wanted,
            ),
            Phrase("name {service}", service=full),
        )
    elif service is not None:
        ports = {entry["port"] for entry in service["spec"].get("ports") or ()}
        written = address.port or url.wanted.usual_port
        if written != port and (written in ports or address.port is None):
            yield (
                "URL_TARGET_WRONG",
                Phrase(
                    "{holder}, {key}, leads to port {written} of {service}, where nova.yaml says "
                    "{port}",
                    holder=url.holder,
                    key=url.key,
                    written=written,
                    service=wanted,
                    port=port,
                ),
                Phrase("write {service}:{port}", service=full, port=port),
            )


def _path(url: _Url, address: Address) -> Iterator[tuple[str, Phrase, Phrase]]:
    named, wanted, users = address.path.strip("/"), url.wanted.path, url.wanted.users
    if wanted is not None and named != wanted:
        cure = Phrase("write /{database}", database=wanted)
        yield "URL_DATABASE_WRONG", _other_database(url, named, wanted), cure
    if users and address.user not in users:
        cure = Phrase("write {roles}", roles=_either(list(users)))
        yield "URL_USER_WRONG", _other_user(url, address.user, url.url.target), cure


def _other_database(url: _Url, named: str, wanted: str) -> Phrase:
    if not named:
        return Phrase(
            "{holder}, {key}, names no database, where nova.yaml says {wanted}",
            holder=url.holder,
            key=url.key,
            wanted=wanted,
        )
    return Phrase(
        "{holder}, {key}, names the database {named}, where nova.yaml says {wanted}",
        holder=url.holder,
        key=url.key,
        named=named,
        wanted=wanted,
    )


def _other_user(url: _Url, user: str, database: str) -> Phrase:
    if not user:
        return Phrase(
            "{holder}, {key}, connects as nobody, whom nova.yaml does not let into {database}",
            holder=url.holder,
            key=url.key,
            database=database,
        )
    return Phrase(
        "{holder}, {key}, connects as {user}, whom nova.yaml does not let into {database}",
        holder=url.holder,
        key=url.key,
        user=user,
        database=database,
    )


def _either(names: list[str]) -> str:
    said, *others = names
    for other in others:
        said = Phrase("{some} or {other}", some=said, other=other)
    return said


def _passwords(snapshot: Snapshot, urls: Iterable[_Url]) -> Iterator[Finding]:
    """Compare the passwords in URLs with those in the Secrets that hold them.

    Where all URLs agree with each other and none with that Secret, it is the Secret that differs.
    """
    found: dict[tuple[Ref, str], list[_Url]] = defaultdict(list)
    for url in urls:
        where = _home(url)
        if where and url.address:
            found[where].append(url)
    for (home, key), its in found.items():
        held = ((snapshot.at(home) or {}).get("data") or {}).get(key)
        if held is None or "://" in held:
            continue
        wrong = [url for url in its if url.password != held]
        marks = {url.password for url in wrong}
        if len(wrong) == len(its) > 1 and len(marks) == 1 and "" not in marks:
            users = ", ".join(sorted(url.url.source.name for url in its if url.url.source))
            yield Finding(
                "URL_PASSWORD_WRONG",
                home,
                Phrase(
                    "{home}, {key}, is another password than the one that every URL holds",
                    home=home,
                    key=key,
                ),
                Phrase("write the password of the URLs into it, or deploy the URLs with this one"),
                evidence=(f"URLs of {users} agree with each other, and not with {home}",),
            )
            continue
        by_holder: dict[Ref, list[Said]] = defaultdict(list)
        for url in wrong:
            by_holder[url.holder].append((url, _other_password(url, home, key), NOTHING))
        for holder, findings in by_holder.items():
            yield _diagnosis("URL_PASSWORD_WRONG", holder, findings)


def _other_password(url: _Url, home: Ref, home_key: str) -> Phrase:
    if not url.password:
        return Phrase(
            "{holder}, {key}, holds no password; {home}, {home_key} does",
            holder=url.holder,
            key=url.key,
            home=home,
            home_key=home_key,
        )
    return Phrase(
        "{holder}, {key}, holds another password than {home}, {home_key}",
        holder=url.holder,
        key=url.key,
        home=home,
        home_key=home_key,
    )


def _home(url: _Url) -> tuple[Ref, str] | None:
    """Return the Secret and key that hold the password that this URL should have."""
    user = url.address.user if url.wanted.users and url.address else ""
    home = url.wanted.passwords.get(user)
    return (Ref("Secret", url.owner.namespace, home.secret), home.key) if home else None


def _diagnosis(cause: str, holder: Ref, findings: list[Said]) -> Finding:
    _, said, cure = findings[0]
    evidence = tuple(f"{url.url.name}: {its}" for url, its, _ in findings)
    if len(findings) > 1:
        said = Phrase("{said} (and {more} more like it)", said=said, more=len(findings) - 1)
    return Finding(cause, holder, said, cure, evidence=evidence)


BEFOREHAND: Final = (urls_of_services,)
