"""When a cluster that is there is taken, and when it is made anew."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.cluster import KindCluster, Node
from nova_acceptance.cluster.kind.provider import Provider, _is_wanted
from nova_acceptance.cluster.model import Request
from nova_acceptance.errors import ClusterError
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

NOW = "nova/kind:v1.20.2-0123456789ab"
BEFORE = "nova/kind:v1.20.2-ba9876543210"
BROUGHT = "kindest/node:v1.36.2"


@pytest.mark.parametrize(
    ("request_", "there", "taken"),
    [
        (Request(), [NOW] * 3, True),
        (Request(), [NOW], True),  # as many nodes as it has, unless told otherwise
        (Request(nodes=3), [NOW], False),
        (Request(nodes=3), [NOW] * 3, True),
        (Request(), [BEFORE] * 3, False),  # images/ has changed since
        (Request(), [BROUGHT] * 3, True),  # somebody brought it along on purpose
        (Request(node_image=BROUGHT), [BROUGHT] * 3, True),
        (Request(node_image=BROUGHT), [NOW] * 3, False),
    ],
)
def test_cluster_is_taken_as_it_is_unless_something_else_is_asked_for(
    request_: Request, there: list[str], taken: bool
) -> None:
    nodes = [Node(f"nova-{number}", image, "running") for number, image in enumerate(there)]

    assert _is_wanted(nodes, request_, request_.node_image or NOW) is taken


class Foreign(Provider):
    """Knows one cluster, that the user's Docker runs."""

    def __init__(self, home: Home, nodes: list[Node]) -> None:
        self._home = home
        self._progress = Progress(io.StringIO())
        self._there = nodes

    def cluster(self, name: str) -> KindCluster:
        found = KindCluster(
            name,
            self._home.cluster(name),
            kind=Path("kind"),
            docker=Path("docker"),
            engine=None,
            log=self._home.log(name),
        )
        setattr(found, "nodes", lambda: self._there)  # noqa: B010 - no Docker is asked
        return found


def test_kind_cluster_of_somebody_else_is_neither_made_anew_nor_removed(tmp_path: Path) -> None:
    provider = Foreign(Home(tmp_path), [Node("nova-control-plane", BROUGHT, "exited")])

    with pytest.raises(ClusterError, match="not made by this project"):
        provider.up(Request(), Phrase("it was asked for"))
    with pytest.raises(ClusterError, match="not made by this project"):
        provider.down("nova")


def test_kind_cluster_is_ours_while_its_configuration_is_kept(tmp_path: Path) -> None:
    cluster = Foreign(Home(tmp_path), []).cluster("nova")
    assert not cluster.is_ours

    (Home(tmp_path).cluster("nova")).mkdir(parents=True)
    (Home(tmp_path).cluster("nova") / "kind.yaml").touch()
    assert cluster.is_ours
