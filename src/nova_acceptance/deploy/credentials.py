"""Passwords and certificate of a deployment: generated once, read back from the cluster after.

Which passwords there are, the Secrets of the manifests say (`templates`). The certificate names the
services (`services`); the Secret `nova-tls` holds it, and its files are `tls.crt` and `tls.key` in
`components/credentials`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nova_acceptance import masking
from nova_acceptance.deploy.certificate import KeyPair
from nova_acceptance.deploy.services import Address, addresses, complete
from nova_acceptance.deploy.templates import fill, templates, write_privately
from nova_acceptance.kube import Kube

COMPONENT: Final = Path("components", "credentials")
TLS_SECRET: Final = "nova-tls"  # noqa: S105 - a Secret's name

_RANDOM_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Credentials:
    """A deployment's secret values; its representation shows only their names.

    Attributes:
        passwords: value by name, as the placeholders name them (`redis_password`).
        tls: the services' certificate and key; None where there are no services.
    """

    passwords: Mapping[str, str] = field(repr=False)
    tls: KeyPair | None = field(repr=False, default=None)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self.passwords))})"

    def __getitem__(self, name: str) -> str:
        return self.passwords[name]

    def values(self) -> Collection[str]:
        """Return every secret value, for masking."""
        return {*self.passwords.values(), *([self.tls.key] if self.tls else ())}

    def write(self, manifests: Path) -> None:
        """Make a copy of manifests whole: Secrets, certificate, list and addresses of the services.

        What holds a secret is for its owner alone.

        Raises:
            RenderError: a Secret wants a credential that is not here, or a file is wrong.
        """
        complete(manifests)
        fill(templates(manifests), self.passwords)
        if self.tls:
            write_privately(manifests / COMPONENT / "tls.crt", self.tls.certificate)
            write_privately(manifests / COMPONENT / "tls.key", self.tls.key)


NO_CREDENTIALS: Final = Credentials({})
"""For manifests whose Secrets have their values."""


def load_credentials(kube: Kube | None, manifests: Path) -> Credentials:
    """Read back the credentials that the cluster holds, and generate those that it lacks.

    Args:
        kube: the cluster; None generates all of them.
        manifests: the directory whose Secrets say which there are.

    Raises:
        ClusterError: the API could not be asked.
        RenderError: the manifests cannot be read.
    """
    passwords: dict[str, str] = {}
    wanted: set[str] = set()
    for template in templates(manifests):
        held = _held(kube, template.namespace, template.name)
        for value in template.values:
            wanted.update(value.names)
            if value.home_of and (password := held.get(value.key)):
                passwords.setdefault(value.home_of, password)
    for name in wanted - passwords.keys():
        passwords[name] = secrets.token_urlsafe(_RANDOM_BYTES)
    has_place = (manifests / COMPONENT).is_dir()
    found = Credentials(passwords, _load_tls(kube, addresses(manifests)) if has_place else None)
    masking.register(found.values())
    return found


def _load_tls(kube: Kube | None, services: Sequence[Address]) -> KeyPair | None:
    if not services:
        return None
    names = [name for address in services for name in address.dns_names]
    held = _held(kube, services[0].namespace, TLS_SECRET)
    pair = KeyPair(held.get("tls.crt", ""), held.get("tls.key", ""))
    return pair if pair.serves(names) else KeyPair.issue(names)


def _held(kube: Kube | None, namespace: str, name: str) -> dict[str, str]:
    secret = (kube.get("v1", "Secret", name, namespace) if kube else None) or {}
    values = {}
    for key, encoded in (secret.get("data") or {}).items():
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue  # set by someone else as bytes: not one of ours, so generated anew
    return values
