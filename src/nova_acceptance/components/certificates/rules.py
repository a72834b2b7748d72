"""Certificates: their time, their names, their keys and the Secrets that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.certificates import checks
from nova_acceptance.components.certificates.held import HeldCertificate
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Certificate


def certificates(snapshot: Snapshot) -> Iterator[Finding]:
    """Find what is wrong with the certificates of TLS Secrets and of those that nova.yaml names.

    What several checks say of one and the same is said once.
    """
    declared = {it.ref: it for it in snapshot.system.certificates}
    for secret in snapshot.of_kind("Secret"):
        item = declared.get(ref(secret))
        if item or secret.get("type") == checks.TYPE:
            said: dict[tuple[str, Ref, str], Finding] = {}
            for found in _found(snapshot, secret, item):
                said.setdefault(found.key, found)
            yield from said.values()


def _found(snapshot: Snapshot, secret: Object, declared: Certificate | None) -> Iterator[Finding]:
    held = HeldCertificate.of(secret, declared)
    if declared:
        yield from checks.wrong_type(secret, declared)
    yield from checks.foreign_key(held)
    yield from checks.wrong_time(held, declared.days_left if declared else 0)
    if declared:
        yield from checks.lacking_names(held, declared, snapshot.system)


BEFOREHAND: Final = (certificates,)
