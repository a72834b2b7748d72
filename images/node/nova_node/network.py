"""The pod network of one node: its CNI configuration, and routes to the other nodes' pods.

Pods of a node get addresses out of its podCIDR and a point-to-point link each (plugins
`ptp`, `host-local` and `portmap` of containernetworking). Nodes share one link layer, so a
route to each other node's podCIDR by its InternalIP is all that spans them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import os
import queue
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from nova_node.api import Api, Object
from nova_node.watch import Change, follow_in_thread

CONFIGURATION: Final = Path("/etc/cni/net.d/10-nova.conflist")
PROTOCOL: Final = "199"
"""Marks our routes in the kernel's table (`ip route … proto`); no routing daemon's number."""
CHECK_SECONDS: Final = 30.0
"""Routes are compared with the kernel's this often even when no node changes."""
RETRY_SECONDS: Final = 1.0

log = logging.getLogger(__name__)
Routes = dict[str, str]
"""Destination (CIDR) to next hop (address)."""


def conflist(pod_cidrs: Sequence[str]) -> dict[str, Any]:
    """The CNI network configuration list of a node that owns `pod_cidrs`.

    See the CNI specification 0.3.1, "Network Configuration Lists".
    """
    everywhere = {4: "0.0.0.0/0", 6: "::/0"}
    versions = [ipaddress.ip_network(cidr).version for cidr in pod_cidrs]
    ipam = {
        "type": "host-local",
        # Under /run: addresses handed out before a restart of the node are free after it.
        "dataDir": "/run/cni-ipam-state",
        "ranges": [[{"subnet": cidr}] for cidr in pod_cidrs],
        "routes": [{"dst": everywhere[version]} for version in versions],
    }
    return {
        "cniVersion": "0.3.1",
        "name": "nova",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def pod_cidrs(node: Object) -> list[str]:
    """The address ranges of the pods of `node`; empty until the cluster has given it any."""
    spec = node["spec"]
    single = [spec["podCIDR"]] if spec.get("podCIDR") else []
    return list(spec.get("podCIDRs") or single)


def routes_from(name: str, nodes: Iterable[Object]) -> Routes:
    """The routes that node `name` needs to the pods of all other `nodes`."""
    routes: Routes = {}
    for node in nodes:
        if node["metadata"]["name"] == name:
            continue
        addresses = [
            ipaddress.ip_address(address["address"])
            for address in node.get("status", {}).get("addresses") or ()
            if address["type"] == "InternalIP"
        ]
        for cidr in pod_cidrs(node):
            network = ipaddress.ip_network(cidr)
            for address in addresses:
                if address.version == network.version:
                    routes[str(network)] = str(address)
                    break
    return routes


def route_commands(wanted: Routes, present: Routes) -> list[list[str]]:
    """Arguments of `ip route` that turn the routes that are `present` into those `wanted`."""
    commands = [["del", cidr, "proto", PROTOCOL] for cidr in present.keys() - wanted.keys()]
    commands += [
        ["replace", cidr, "via", hop, "proto", PROTOCOL]
        for cidr, hop in wanted.items()
        if present.get(cidr) != hop
    ]
    return commands


class NodeNetwork:
    """Keeps one node's CNI configuration and routes as the nodes of the cluster want them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: dict[str, Object] = {}

    def take(self, changes: Sequence[Change]) -> None:
        """Remember what became of nodes."""
        for change in changes:
            if change.obj is None:
                self._nodes.pop(change.key, None)
            else:
                self._nodes[change.key] = change.obj

    def settle(self) -> bool:
        """Bring routes and configuration up to date; the routes first.

        The kubelet reports the node ready as soon as the configuration is there, and the
        first pods should find every route. A route that the kernel refuses (a node whose
        address is not on our link) holds up neither.

        Returns:
            False when something was refused and is to be tried again.
        """
        settled = True
        for command in route_commands(routes_from(self.name, self._nodes.values()), _present()):
            try:
                _ip_route(*command)
                log.info("ip route %s", " ".join(command))
            except subprocess.CalledProcessError as error:
                log.warning("ip route %s: %s", " ".join(command), error.stderr.strip())
                settled = False
        own = self._nodes.get(f"/{self.name}")
        if own is not None and (cidrs := pod_cidrs(own)):
            write_if_changed(CONFIGURATION, conflist(cidrs))
        return settled


def write_if_changed(path: Path, configuration: Mapping[str, Any]) -> None:
    """Write `configuration` as JSON in one step, so that no reader sees half of it."""
    text = json.dumps(configuration, indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.rename(path)
    log.info("wrote %s", path)


def _present() -> Routes:
    routes: Routes = {}
    for family in ("-4", "-6"):
        listing = _ip_route("show", "proto", PROTOCOL, family=family)
        for route in json.loads(listing or "[]"):
            destination = str(ipaddress.ip_network(route["dst"]))
            routes[destination] = route.get("gateway", "")
    return routes


def _ip_route(*arguments: str, family: str = "") -> str:
    argv = ["ip", "-json", *([family] if family else []), "route", *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def main(_: Sequence[str]) -> int:
    """Follow the cluster's nodes for ever."""
    network = NodeNetwork(os.environ["NODE_NAME"])
    batches: queue.SimpleQueue[Sequence[Change]] = queue.SimpleQueue()
    follow_in_thread(Api.from_environment(), "/api/v1/nodes", batches.put)
    network.take(batches.get())
    while True:
        wait = CHECK_SECONDS if network.settle() else RETRY_SECONDS
        with contextlib.suppress(queue.Empty):
            network.take(batches.get(timeout=wait))
