"""What is wrong with a URL, by what can be seen of it against nova.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.addresses import service_meant
from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.components.urls.written import PLACED, badly_written, wrong_option
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Url


@check
def differing_url(held: HeldUrl) -> Iterator[Finding]:
    """Find a URL that does not lead to what its component uses, as that component may use it."""
    yield from malformed_url(held)
    yield from wrong_scheme(held)
    yield from wrong_service(held) or wrong_port(held)
    yield from wrong_database(held)
    yield from wrong_user(held)
    yield from wrong_options(held)


@check
def malformed_url(held: HeldUrl) -> Iterator[Finding]:
    """Find a value that is no URL, or more than one, or that programs take for another."""
    told = badly_written(held.holder, held.key, held.traits, is_credential=True)
    yield from told
    if held.is_alone and (held.address or held.is_numeric):
        return
    if any(it.cause != "VALUE_WITH_BLANKS" for it in told):
        return
    sentence = Phrase(
        "{holder}, {key}, holds more than one URL"
        if held.address
        else "{holder}, {key}, is no URL",
        holder=held.holder,
        key=held.key,
    )
    yield Finding("URL_MALFORMED", held.holder, sentence)


@check
def wrong_scheme(held: HeldUrl) -> Iterator[Finding]:
    """Find a URL of another protocol."""
    scheme = held.address.scheme if held.address else held.shape.partition("://")[0].lower()
    if "://" in held.shape and not re.fullmatch(held.wanted.schemes, scheme):
        sentence = Phrase(
            "{holder}, {key}, begins with {scheme}://, and leads to {target}",
            holder=held.holder,
            key=held.key,
            scheme=scheme,
            target=held.url.target,
        )
        cure = Phrase("write {scheme}://", scheme=held.wanted.scheme)
        yield Finding("URL_SCHEME_WRONG", held.holder, sentence, cure)


@check
def wrong_service(held: HeldUrl) -> Iterator[Finding]:
    """Find a URL that names another Service, or none at all.

    Every form of the Service's name that works where the URL is used will do.
    """
    if held.address is None and not held.is_numeric:
        return
    right = held.forms_of_all if held.has_several else held.forms
    wrong = next((it for it in held.addresses if it.host not in right), None)
    if held.address and wrong is None:
        return
    where = wrong or held.shape.partition("://")[2].rpartition("@")[2]
    host = wrong.host if wrong else ""
    found = service_meant(host, held.holder.namespace, held.zone) if host else None
    sentence = Phrase(
        "{holder}, {key}, leads out of the cluster, to {address}"
        if not found
        else "{holder}, {key}, leads to {service}, where nova.yaml says {wanted}"
        if found != held.service
        else "{holder}, {key}, leads to {address}, which is no name of {wanted} in zone {zone}",
        holder=held.holder,
        key=held.key,
        address=where,
        service=found,
        wanted=held.service,
        zone=held.zone,
    )
    cure = Phrase("name {service}", service=held.full_name)
    yield Finding("URL_TARGET_WRONG", held.holder, sentence, cure)


@check
def wrong_port(held: HeldUrl) -> Iterator[Finding]:
    """Find a URL that leads to another port of the Service, or to one that it does not have."""
    ports = [it.port or held.wanted.usual_port for it in held.addresses]
    written = next((it for it in ports if it != held.wanted.port), None)
    if held.address is None or written is None:
        return
    is_declared = written in held.wanted.service.ports.values()
    sentence = Phrase(
        "{holder}, {key}, leads to port {written} of {service}, where nova.yaml says {port}",
        holder=held.holder,
        key=held.key,
        written=written,
        service=held.service,
        port=held.wanted.port,
    )
    cure = Phrase("write {service}:{port}", service=held.full_name, port=held.wanted.port)
    is_of_another = is_declared or held.address.port is None
    yield Finding(
        "URL_TARGET_WRONG" if is_of_another else "URL_PORT_WRONG", held.holder, sentence, cure
    )


@check
def wrong_database(held: HeldUrl) -> Iterator[Finding]:
    """Find a URL that names another database, or none."""
    wanted = held.wanted.path
    named = held.address.path.strip("/") if held.address else ""
    if held.wanted.is_numbered and held.address and not re.fullmatch(r"[0-9]*", named):
        # not the word, which may be a part of a secret
        sentence = Phrase(
            "{holder}, {key}, names a database that is no number", holder=held.holder, key=held.key
        )
        yield Finding(
            "URL_DATABASE_WRONG", held.holder, sentence, Phrase("write a number, as in /0")
        )
    if held.address is None or wanted is None or named == wanted or held.has(PLACED, "path"):
        return
    sentence = Phrase(
        "{holder}, {key}, names the database {named}, where nova.yaml says {wanted}"
        if named
        else "{holder}, {key}, names no database, where nova.yaml says {wanted}",
        holder=held.holder,
        key=held.key,
        named=named,
        wanted=wanted,
    )
    yield Finding(
        "URL_DATABASE_WRONG", held.holder, sentence, Phrase("write /{database}", database=wanted)
    )


@check
def wrong_user(held: HeldUrl) -> Iterator[Finding]:
    """Find a URL of a user whom nova.yaml does not let into what it leads to."""
    users = held.wanted.users
    if held.address is None or not users or held.address.user in users:
        return
    if held.has(PLACED, "user"):
        return
    sentence = Phrase(
        "{holder}, {key}, connects as {user}, whom nova.yaml does not let into {database}"
        if held.address.user
        else "{holder}, {key}, connects as nobody, whom nova.yaml does not let into {database}",
        holder=held.holder,
        key=held.key,
        user=held.address.user,
        database=held.url.target,
    )
    yield Finding(
        "URL_USER_WRONG", held.holder, sentence, Phrase("write {roles}", roles=_either(users))
    )


@check
def wrong_options(held: HeldUrl) -> Iterator[Finding]:
    """Find an option that its program does not know, or that cannot hold where the URL leads."""
    for trait in held.traits:
        if trait.name == "option" and not trait.what:
            yield wrong_option(held.holder, held.key, trait.at)
    session = held.option("target_session_attrs")
    leads_to_primary = held.wanted.service.role == "primary" or held.owner.runs.replicas == 1
    if session in ("read-only", "standby") and leads_to_primary and not held.has_several:
        yield Finding(
            "URL_OPTION_WRONG",
            held.holder,
            Phrase(
                "{holder}, {key}, wants a session that is {session}, and {service} leads to the"
                " primary alone",
                holder=held.holder,
                key=held.key,
                session=session,
                service=held.service,
            ),
            Phrase("write target_session_attrs=read-write, or leave it out"),
        )
    if (held.option("sslmode"), held.option("channel_binding")) == ("disable", "require"):
        yield Finding(
            "URL_OPTION_WRONG",
            held.holder,
            Phrase(
                "{holder}, {key}, demands channel binding and forbids TLS, which it is a part of",
                holder=held.holder,
                key=held.key,
            ),
            Phrase("write sslmode=require, or leave channel_binding out"),
        )


@check
def missing_address(holder: Object | None, url: Url) -> Iterator[Finding]:
    """Find a component that is not told where a system outside the cluster is."""
    where = url.holder
    if holder is None:
        yield Finding("CONFIGURATION_MISSING", where, Phrase("there is no {where}", where=where))
    elif (holder.get("data") or {}).get(url.key) in (None, "", mark("")):
        sentence = Phrase(
            "{where}, {key}, does not say where {target} is",
            where=where,
            key=url.key,
            target=url.target,
        )
        yield Finding("CONFIGURATION_KEY_MISSING", where, sentence)


def _either(names: tuple[str, ...]) -> str:
    said, *others = names
    for other in others:
        said = Phrase("{some} or {other}", some=said, other=other)
    return said
