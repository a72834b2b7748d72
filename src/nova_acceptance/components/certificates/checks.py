"""What is wrong with a certificate, by what its Secret holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.certificates.held import (
    CERTIFICATE,
    KEY,
    HeldCertificate,
    dns_names,
    is_covered,
    names_of,
    public_key,
)
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Certificate, System

TYPE: Final = "kubernetes.io/tls"
_NAMES_SHOWN: Final = 8
_NAMES_SAID: Final = 2


@check
def wrong_type(secret: Object | None, declared: Certificate) -> Iterator[Finding]:
    """Find a Secret that is not of the type by which Kubernetes knows a certificate and its key.

    It is the type of the keys `tls.crt` and `tls.key` alone.
    """
    where = declared.ref
    if secret is None:
        yield Finding("CONFIGURATION_MISSING", where, Phrase("there is no {where}", where=where))
    elif (declared.certificate, declared.private_key) == (CERTIFICATE, KEY):
        found = secret.get("type") or "Opaque"
        if found != TYPE:
            sentence = Phrase(
                "{where} holds a certificate and is of type {found}, not {wanted}",
                where=where,
                found=found,
                wanted=TYPE,
            )
            yield Finding("CERTIFICATE_TYPE_WRONG", where, sentence)


@check
def unreadable_certificate(held: HeldCertificate) -> Iterator[Finding]:
    """Find a Secret in which no certificate can be read."""
    try:
        held.read()
    except ValueError as error:
        sentence = Phrase(
            "{where} holds a certificate under {key} that cannot be read ({error})"
            if held.certificate.lstrip().startswith("-----BEGIN CERTIFICATE")
            else "{where} holds no certificate under {key}",
            where=held.where,
            key=held.certificate_key,
            error=error,
        )
        yield Finding("CERTIFICATE_UNREADABLE", held.where, sentence)


@check
def unreadable_key(held: HeldCertificate) -> Iterator[Finding]:
    """Find a Secret in which no private key can be read."""
    try:
        held.read_key()
    except ValueError as error:
        sentence = Phrase(
            "{where} holds under {key} no private key that can be read ({error})",
            where=held.where,
            key=held.private_key_key,
            error=error,
        )
        yield Finding("CERTIFICATE_UNREADABLE", held.where, sentence)


@check
def foreign_key(held: HeldCertificate) -> Iterator[Finding]:
    """Find a certificate that was made with another key than the one beside it."""
    if unreadable := [*unreadable_certificate(held), *unreadable_key(held)]:
        yield from unreadable
        return
    of_certificate, of_key = public_key(held.read()), held.read_key()
    if of_certificate and of_certificate != of_key:  # a kind that is not known here may fit
        yield Finding(
            "CERTIFICATE_KEY_MISMATCH",
            held.where,
            Phrase(
                "{where}: the private key is not the one that its certificate was made with",
                where=held.where,
            ),
            evidence=(
                f"public key of {held.certificate_key}: sha256 {of_certificate}",
                f"public key of {held.private_key_key}: sha256 {of_key}",
            ),
        )


@check
def lacking_names(
    held: HeldCertificate, declared: Certificate, system: System
) -> Iterator[Finding]:
    """Find a certificate without a name that nova.yaml asks for; a wildcard names many."""
    if unreadable := unreadable_certificate(held):
        yield from unreadable
        return
    names = dns_names(held.read())
    if lacking := [name for name in names_of(declared, system) if not is_covered(name, names)]:
        shown = ", ".join(sorted(names)[:_NAMES_SHOWN]) or "none"
        yield Finding(
            "CERTIFICATE_NAME_MISMATCH",
            held.where,
            _does_not_name(held.where, lacking),
            evidence=(f"it names {shown}", f"it should name {', '.join(lacking)}"),
        )


@check
def wrong_time(held: HeldCertificate, days_left: int = 0) -> Iterator[Finding]:
    """Find a certificate that is not valid now, or not for so many days more."""
    if unreadable := unreadable_certificate(held):
        yield from unreadable
        return
    shown, now, where = held.read(), datetime.now(UTC), held.where
    begins, ends = shown.not_valid_before_utc, shown.not_valid_after_utc
    seen = (f"notBefore {begins.isoformat()}, notAfter {ends.isoformat()}, now {now.isoformat()}",)
    if ends <= now or begins > now:
        said = Phrase(
            "the certificate of {where} expired on {day}"
            if ends <= now
            else "the certificate of {where} is not valid before {begins}",
            where=where,
            day=ends.date(),
            begins=begins.isoformat(),
        )
        yield Finding("CERTIFICATE_EXPIRED", where, said, evidence=seen)
    elif ends - now < timedelta(days=days_left):
        yield Finding(
            "CERTIFICATE_EXPIRING",
            where,
            Phrase(
                "the certificate of {where} expires in {days} days, where nova.yaml wants {wanted} "
                "left",
                where=where,
                days=(ends - now).days,
                wanted=days_left,
            ),
            evidence=seen,
        )


def _does_not_name(where: Ref, lacking: list[str]) -> Phrase:
    names, more = lacking[:_NAMES_SAID], len(lacking) - _NAMES_SAID
    return Phrase(
        "the certificate of {where} does not name {names} and {more} more"
        if more > 0
        else "the certificate of {where} does not name {names}",
        where=where,
        names=names,
        more=more,
    )
