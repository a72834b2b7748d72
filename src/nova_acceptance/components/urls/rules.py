"""The URLs by which services connect, against nova.yaml."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.resolution import missing_service, service_at
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.traits import Trait, held_traits
from nova_acceptance.components.urls import checks, values, written
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts

_TWO: Final = 2
_DEFAULT: Final = "default"
"""The user that a Redis takes one for who names none; any other is of its ACL, with a password
of its own. Source: Redis' documentation, "ACL"."""


def urls_of_services(snapshot: Snapshot) -> Iterator[Finding]:
    """Find URLs that differ from nova.yaml; one diagnosis for each cause and Secret."""
    urls = list(_urls(snapshot))
    found: dict[tuple[str, Ref], list[tuple[HeldUrl, Finding]]] = defaultdict(list)
    for url in urls:
        for each in checks.differing_url(url):
            if not _is_told_as_such(snapshot, url, each):
                found[each.cause, each.subject].append((url, each))
    yield from map(_as_one, filter(None, (*found.values(), *_passwords(snapshot, urls))))


def databases_shared(snapshot: Snapshot) -> Iterator[Finding]:
    """Find two services that share a numbered database, where every other has one of its own."""
    users: dict[Ref, dict[str, list[HeldUrl]]] = defaultdict(lambda: defaultdict(list))
    for url in _urls(snapshot):
        if url.wanted.is_numbered and url.address and url.url.source:
            users[url.service][url.address.path.strip("/") or "0"].append(url)
    for service, by_number in users.items():
        shared = [(number, its) for number, its in by_number.items() if len(its) > 1]
        alone = len(by_number) - len(shared)
        if len(shared) != 1 or len(shared[0][1]) != _TWO or alone < _TWO:
            continue  # who shares by habit shares by right
        number, (first, second) = shared[0]
        yield Finding(
            "URL_DATABASE_SHARED",
            second.holder,
            Phrase(
                "{holder}, {key}, and {other}, {other_key}, both name database {number} of"
                " {service}, where every other service has its own",
                holder=second.holder,
                key=second.key,
                other=first.holder,
                other_key=first.key,
                number=number,
                service=service,
            ),
        )


def _urls(snapshot: Snapshot) -> Iterator[HeldUrl]:
    for url in parts.urls(snapshot.system, inside=True):
        text = ((snapshot.at(url.holder) or {}).get("data") or {}).get(url.key)
        if not text:
            continue
        # of a Secret a snapshot has nothing but the shapes
        seen = text if url.holder.kind == "Secret" else shape(text.encode())
        traits = held_traits(snapshot.at(url.holder), url.key)
        if held := HeldUrl.of(url, snapshot.system, seen, traits):
            yield held


def _is_told_as_such(snapshot: Snapshot, url: HeldUrl, found: Finding) -> bool:
    """Whether configuration of any kind is told to be wrong in the same way.

    That is a name of a Service that does not exist, and a port that the Service does not have.
    """
    if url.address is None:
        return False
    if found.cause == "URL_TARGET_WRONG":
        user = workload_of_component(snapshot, url.url.source) if url.url.source else None
        return bool(user and any(missing_service(snapshot, it, user) for it in url.addresses))
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
        traits = held_traits(snapshot.at(home), key)
        wrong = [url for url in its if url.password != held]
        if any(it.name == "placeholder" for it in traits):
            continue  # told as what it is
        told = {url.url.name: _as_written(url, home, key, held, traits) for url in wrong}
        by_place: dict[tuple[str, Ref], list[tuple[HeldUrl, Finding]]] = defaultdict(list)
        for url in wrong:
            if found_in_it := told[url.url.name]:
                by_place[found_in_it.cause, found_in_it.subject].append((url, found_in_it))
        for of_a_place in by_place.values():
            yield _without_repetition(snapshot, of_a_place)
        wrong = [
            url for url in wrong if not (told[url.url.name] or url.has("placeholder", "password"))
        ]
        marks = {url.password for url in wrong}
        if len(wrong) == len(its) > 1 and len(marks) == 1 and "" not in marks:
            yield [(its[0], _differs_from_all(home, key, its))]
            continue
        by_holder: dict[Ref, list[tuple[HeldUrl, Finding]]] = defaultdict(list)
        for url in wrong:
            said = _other_password(url, home, key, _elsewhere(snapshot, url.password))
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


def _as_written(
    url: HeldUrl, home: Ref, key: str, held: str, traits: Iterable[Trait]
) -> Finding | None:
    """Return why two passwords differ that are the same but for how one of them is written."""
    for trait in traits:
        if url.password and trait.meant == url.password:
            return _of_home(home, key, trait)
    for trait in url.traits:
        if trait.meant != held:
            continue
        if trait.name == "escapes":
            makes = written.escaped_twice if trait.what == "%25" else written.escaped_outside_a_url
            return makes(url.holder, url.key)
        if trait.name == "encoded":
            return written.encoded(url.holder, url.key)
        if trait.name == "quoted":
            return written.quoted(url.holder, url.key, trait)
        return next(
            iter(written.badly_written(url.holder, url.key, [trait], is_credential=True)), None
        )
    return None


def _of_home(home: Ref, key: str, trait: Trait) -> Finding | None:
    if trait.name == "encoded":
        return written.encoded(home, key)
    if trait.name == "bytes":
        return written.not_text(home, key)
    return next(iter(written.badly_written(home, key, [trait], is_credential=True)), None)


def _without_repetition(
    snapshot: Snapshot, found: list[tuple[HeldUrl, Finding]]
) -> list[tuple[HeldUrl, Finding]]:
    """Return the findings at one place; what is wrong with a password is told once."""
    its = {each.summary: (url, each) for url, each in found}
    told = {it.summary for it in values.values_as_written(snapshot)}
    for url in _urls(snapshot):
        told |= {it.summary for it in checks.malformed_url(url)}
    return [each for summary, each in its.items() if summary not in told]


def _elsewhere(snapshot: Snapshot, password: str) -> tuple[Ref, str] | None:
    """Return what else is known to hold a password, by its mark: of another user or environment."""
    for secret in snapshot.of_kind("Secret") if password else ():
        for key, text in (secret.get("data") or {}).items():
            if text == password:
                return ref(secret), key
    return None


def _other_password(
    url: HeldUrl, home: Ref, home_key: str, elsewhere: tuple[Ref, str] | None
) -> Phrase:
    if elsewhere:
        other, other_key = elsewhere
        return Phrase(
            "{holder}, {key}, holds the password of {other}, {other_key}, and not that of {home},"
            " {home_key}",
            holder=url.holder,
            key=url.key,
            other=other,
            other_key=other_key,
            home=home,
            home_key=home_key,
        )
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
    user = url.address.user if url.address else ""
    home = url.wanted.passwords.get("" if user == _DEFAULT and not url.wanted.users else user)
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


BEFOREHAND: Final = (*values.BEFOREHAND, urls_of_services, databases_shared)
