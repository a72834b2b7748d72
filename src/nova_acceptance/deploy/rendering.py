"""From manifests of any form to the objects that are applied."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import yaml

from nova_acceptance import kubectl, timeouts
from nova_acceptance.deploy.credentials import NO_CREDENTIALS, Credentials
from nova_acceptance.deploy.files import KUSTOMIZATIONS, Loader, key_of, read_objects
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object, describe
from nova_acceptance.kube.objects import OF_THE_SERVER

_LAST_LINES = 10


class Form(StrEnum):
    """How manifests are written."""

    LAYERS = "layers"
    """As those of this repository: base, components, overlays, and templates of credentials."""
    KUSTOMIZATION = "kustomization"
    FILES = "files"


def form_of(manifests: Path) -> Form:
    """Return how manifests are written.

    Raises:
        RenderError: there is nothing at that path.
    """
    if not manifests.exists():
        raise RenderError(f"there are no manifests at {manifests}", hint="name a file or directory")
    if (manifests / "base").is_dir() and (manifests / "overlays").is_dir():
        return Form.LAYERS
    is_one = manifests.name in KUSTOMIZATIONS and manifests.is_file()
    if is_one or any((manifests / name).is_file() for name in KUSTOMIZATIONS):
        return Form.KUSTOMIZATION
    return Form.FILES


def overlays_of(manifests: Path) -> list[str]:
    """Return the names of the overlays that there are; none of what has no layers."""
    return sorted(path.parent.name for path in manifests.glob("overlays/*/kustomization.yaml"))


def render(
    manifests: Path,
    overlay: str = "",
    credentials: Credentials = NO_CREDENTIALS,
) -> list[Object]:
    """Return the objects of manifests, Secrets with their values.

    Credentials are written only into a scratch copy that nobody else may read and that is gone
    when this returns.

    Args:
        manifests: a directory with `base`, `components` and `overlays`; or one with a
            kustomization; or a file, or directory of files, of plain YAML or JSON.
        overlay: a directory's name under `overlays`, where there are any.
        credentials: what the Secrets of `base` are filled with; others have their values.

    Raises:
        RenderError: there is no such overlay, kustomize refused it, or a file is wrong.
    """
    form = form_of(manifests)
    if form is Form.LAYERS:
        objects = _overlaid(manifests, overlay, credentials)
    elif form is Form.KUSTOMIZATION:
        objects = _parsed(kustomize(manifests if manifests.is_dir() else manifests.parent))
    else:
        objects = read_objects(manifests)
    refuse_duplicates(objects)
    return [_as_applied(obj) for obj in objects]


def kustomize(directory: Path) -> str:
    """Return what `kubectl kustomize` makes of a directory, as YAML.

    Raises:
        RenderError: kustomize refused it, with its last lines.
    """
    try:
        done = subprocess.run(
            [kubectl.program(), "kustomize", str(directory)],
            capture_output=True,
            encoding="utf-8",
            timeout=timeouts.RENDER,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"kubectl kustomize took longer than {timeouts.RENDER:.0f} s") from error
    if done.returncode:
        is_overlay = directory.parent.name == "overlays"
        raise RenderError(
            f"kubectl kustomize refused {f'overlay {directory.name}' if is_overlay else directory}",
            hint="see it by itself: `kubectl kustomize` on a copy with credentials filled in"
            if is_overlay
            else f"see it by itself: `kubectl kustomize {directory}`",
            evidence=done.stderr.strip().splitlines()[-_LAST_LINES:],
        )
    return done.stdout


def refuse_duplicates(objects: Sequence[Object]) -> None:
    """Refuse objects of which two would be the same one on a cluster.

    Raises:
        RenderError: there are such.
    """
    seen: set[tuple[str, str, str, str]] = set()
    for obj in objects:
        if key_of(obj) in seen:
            raise RenderError(
                f"{describe(obj)} is rendered twice", hint="two places define it; drop one"
            )
        seen.add(key_of(obj))


def _overlaid(manifests: Path, overlay: str, credentials: Credentials) -> list[Object]:
    overlays = overlays_of(manifests)
    if overlay not in overlays:
        raise RenderError(
            f"there is no overlay {overlay} under {manifests / 'overlays'}",
            hint=f"choose one of: {', '.join(overlays) or '(none there)'}",
        )
    with tempfile.TemporaryDirectory(prefix="nova-render-") as scratch:
        copy = Path(scratch, "manifests")
        shutil.copytree(manifests, copy)
        credentials.write(copy)
        return _parsed(kustomize(copy / "overlays" / overlay))


def _parsed(text: str) -> list[Object]:
    try:
        return [document for document in yaml.load_all(text, Loader=Loader) if document]
    except yaml.YAMLError as error:
        raise RenderError("kustomize's output is no YAML", evidence=[str(error)]) from error


def _as_applied(obj: Object) -> Object:
    """Return an object as a server-side apply takes it, whoever wrote it."""
    metadata = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in OF_THE_SERVER and not (key == "namespace" and not value)
    }
    made = {key: value for key, value in obj.items() if key != "status"} | {"metadata": metadata}
    if made["kind"] == "Secret" and "stringData" in made:
        made["data"] = {**(made.get("data") or {}), **dict(_encoded(made.pop("stringData")))}
    _name_protocols(made)
    return made


def _encoded(strings: dict[str, str] | None) -> Iterator[tuple[str, str]]:
    """Yield a Secret's strings as the API keeps them: an apply of strings never takes one away."""
    for key, value in (strings or {}).items():
        text = "" if value is None else str(value)
        yield key, base64.b64encode(text.encode()).decode()


def _name_protocols(node: object) -> None:
    """Write out `protocol: TCP` for every port of a Service or a container.

    It is the API's default, but part of the key by which a server-side apply finds a port, and
    servers of 1.20 refuse a key that is not there.
    """
    if isinstance(node, dict):
        for port in node.get("ports") or ():
            if isinstance(port, dict) and port.keys() & {"port", "containerPort"}:
                port.setdefault("protocol", "TCP")
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            _name_protocols(child)
