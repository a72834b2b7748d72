"""What is wrong with a ConfigMap or Secret of nova.yaml; a Secret's value is never shown."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.shapes import PRIVATE_KEY
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Store
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Configuration, System
from nova_acceptance.system.parts import front_of


@check
def missing_configuration(store: Store, item: Configuration) -> Iterator[Finding]:
    """Find a ConfigMap or Secret that is not there."""
    where = where_of(item)
    if store.at(where) is None and store.knows(item.kind, item.namespace):
        yield Finding(
            "CONFIGURATION_MISSING",
            where,
            Phrase("there is no {where}, which nova.yaml declares", where=where),
            evidence=(f"keys that it should have: {', '.join(item.keys)}",),
        )


@check
def wrong_keys(store: Store, item: Configuration) -> Iterator[Finding]:
    """Find an object that lacks a key, or has another one where there are to be no others."""
    yield from missing_keys(store, item)
    yield from undeclared_keys(store, item)


@check
def missing_keys(store: Store, item: Configuration) -> Iterator[Finding]:
    """Find an object that lacks a key, or is not there at all."""
    data, where = _data(store, item), where_of(item)
    if data is None:
        yield from missing_configuration(store, item)
    elif lacking := [key for key in item.keys if key not in data]:
        yield Finding(
            "CONFIGURATION_KEY_MISSING",
            where,
            Phrase("{where} lacks {keys}", where=where, keys=lacking),
            evidence=_evidence(where, data),
        )


@check
def undeclared_keys(store: Store, item: Configuration) -> Iterator[Finding]:
    """Find an object that has a key which nova.yaml does not list, where it lists all."""
    data, where = _data(store, item) or {}, where_of(item)
    if item.exactly and (surplus := sorted(data.keys() - set(item.keys))):
        yield Finding(
            "CONFIGURATION_KEY_UNDECLARED",
            where,
            Phrase(
                "{where} holds {keys}, which nova.yaml does not list", where=where, keys=surplus
            ),
            evidence=_evidence(where, data),
        )


@check
def unfit_values(store: Store, item: Configuration) -> Iterator[Finding]:
    """Find keys under which there is nothing, or no certificate or private key where one is wanted.

    A certificate and a private key are PEM (RFC 7468).
    """
    data, where = _data(store, item), where_of(item)
    if data is None:
        yield from missing_configuration(store, item)
        return
    told = item.keys if not item.exactly else data
    if empty := [key for key in told if key in data and not data[key].strip()]:
        yield Finding(
            "CONFIGURATION_KEY_MISSING",
            where,
            Phrase("{where} holds nothing under {keys}", where=where, keys=empty),
        )
    for key, spec in item.keys.items():
        text = data.get(key, "")
        if not text.strip():
            continue
        if spec.holds == "certificate" and not _is_certificate(text):
            yield Finding(
                "CERTIFICATE_UNREADABLE",
                where,
                Phrase("{where} holds no certificate under {key}", where=where, key=key),
            )
        elif spec.holds == "private-key" and not _is_private_key(text):
            yield Finding(
                "CERTIFICATE_UNREADABLE",
                where,
                Phrase("{where} holds no private key under {key}", where=where, key=key),
            )


@check
def wrong_address(store: Store, system: System, item: Configuration, key: str) -> Iterator[Finding]:
    """Find a key that does not hold a component's address, by its full name and port."""
    data, where = _data(store, item), where_of(item)
    if data is None:
        yield from missing_configuration(store, item)
        return
    component = system.component(str(item.keys[key].address))
    front = front_of(component)
    if front is None:
        raise ValueError(f"{component.name} has no Service, and {key} cannot hold its address")
    wanted = f"http://{front.full_name(system.zone)}:{component.client_port}"
    if key not in data:
        sentence = Phrase("{where} lacks {keys}", where=where, keys=[key])
        yield Finding("CONFIGURATION_KEY_MISSING", where, sentence)
    elif data[key] != wanted:
        yield Finding(
            "ADDRESS_WRONG",
            where,
            Phrase(
                "{where}, {key}, does not say {wanted}, which nova.yaml means",
                where=where,
                key=key,
                wanted=wanted,
            ),
            Phrase("write {wanted}", wanted=wanted),
        )


def where_of(item: Configuration) -> Ref:
    """Return the reference of a ConfigMap or Secret."""
    return Ref(item.kind, item.namespace, item.name)


def _data(store: Store, item: Configuration) -> dict[str, str] | None:
    """Return what an object holds, a Secret's values by their shapes; None where it is absent."""
    found = store.at(where_of(item))
    if found is None:
        return None
    held = {**(found.get("binaryData") or {}), **(found.get("data") or {})}
    return {key: str(value or "") for key, value in held.items()}


def _evidence(where: Ref, data: dict[str, str]) -> tuple[str, ...]:
    return (f"keys of {where}: {', '.join(sorted(data)) or 'none'}",)


def _is_certificate(text: str) -> bool:
    try:
        return bool(x509.load_pem_x509_certificates(text.encode()))
    except ValueError:
        return False


def _is_private_key(text: str) -> bool:
    """Whether it is a private key, or the shape of one."""
    if text.startswith(PRIVATE_KEY):
        return not text.startswith(f"{PRIVATE_KEY}nothing")
    try:
        return bool(load_pem_private_key(text.encode(), password=None))
    except (ValueError, TypeError):
        return False
