"""Network plugins that are known not to enforce NetworkPolicies, by what installs them on nodes.

Where only such ones are seen, no policy is the cause of anything; of a plugin that is not known
here nothing is assumed, and trying a connection tells (`enforcement`).
Sources: "Network Policies" of Kubernetes' documentation; the READMEs of flannel and of Canal, which
adds Calico's policies to it; the release notes of kind 0.24, whose kindnet enforces them since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.workloads import containers, template
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_CONFIGURATION: Final = "/etc/cni"
"""Where a node's container runtime looks for its network plugin."""
_UNENFORCING: Final = re.compile(r"(^|/)(flannel|flannel-cni-plugin|nova/node)([:@]|$)")
_KINDNET: Final = re.compile(r"(^|/)kindnetd:v(?P<day>\d{8})\b")
_KINDNET_ENFORCES: Final = "20240813"
"""The day of the first image of kindnet that does."""


def are_policies_enforced(snapshot: Snapshot) -> bool:
    """Whether policies may do anything, for all that is seen: by trying, and by the plugins."""
    if not snapshot.are_policies_enforced:
        return False
    plugins = list(_plugins(snapshot))
    return not plugins or not all(map(_enforces_nothing, plugins))


def _plugins(snapshot: Snapshot) -> Iterator[Object]:
    """Yield the DaemonSets that install a network plugin on their nodes."""
    for each in snapshot.of_kind("DaemonSet"):
        volumes = template(each)["spec"].get("volumes") or ()
        paths = [str((volume.get("hostPath") or {}).get("path") or "") for volume in volumes]
        if any(path.rstrip("/").startswith(_CONFIGURATION) for path in paths):
            yield each


def _enforces_nothing(plugin: Object) -> bool:
    """Whether every program of a plugin is known to leave policies alone."""
    images = [str(each.get("image") or "") for each in containers(template(plugin))]
    return bool(images) and all(map(_is_without_policies, images))


def _is_without_policies(image: str) -> bool:
    if found := _KINDNET.search(image):
        return found["day"] < _KINDNET_ENFORCES
    return bool(_UNENFORCING.search(image))
