"""Passwords and certificate of a deployment: generated once, read back from the cluster after.

`manifests/components/credentials/<namespace>.<secret>.env.in` are templates of Secrets:
a line `KEY={name}` is the home of the credential `name`, and any line may build it into a longer
value, such as a URL. Filled, they become `….env` beside the templates, for kustomize's
secretGenerator. A template `<service>-secrets` also puts that service into the certificate of its
namespace, `tls.crt` and `tls.key`, which the Secret `nova-tls` holds.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from nova_acceptance.deploy.certificate import KeyPair
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Kube

COMPONENT = Path("components", "credentials")
TLS_SECRET = "nova-tls"  # noqa: S105 - a Secret's name

_SUFFIX = ".env.in"
_SERVICE_SUFFIX = "-secrets"
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_RANDOM_BYTES = 24
_SHORTEST_LINE = 16
"""A line of a PEM key shorter than this, in characters, is no secret by itself."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A deployment's secret values; its representation shows only their names.

    Attributes:
        passwords: value by name, as the templates name them (`redis_password`).
        tls: the services' certificate and key; None where no template names a service.
    """

    passwords: Mapping[str, str] = field(repr=False)
    tls: KeyPair | None = field(repr=False, default=None)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self.passwords))})"

    def __getitem__(self, name: str) -> str:
        return self.passwords[name]

    def values(self) -> Collection[str]:
        """Return every secret value, and the private key's lines, for masking."""
        values = set(self.passwords.values())
        if self.tls:
            lines = self.tls.key.splitlines()[1:-1]
            values |= {self.tls.key, self.tls.key.strip(), "".join(lines)}
            values |= {line for line in lines if len(line) >= _SHORTEST_LINE}
        return values

    def write(self, manifests: Path) -> None:
        """Fill the templates: write `….env`, `tls.crt` and `tls.key` beside them, mode 0600.

        Raises:
            RenderError: a template wants a credential that is not here.
        """
        for template in _templates(manifests):
            _write(template.target, template.filled(self.passwords))
        if self.tls:
            _write(manifests / COMPONENT / "tls.crt", self.tls.certificate)
            _write(manifests / COMPONENT / "tls.key", self.tls.key)


NO_CREDENTIALS: Final = Credentials({})
"""For manifests whose Secrets have their values."""


def load_credentials(kube: Kube | None, manifests: Path) -> Credentials:
    """Read back the credentials that the cluster holds, and generate those that it lacks.

    Args:
        kube: the cluster; None generates all of them.
        manifests: the directory whose templates say which there are.

    Raises:
        ClusterError: the API could not be asked.
        RenderError: the templates cannot be read.
    """
    templates = list(_templates(manifests))
    held = {
        template.secret: _held(kube, template.namespace, template.secret) for template in templates
    }
    passwords: dict[str, str] = {}
    for template in templates:
        for key, name in template.homes():
            if value := held[template.secret].get(key):
                passwords.setdefault(name, value)
    for template in templates:
        for name in template.names():
            if name not in passwords:
                passwords[name] = secrets.token_urlsafe(_RANDOM_BYTES)
    return Credentials(passwords, _load_tls(kube, templates))


def _load_tls(kube: Kube | None, templates: list[_Template]) -> KeyPair | None:
    services = [template for template in templates if template.secret.endswith(_SERVICE_SUFFIX)]
    if not services:
        return None
    names = [
        dns
        for template in services
        for dns in _dns_names(template.secret.removesuffix(_SERVICE_SUFFIX), template.namespace)
    ]
    held = _held(kube, services[0].namespace, TLS_SECRET)
    pair = KeyPair(held.get("tls.crt", ""), held.get("tls.key", ""))
    return pair if pair.serves(names) else KeyPair.issue(names)


def _dns_names(service: str, namespace: str) -> list[str]:
    return [
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
    ]


def _held(kube: Kube | None, namespace: str, name: str) -> dict[str, str]:
    secret = (kube.get("v1", "Secret", name, namespace) if kube else None) or {}
    values = {}
    for key, encoded in (secret.get("data") or {}).items():
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue  # set by someone else as bytes: not one of ours, so generated anew
    return values


@dataclass(frozen=True, slots=True)
class _Template:
    path: Path
    namespace: str
    secret: str
    lines: tuple[str, ...]

    @property
    def target(self) -> Path:
        return self.path.with_suffix("")

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for line in self.lines:
            if line.strip() and not line.lstrip().startswith("#"):
                key, _, value = line.partition("=")
                yield key.strip(), value.strip()

    def homes(self) -> Iterator[tuple[str, str]]:
        """Yield key and credential's name where the one is exactly the other."""
        for key, value in self._pairs():
            if match := _PLACEHOLDER.fullmatch(value):
                yield key, match[1]

    def names(self) -> Iterator[str]:
        """Yield every credential's name that the template wants."""
        for _, value in self._pairs():
            yield from _PLACEHOLDER.findall(value)

    def filled(self, passwords: Mapping[str, str]) -> str:
        """Return the file's text; within a longer value a credential is percent-encoded."""
        missing = sorted(set(self.names()) - passwords.keys())
        if missing:
            raise RenderError(
                f"{self.path.name} wants credentials that there are none of: {', '.join(missing)}"
            )
        lines = []
        for key, value in self._pairs():
            alone = _PLACEHOLDER.fullmatch(value)
            text = (
                passwords[alone[1]]
                if alone
                else _PLACEHOLDER.sub(lambda match: quote(passwords[match[1]], safe=""), value)
            )
            lines.append(f"{key}={text}\n")
        return "".join(lines)


def _templates(manifests: Path) -> Iterator[_Template]:
    directory = manifests / COMPONENT
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        namespace, _, secret = path.name.removesuffix(_SUFFIX).partition(".")
        if not secret:
            raise RenderError(
                f"{path} is not named <namespace>.<secret>{_SUFFIX}",
                hint="name it after the Secret that it fills",
            )
        yield _Template(path, namespace, secret, tuple(path.read_text("utf-8").splitlines()))


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, "utf-8")
