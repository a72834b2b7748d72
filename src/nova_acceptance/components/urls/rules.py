"""The URLs by which services connect, against nova.yaml."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.resolution import missing_service, service_at
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts


def urls_of_services(snapshot: Snapshot) -> Iterator[Finding]:
    """Find URLs that differ from nova.yaml; one diagnosis for each cause and Secret."""
    urls = list(_urls(snapshot))
    found: dict[tuple[str, Ref], list[tuple[HeldUrl, Finding]]] = defaultdict(list)
    for url in urls:
        for each in checks.differing_url(url):
            if not _is_told_as_such(snapshot, url, each):
                found[each.cause, each.subject].append((url, each))
    yield from map(_as_one, (*found.values(), *_passwords(snapshot, urls)))


def _urls(snapshot: Snapshot) -> Iterator[HeldUrl]:
    for url in parts.urls(snapshot.system, inside=True):
        text = ((snapshot.at(url.holder) or {}).get("data") or {}).get(url.key)
        if not text:
            continue
        # of a Secret a snapshot has nothing but the shapes
        seen = text if url.holder.kind == "Secret" else shape(text.encode())
        if held := HeldUrl.of(url, snapshot.system, seen):
            yield held


def _is_told_as_such(snapshot: Snapshot, url: HeldUrl, found: Finding) -> bool:
    """Whether configuration of any kind is told to be wrong in the same way.

    That is a name of a Service that does not exist, and a port that the Service does not have.
    """
    if url.address is None:
        return False
    if found.cause == "URL_TARGET_WRONG":
        user = workload_of_component(snapshot, url.url.source) if url.url.source else None
        return bool(user and missing_service(snapshot, url.address, user))
    if found.cause == "URL_PORT_WRONG":
        service = service_at(snapshot, url.address, url.holder.namespace) or {"spec": {}}
        ports = {entry["port"] for entry in service["spec"].get("ports") or ()}
        is_headless = service["spec"].get("clusterIP") == "None"
        return bool(ports) and not is_headless and url.address.port not in ports
    return False


def _passwords(
    snapshot: Snapshot, urls: Iterable[HeldUrl]
) -> Iterator[list[tuple[HeldUrl, Finding]]]:
    """Compare the passwords in URLs with those in the Secrets that hold them.

    Where all URLs agree with each other and none with that Secret, it is the Secret that differs.
    """
    found: dict[tuple[Ref, str], list[HeldUrl]] = defaultdict(list)
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
            yield [(its[0], _differs_from_all(home, key, its))]
            continue
        by_holder: dict[Ref, list[tuple[HeldUrl, Finding]]] = defaultdict(list)
        for url in wrong:
            said = _other_password(url, home, key)
            by_holder[url.holder].append((url, Finding("URL_PASSWORD_WRONG", url.holder, said)))
        yield from by_holder.values()


def _differs_from_all(home: Ref, key: str, urls: list[HeldUrl]) -> Finding:
    users = ", ".join(sorted(url.url.source.name for url in urls if url.url.source))
    return Finding(
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


def _other_password(url: HeldUrl, home: Ref, home_key: str) -> Phrase:
    return Phrase(
        "{holder}, {key}, holds another password than {home}, {home_key}"
        if url.password
        else "{holder}, {key}, holds no password; {home}, {home_key} does",
        holder=url.holder,
        key=url.key,
        home=home,
        home_key=home_key,
    )


def _home(url: HeldUrl) -> tuple[Ref, str] | None:
    """Return the Secret and key that hold the password that this URL should have."""
    user = url.address.user if url.wanted.users and url.address else ""
    home = url.wanted.passwords.get(user)
    return (Ref("Secret", url.owner.namespace, home.secret), home.key) if home else None


def _as_one(findings: list[tuple[HeldUrl, Finding]]) -> Finding:
    """Return one finding for several of one cause at one object, with each as its evidence."""
    (_, first), *more = findings
    if first.evidence:
        return first
    evidence = tuple(f"{url.url.name}: {each.summary}" for url, each in findings)
    said = first.summary
    if more:
        said = Phrase("{said} (and {more} more like it)", said=said, more=len(more))
    return replace(first, summary=said, evidence=evidence)


BEFOREHAND: Final = (urls_of_services,)
