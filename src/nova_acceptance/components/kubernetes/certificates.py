"""Certificates: their time, their names and their keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509

from nova_acceptance.components.kubernetes.shapes import PRIVATE_KEY, fingerprint
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Certificate, System
from nova_acceptance.system.parts import fronts

TYPE: Final = "kubernetes.io/tls"
_NAMES_SHOWN: Final = 8
_NAMES_SAID: Final = 2


def certificates(snapshot: Snapshot) -> Iterator[Finding]:
    """Find what is wrong with the certificates of TLS Secrets and of those that nova.yaml names."""
    declared = {
        Ref("Secret", item.namespace, item.secret): item
        for item in (snapshot.system.certificates if snapshot.system else ())
    }
    now = datetime.now(UTC)
    for secret in snapshot.of_kind("Secret"):
        where = ref(secret)
        if secret.get("type") != TYPE and where not in declared:
            continue
        shown = _parsed(where, secret)
        if isinstance(shown, Phrase):
            yield Finding("CERTIFICATE_UNREADABLE", where, shown)
            continue
        yield from _key(where, secret, shown)
        yield from _time(where, shown, declared.get(where), now)
        if snapshot.system and where in declared:
            yield from _names(where, shown, declared[where], snapshot.system)


def _parsed(where: Ref, secret: Object) -> x509.Certificate | Phrase:
    """Return the Secret's first certificate, or a sentence on what is there in its place."""
    data = secret.get("data") or {}
    text, key = str(data.get("tls.crt") or ""), str(data.get("tls.key") or "")
    if not text.lstrip().startswith("-----BEGIN CERTIFICATE"):
        return Phrase("{where} holds no certificate under tls.crt", where=where)
    if not key.startswith(PRIVATE_KEY):
        return Phrase("{where} holds no private key under tls.key", where=where)
    if key.startswith(f"{PRIVATE_KEY}nothing"):
        return Phrase(
            "{where} holds a private key under tls.key that cannot be read ({error})",
            where=where,
            error=key.rpartition(": ")[2],
        )
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        return Phrase(
            "{where} holds a certificate under tls.crt that cannot be read ({error})",
            where=where,
            error=error,
        )


def _key(where: Ref, secret: Object, shown: x509.Certificate) -> Iterator[Finding]:
    try:
        of_certificate = fingerprint(shown.public_key())
    except ValueError:
        return  # a kind of key that this library does not know is no mismatch
    of_key = str(secret["data"]["tls.key"]).removeprefix(PRIVATE_KEY)
    if of_certificate != of_key:
        yield Finding(
            "CERTIFICATE_KEY_MISMATCH",
            where,
            Phrase(
                "{where}: the private key is not the one that its certificate was made with",
                where=where,
            ),
            evidence=(
                f"public key of tls.crt: sha256 {of_certificate}",
                f"public key of tls.key: sha256 {of_key}",
            ),
        )


def _time(
    where: Ref, shown: x509.Certificate, declared: Certificate | None, now: datetime
) -> Iterator[Finding]:
    begins, ends = shown.not_valid_before_utc, shown.not_valid_after_utc
    seen = (f"notBefore {begins.isoformat()}, notAfter {ends.isoformat()}, now {now.isoformat()}",)
    if ends <= now:
        said = Phrase("the certificate of {where} expired on {day}", where=where, day=ends.date())
        yield Finding("CERTIFICATE_EXPIRED", where, said, evidence=seen)
    elif begins > now:
        said = Phrase(
            "the certificate of {where} is not valid before {begins}",
            where=where,
            begins=begins.isoformat(),
        )
        yield Finding("CERTIFICATE_EXPIRED", where, said, evidence=seen)
    elif declared and ends - now < timedelta(days=declared.days_left):
        yield Finding(
            "CERTIFICATE_EXPIRING",
            where,
            Phrase(
                "the certificate of {where} expires in {days} days, where nova.yaml wants {wanted} "
                "left",
                where=where,
                days=(ends - now).days,
                wanted=declared.days_left,
            ),
            evidence=seen,
        )


def _names(
    where: Ref, shown: x509.Certificate, declared: Certificate, system: System
) -> Iterator[Finding]:
    try:
        extension = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        covered = set(extension.value.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        covered = set()
    wanted = names_of(declared, system)
    if lacking := [name for name in wanted if not _is_covered(name, covered)]:
        shown_names = ", ".join(sorted(covered)[:_NAMES_SHOWN]) or "none"
        yield Finding(
            "CERTIFICATE_NAME_MISMATCH",
            where,
            _does_not_name(where, lacking),
            evidence=(f"it names {shown_names}", f"it should name {', '.join(lacking)}"),
        )


def _does_not_name(where: Ref, lacking: list[str]) -> Phrase:
    names, more = lacking[:_NAMES_SAID], len(lacking) - _NAMES_SAID
    if more <= 0:
        return Phrase("the certificate of {where} does not name {names}", where=where, names=names)
    return Phrase(
        "the certificate of {where} does not name {names} and {more} more",
        where=where,
        names=names,
        more=more,
    )


def names_of(declared: Certificate, system: System) -> list[str]:
    """Return the names that a certificate should hold."""
    if declared.names is not None:
        return list(declared.names)
    return [
        name
        for front in fronts(system)
        if front.workload.layer == "services" and front.namespace == declared.namespace
        for short in (f"{front.name}.{front.namespace}",)
        for name in (front.name, short, f"{short}.svc", f"{short}.svc.{system.zone}")
    ]


def _is_covered(name: str, covered: set[str]) -> bool:
    """Whether a name is among them, by itself or by a wildcard (RFC 6125, section 6.4.3)."""
    _, _, parent = name.partition(".")
    return name in covered or bool(parent and f"*.{parent}" in covered)


BEFOREHAND: Final = (certificates,)
