"""Which images a node has, and when its kubelet asks a registry for them all the same.

Sources: Kubernetes documentation, "Images" (how a policy is chosen where none is written), and the
kubelet's defaults `nodeStatusMaxImages: 50` and five names an image.
"""

from __future__ import annotations

import re
from typing import Any, Final

from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

ALWAYS: Final = "Always"
NEVER: Final = "Never"
_LATEST: Final = "latest"
_MOST: Final = 50
"""Images that a node lists at most, the largest first; of a longer list an absence says nothing."""
_HUB: Final = "docker.io"
_HUB_NAMES: Final = frozenset({"index.docker.io", "registry-1.docker.io", _HUB})
_OFFICIAL: Final = "library/"
_TAG: Final = re.compile(r":(\w[\w.-]{0,127})$")


def repository_of(image: str) -> str:
    """Return an image's registry and path in full, without tag and digest."""
    name, _, _ = image.partition("@")
    name = _TAG.sub("", name)
    registry, slash, path = name.partition("/")
    is_registry = slash and ("." in registry or ":" in registry or registry == "localhost")
    if not is_registry:
        registry, path = _HUB, name
    if registry in _HUB_NAMES:
        registry = _HUB
        path = path if "/" in path else f"{_OFFICIAL}{path}"
    return f"{registry}/{path}"


def tag_of(image: str) -> str:
    """Return an image's tag; empty where it has none."""
    found = _TAG.search(image.partition("@")[0])
    return found[1] if found else ""


def full_name(image: str) -> str:
    """Return the one name by which images are compared: by digest where there is one, else by tag.

    Args:
        image: as a pod or a node writes it: `redis`, `docker.io/library/redis:latest`, by digest.
    """
    _, _, digest = image.partition("@")
    return f"{repository_of(image)}{f'@{digest}' if digest else f':{tag_of(image) or _LATEST}'}"


def policy_of(container: dict[str, Any]) -> str:
    """Return when a container's image is pulled; where nothing is written, what that means."""
    if written := container.get("imagePullPolicy"):
        return str(written)
    image = str(container.get("image") or "")
    is_moving = "@" not in image and tag_of(image) in {"", _LATEST}
    return ALWAYS if is_moving else "IfNotPresent"


def is_held(node: Object | None, image: str) -> bool | None:
    """Whether a node has an image; None where that is not known.

    Args:
        node: as the API has it; None where it may not be read.
        image: as a pod asks for it.
    """
    listed = _names(node)
    if full_name(image) in {full_name(name) for name in listed}:
        return True
    count = len(((node or {}).get("status") or {}).get("images") or ())
    return False if 0 < count < _MOST else None


def holders(snapshot: Snapshot, image: str) -> list[str]:
    """Return the names of the nodes of which it is known that they have an image."""
    return sorted(
        node["metadata"]["name"] for node in snapshot.of_kind("Node") if is_held(node, image)
    )


def relatives(node: Object | None, image: str) -> list[str]:
    """Return the names, with tags, under which a node has the same repository or the same path.

    A path of another registry counts: an image that was built on the spot is often `localhost/…`.
    """
    wanted = repository_of(image).partition("/")[2].removeprefix(_OFFICIAL)
    return sorted(
        name
        for name in _names(node)
        if tag_of(name)
        and repository_of(name).partition("/")[2].removeprefix(_OFFICIAL) == wanted
        and full_name(name) != full_name(image)
    )


def _names(node: Object | None) -> list[str]:
    images = ((node or {}).get("status") or {}).get("images") or ()
    every = (str(name) for each in images for name in each.get("names") or ())
    return [name for name in every if "<none>" not in name]
