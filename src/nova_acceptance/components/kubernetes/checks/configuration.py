"""What is wrong with a ConfigMap or Secret of nova.yaml; a Secret's value is never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.addresses import addresses_in
from nova_acceptance.components.kubernetes.shapes import PRIVATE_KEY, shape
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.libraries import x509
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Configuration, System
from nova_acceptance.system.parts import front_of

_AUTHORITY: Final = "ca.crt"
"""The key under which whoever issues certificates puts its own ("Certificate" of cert-manager)."""


@check
def missing_configuration(snapshot: Snapshot, item: Configuration) -> Iterator[Finding]:
    """Find a ConfigMap or Secret that is not there."""
    where = item.ref
    if snapshot.at(where) is None:
        yield Finding(
            "CONFIGURATION_MISSING",
            where,
            Phrase("there is no {where}, which nova.yaml declares", where=where),
            evidence=(f"keys that it should have: {', '.join(item.keys)}",),
        )


@check
def wrong_keys(snapshot: Snapshot, item: Configuration) -> Iterator[Finding]:
    """Find an object that lacks a key, or has another one where nova.yaml lists all."""
    yield from missing_configuration(snapshot, item)
    yield from missing_keys(snapshot, item)
    yield from undeclared_keys(snapshot, item)


@check
def missing_keys(
    snapshot: Snapshot, item: Configuration, but: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Find an object that lacks a key, those under `but` aside."""
    data, where = _data(snapshot, item), item.ref
    if data is None:
        return
    if lacking := [key for key in item.keys if key not in data and key not in but]:
        yield Finding(
            "CONFIGURATION_KEY_MISSING",
            where,
            Phrase("{where} lacks {keys}", where=where, keys=lacking),
            evidence=_evidence(where, data),
        )


@check
def undeclared_keys(snapshot: Snapshot, item: Configuration) -> Iterator[Finding]:
    """Find an object that has a key which nova.yaml does not list, where it lists all.

    The certificates of who issued a certificate may be beside it, as whoever issues them puts them.
    """
    data, where = _data(snapshot, item) or {}, item.ref
    surplus = sorted(data.keys() - item.keys.keys() - _authorities(item, data))
    if item.exactly and surplus:
        yield Finding(
            "CONFIGURATION_KEY_UNDECLARED",
            where,
            Phrase(
                "{where} holds {keys}, which nova.yaml does not list", where=where, keys=surplus
            ),
            evidence=_evidence(where, data),
        )


@check
def unfit_values(snapshot: Snapshot, item: Configuration) -> Iterator[Finding]:
    """Find keys with nothing, or with no certificate or private key where one is wanted."""
    yield from missing_configuration(snapshot, item)
    yield from empty_values(snapshot, item)
    data, where = _data(snapshot, item) or {}, item.ref
    for key, spec in item.keys.items():
        text = data.get(key, "")
        seen = text if item.kind == "Secret" else shape(text.encode())
        fits = {"certificate": _is_certificate, "private-key": _is_private_key}.get(spec.holds)
        if fits and text and not fits(seen):
            sentence = Phrase(
                "{where} holds no certificate under {key}"
                if spec.holds == "certificate"
                else "{where} holds no private key under {key}",
                where=where,
                key=key,
            )
            yield Finding("CERTIFICATE_UNREADABLE", where, sentence)


@check
def empty_values(snapshot: Snapshot, item: Configuration) -> Iterator[Finding]:
    """Find keys under which there is nothing."""
    data, where = _data(snapshot, item) or {}, item.ref
    known = _authorities(item, data)
    if empty := [key for key, value in data.items() if not value and key not in known]:
        sentence = Phrase("{where} holds nothing under {keys}", where=where, keys=empty)
        yield Finding("CONFIGURATION_KEY_MISSING", where, sentence)


@check
def wrong_address(
    snapshot: Snapshot, system: System, item: Configuration, key: str
) -> Iterator[Finding]:
    """Find a key that does not hold a component's address, by its full name and port."""
    yield from missing_configuration(snapshot, item)
    data, where = _data(snapshot, item), item.ref
    if data is None:
        return
    component = system.component(str(item.keys[key].address))
    front = front_of(component)
    if front is None:
        raise ValueError(f"{component.name} has no Service, and {key} cannot hold its address")
    wanted = f"{component.scheme}://{front.full_name(system.zone)}:{component.client_port}"
    if key not in data:
        sentence = Phrase("{where} lacks {keys}", where=where, keys=[key])
        yield Finding("CONFIGURATION_KEY_MISSING", where, sentence)
    elif data[key] != wanted:
        yield Finding(
            "ADDRESS_WRONG",
            where,
            _says_other(where, key, data[key], wanted),
            Phrase("write {wanted}", wanted=wanted),
        )


def _data(snapshot: Snapshot, item: Configuration) -> dict[str, str] | None:
    """Return what an object holds, a Secret's values by their shapes; None where it is absent."""
    found = snapshot.at(item.ref)
    if found is None:
        return None
    held = {**(found.get("binaryData") or {}), **(found.get("data") or {})}
    texts = {key: str(value or "") for key, value in held.items()}
    return {key: text if text.strip() else "" for key, text in texts.items()}


def _says_other(where: Ref, key: str, text: str, wanted: str) -> Phrase:
    addresses = addresses_in(text, where, key)
    # not the text, whose path or query may hold a secret
    shown = [f"{it.scheme}://{it}" if it.scheme else str(it) for it in addresses]
    return Phrase(
        "{where}, {key}, does not say {wanted} and nothing else, as nova.yaml means"
        if shown in ([], [wanted])
        else "{where}, {key}, says {addresses}, where nova.yaml means {wanted}",
        where=where,
        key=key,
        addresses=shown,
        wanted=wanted,
    )


def _evidence(where: Ref, data: Mapping[str, Any]) -> tuple[str, ...]:
    return (f"keys of {where}: {', '.join(sorted(data)) or 'none'}",)


def _is_certificate(seen: str) -> bool:
    """Whether a shape is that of PEM with certificates (RFC 7468)."""
    return bool(_certificates(seen))


def _certificates(seen: str) -> list[x509.Certificate]:
    """Return the certificates in a shape; none where it is that of anything else."""
    try:
        return x509.load_pem_x509_certificates(seen.encode())
    except ValueError:
        return []


def _authorities(item: Configuration, data: Mapping[str, str]) -> frozenset[str]:
    """Return the undeclared keys that hold who issued a certificate which is declared beside them.

    An issuer whose own certificate everybody has leaves `ca.crt` empty. Anything but certificates
    of authorities, and of a self-issued certificate itself, is none.
    """
    declared = [key for key, spec in item.keys.items() if spec.holds == "certificate"]
    if not declared:
        return frozenset()
    texts = {
        key: text if item.kind == "Secret" else shape(text.encode()) for key, text in data.items()
    }
    own = [each for key in declared for each in _certificates(texts.get(key, ""))]
    return frozenset(
        key
        for key in texts.keys() - item.keys.keys()
        if (key == _AUTHORITY and not texts[key])
        or ((held := _certificates(texts[key])) and all(map(_is_authority, held)))
        or (held and all(each in own for each in held))
    )


def _is_authority(shown: x509.Certificate) -> bool:
    """Whether a certificate may issue others (RFC 5280, section 4.2.1.9)."""
    try:
        return shown.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _is_private_key(seen: str) -> bool:
    return seen.startswith(PRIVATE_KEY) and not seen.startswith(f"{PRIVATE_KEY}nothing")
