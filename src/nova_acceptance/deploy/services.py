"""The services of `manifests/base/services`: a file each, and nothing about them elsewhere.

kustomize takes no patterns for files, and knows no way from a Service to its URL. So whoever
renders lists the files, and writes the addresses, both in a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from nova_acceptance.deploy.files import KUSTOMIZATIONS, read_file
from nova_acceptance.deploy.templates import namespace_of
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object

DIRECTORY: Final = Path("base", "services")
ADDRESSES: Final = "addresses.conf"
_ZONE: Final = "cluster.local"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is.

    Attributes:
        service: the name of its Service.
        namespace: where that is.
        port: the one named `http` or `https`, else the first.
        scheme: what is spoken there.
    """

    service: str
    namespace: str
    port: int
    scheme: str = "http"

    @property
    def dns_names(self) -> list[str]:
        """The names by which pods know it, the shortest first."""
        short = f"{self.service}.{self.namespace}"
        return [self.service, short, f"{short}.svc", f"{short}.svc.{_ZONE}"]

    @property
    def variable(self) -> str:
        """The line by which others are told: `USER_SERVICE_URL=http://…`."""
        name = self.service.upper().replace("-", "_")
        return f"{name}_URL={self.scheme}://{self.dns_names[-1]}:{self.port}"


def addresses(manifests: Path) -> list[Address]:
    """Return where the services are, in the order of their files; none where there is no directory.

    Raises:
        RenderError: a file is wrong; with its line.
    """
    directory = manifests / DIRECTORY
    namespace = namespace_of(directory)
    return [
        Address(
            obj["metadata"]["name"],
            obj["metadata"].get("namespace") or namespace,
            int(port["port"]),
            "https" if "https" in (port.get("name"), port.get("appProtocol")) else "http",
        )
        for file in _files(directory)
        for obj in (document.content for document in read_file(file))
        if obj["kind"] == "Service"
        for port in (_port(obj),)
    ]


def complete(manifests: Path) -> None:
    """List the services' files in their kustomization, and write their addresses beside it.

    Raises:
        RenderError: a file is wrong; with its line.
    """
    directory = manifests / DIRECTORY
    path = _kustomization(directory)
    if path is None:
        return
    files = [file.name for file in _files(directory)]
    content = yaml.safe_load(path.read_text("utf-8")) or {}
    listed = content.get("resources") or []
    content["resources"] = [*listed, *(name for name in files if name not in listed)]
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    lines = [f"{address.variable}\n" for address in addresses(manifests)]
    (directory / ADDRESSES).write_text("".join(lines), "utf-8")


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files that the kustomization uses for nothing else, such as for a patch."""
    path = _kustomization(directory)
    if path is None:
        return
    content = yaml.safe_load(path.read_text("utf-8")) or {}
    content.pop("resources", None)
    used = {*_words(content), path.name}
    yield from (file for file in sorted(directory.glob("*.yaml")) if file.name not in used)


def _kustomization(directory: Path) -> Path | None:
    return next((directory / name for name in KUSTOMIZATIONS if (directory / name).is_file()), None)


def _words(content: Any) -> Iterator[str]:
    if isinstance(content, dict | list):
        for each in content.values() if isinstance(content, dict) else content:
            yield from _words(each)
    elif isinstance(content, str):
        yield content


def _port(service: Object) -> dict[str, Any]:
    ports = (service.get("spec") or {}).get("ports") or ()
    if not ports:
        raise RenderError(
            f"Service {service['metadata']['name']} has no port", hint="name the one that it serves"
        )
    found: dict[str, Any] = next(
        (it for it in ports if it.get("name") in ("http", "https")), ports[0]
    )
    return found
