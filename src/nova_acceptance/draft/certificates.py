"""The certificates that Secrets hold together with their private keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from nova_acceptance.components.certificates.checks import TYPE
from nova_acceptance.components.certificates.held import (
    HeldCertificate,
    dns_names,
    is_covered,
    names_of,
)
from nova_acceptance.components.kubernetes.shapes import PRIVATE_KEY
from nova_acceptance.findings import Ref
from nova_acceptance.system import Certificate, System

_DAYS_LEFT: Final = 30
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


@dataclass(slots=True)
class Described:
    """What nova.yaml says of a certificate.

    Attributes:
        fields: as it is written; empty where there is none.
        remark: a comment at it; empty for none.
        head: what a person has to look at besides.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    remark: str = ""
    head: list[str] = field(default_factory=list)


def is_certificate(shape: str) -> bool:
    """Whether a value is a certificate, by its shape."""
    return shape.lstrip().startswith(_BEGIN)


def is_private_key(shape: str) -> bool:
    """Whether a value is a private key that can be read, by its shape."""
    return shape.startswith(PRIVATE_KEY) and not shape.startswith(f"{PRIVATE_KEY}nothing")


def certificate_in(
    where: Ref, shapes: Mapping[str, str], type_of_secret: str, system: System
) -> Described:
    """Return what is said of the certificate of a Secret that holds its private key as well.

    Args:
        where: the Secret.
        shapes: of its values, by key.
        type_of_secret: such as `kubernetes.io/tls`.
        system: the components, whose names it should hold.
    """
    made = Described()
    # what others signed it with has a key of its own beside it
    shown = sorted(filter(lambda key: is_certificate(shapes[key]), shapes), key=_is_authority)
    private = [key for key in shapes if is_private_key(shapes[key])]
    if not (shown and private):
        return made
    usual = Certificate.model_fields
    made.fields = {"secret": where.name, "namespace": where.namespace, "days_left": _DAYS_LEFT}
    for name, key in (("certificate", shown[0]), ("private_key", private[0])):
        if key != usual[name].default:
            made.fields[name] = key
    try:
        found = HeldCertificate(where, shapes[shown[0]], shapes[private[0]]).read()
    except ValueError:
        return Described(head=[f"{where}, {shown[0]}, is no certificate that can be read"])
    declared = Certificate(secret=where.name, namespace=where.namespace, days_left=_DAYS_LEFT)
    wanted, there = names_of(declared, system), dns_names(found)
    if not wanted or not all(is_covered(name, there) for name in wanted):
        made.fields["names"] = sorted(there)
        made.remark = (
            "The names that it holds: not all of those of the services of its namespace are there."
        )
    left = (found.not_valid_after_utc - datetime.now(UTC)).days
    if left < _DAYS_LEFT:
        made.head.append(f"the certificate of {where} is valid for {left} days more")
    if type_of_secret != TYPE and not {"certificate", "private_key"} & made.fields.keys():
        made.head.append(f"{where} holds a certificate, and is of type {type_of_secret}")
    return made


def _is_authority(key: str) -> bool:
    return key.startswith("ca")
