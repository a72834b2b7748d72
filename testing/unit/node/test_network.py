"""Nodes to routes and to a CNI configuration."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from nova_node import network
from nova_node.api import Object
from nova_node.network import (
    NodeNetwork,
    conflist,
    pod_cidrs,
    route_commands,
    routes_from,
    write_if_changed,
)
from nova_node.watch import Change


def node(name: str, address: str = "172.18.0.2", *cidrs: str) -> Object:
    spec = {"podCIDR": cidrs[0], "podCIDRs": list(cidrs)} if cidrs else {}
    addresses = [
        {"type": "Hostname", "address": name},
        {"type": "InternalIP", "address": address},
    ]
    return {"metadata": {"name": name}, "spec": spec, "status": {"addresses": addresses}}


A = node("a", "172.18.0.2", "10.244.0.0/24")
B = node("b", "172.18.0.3", "10.244.1.0/24")
C = node("c", "172.18.0.4", "10.244.2.0/24")


def test_routes_lead_to_every_other_node() -> None:
    assert routes_from("a", [A, B, C]) == {
        "10.244.1.0/24": "172.18.0.3",
        "10.244.2.0/24": "172.18.0.4",
    }


def test_node_without_range_or_address_has_no_route_yet() -> None:
    bare: Object = {"metadata": {"name": "d"}, "spec": {"podCIDR": "10.244.3.0/24"}}

    assert routes_from("a", [A, node("b"), bare]) == {}


def test_routes_keep_to_one_family() -> None:
    dual = node("b", "172.18.0.3", "10.244.1.0/24", "fd00:1::/64")
    dual["status"]["addresses"].append({"type": "InternalIP", "address": "fc00::3"})

    assert routes_from("a", [dual]) == {"10.244.1.0/24": "172.18.0.3", "fd00:1::/64": "fc00::3"}


def test_only_differences_are_commanded() -> None:
    wanted = {"10.244.1.0/24": "172.18.0.3", "10.244.2.0/24": "172.18.0.9"}
    present = {"10.244.1.0/24": "172.18.0.3", "10.244.2.0/24": "172.18.0.4", "10.244.3.0/24": "x"}

    assert route_commands(wanted, present) == [
        ["del", "10.244.3.0/24", "proto", network.PROTOCOL],
        ["replace", "10.244.2.0/24", "via", "172.18.0.9", "proto", network.PROTOCOL],
    ]


def test_single_range_of_an_older_api_is_taken() -> None:
    assert pod_cidrs({"spec": {"podCIDR": "10.244.1.0/24"}}) == ["10.244.1.0/24"]
    assert pod_cidrs({"spec": {}}) == []


def test_configuration_gives_pods_addresses_of_the_nodes_ranges() -> None:
    found = conflist(["10.244.1.0/24", "fd00:1::/64"])

    ptp, portmap = found["plugins"]
    assert ptp["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}], [{"subnet": "fd00:1::/64"}]]
    assert ptp["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
    assert portmap["capabilities"] == {"portMappings": True}


def test_configuration_is_written_in_one_step_and_only_when_it_differs(tmp_path: Path) -> None:
    """Containerd reads the directory whenever something in it changes."""
    path = tmp_path / "10-nova.conflist"
    write_if_changed(path, {"name": "nova"})
    first = path.stat()
    write_if_changed(path, {"name": "nova"})

    assert json.loads(path.read_text()) == {"name": "nova"}
    assert path.stat().st_mtime_ns == first.st_mtime_ns
    assert list(tmp_path.iterdir()) == [path]


class Kernel:
    """A routing table that takes `ip route` commands; refuses next hops in `unreachable`."""

    def __init__(self) -> None:
        self.routes: dict[str, str] = {}
        self.unreachable: set[str] = set()

    def ip_route(self, *arguments: str, family: str = "") -> str:
        match arguments:
            case ("show", *_):
                if family == "-6":
                    return ""
                return json.dumps([{"dst": d, "gateway": g} for d, g in self.routes.items()])
            case ("replace", cidr, "via", hop, *_):
                if hop in self.unreachable:
                    raise subprocess.CalledProcessError(2, "ip", stderr="invalid gateway")
                self.routes[cidr] = hop
            case ("del", cidr, *_):
                del self.routes[cidr]
        return ""


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kernel:
    found = Kernel()
    monkeypatch.setattr(network, "_ip_route", found.ip_route)
    monkeypatch.setattr(network, "CONFIGURATION", tmp_path / "10-nova.conflist")
    return found


def test_node_that_moves_or_leaves_is_followed(kernel: Kernel) -> None:
    """A node's container may come back with another address."""
    own = NodeNetwork("a")
    own.take([Change("/a", A), Change("/b", B), Change("/c", C)])
    assert own.settle()
    own.take([Change("/b", node("b", "172.18.0.9", "10.244.1.0/24")), Change("/c", None)])
    assert own.settle()

    assert kernel.routes == {"10.244.1.0/24": "172.18.0.9"}


def test_node_out_of_reach_holds_nothing_else_up(kernel: Kernel) -> None:
    kernel.unreachable = {"172.18.0.3"}
    own = NodeNetwork("a")
    own.take([Change("/a", A), Change("/b", B), Change("/c", C)])

    assert not own.settle()
    assert kernel.routes == {"10.244.2.0/24": "172.18.0.4"}
    assert network.CONFIGURATION.exists()

    kernel.unreachable = set()
    assert own.settle()
    assert kernel.routes["10.244.1.0/24"] == "172.18.0.3"


@pytest.mark.usefixtures("kernel")
def test_no_configuration_before_the_node_has_a_range() -> None:
    """The node must not be taken for ready."""
    own = NodeNetwork("a")
    own.take([Change("/a", node("a"))])

    assert own.settle()
    assert not network.CONFIGURATION.exists()
