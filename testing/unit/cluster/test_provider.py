"""When a cluster that is there is taken, and when it is refused."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.cluster import KindCluster, Node
from nova_acceptance.cluster.kind.images import BASE, Image
from nova_acceptance.cluster.kind.provider import Provider, difference
from nova_acceptance.cluster.model import Request
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

NOW = "nova/kind:v1.20.2-0123456789ab"
BEFORE = "nova/kind:v1.20.2-ba9876543210"
BROUGHT = "kindest/node:v1.36.2"


@pytest.mark.parametrize(
    ("request_", "there", "differs"),
    [
        (Request(), [NOW] * 3, ""),
        (Request(), [NOW], ""),  # as many nodes as it has, unless told otherwise
        (Request(nodes=3), [NOW], "it has 1 nodes where 3 are asked for"),
        (Request(nodes=3), [NOW] * 3, ""),
        (Request(), [BEFORE] * 3, ""),  # images/ has changed since
        (Request(), [BROUGHT] * 3, ""),  # somebody brought it along on purpose
        (Request(node_image=BROUGHT), [BROUGHT] * 3, ""),
        (
            Request(node_image=BROUGHT),
            [NOW] * 3,
            f"its nodes are of {NOW} where {BROUGHT} is asked for",
        ),
    ],
)
def test_cluster_is_taken_as_it_is_unless_something_else_is_asked_for(
    request_: Request, there: list[str], differs: str
) -> None:
    nodes = [Node(f"nova-{number}", image, "running") for number, image in enumerate(there)]

    assert difference(nodes, request_.nodes, request_.node_image) == differs


def test_cluster_whose_node_is_stopped_differs() -> None:
    nodes = [Node("nova-control-plane", NOW, "running"), Node("nova-worker", NOW, "exited")]

    assert difference(nodes, None, None) == "nova-worker does not run"


class Foreign(Provider):
    """Knows one cluster, that the user's Docker runs."""

    _has_own_engine = False

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


def test_nothing_is_brought_up_again_that_was_not_made_here(tmp_path: Path) -> None:
    provider = Foreign(Home(tmp_path), [Node("nova-control-plane", BROUGHT, "running")])

    assert provider.up_again(Request(), Phrase("it was asked for")) is None


class Created(Foreign):
    """Knows one cluster of its own, created to its end; whoever deletes or makes one fails."""

    def cluster(self, name: str) -> KindCluster:
        found = super().cluster(name)
        found.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        (found.kubeconfig.parent / "kind.yaml").touch()
        found.kubeconfig.touch()
        for deed in ("create", "delete"):
            setattr(found, deed, lambda *_, deed=deed: pytest.fail(f"{deed} was called"))
        return found


@pytest.mark.parametrize(
    ("request_", "nodes"),
    [
        (Request(), [Node("nova-control-plane", NOW, "exited")]),
        (Request(nodes=3), [Node("nova-control-plane", NOW, "running")]),
        (Request(node_image=BROUGHT), [Node("nova-control-plane", NOW, "running")]),
    ],
)
def test_cluster_that_is_there_is_never_replaced(
    tmp_path: Path, request_: Request, nodes: list[Node]
) -> None:
    with pytest.raises(ClusterError, match="is not replaced") as refused:
        Created(Home(tmp_path), nodes).up(request_, Phrase("it was asked for"))

    assert "nova-cluster down nova" in (refused.value.hint or "")


def test_cluster_whose_creation_failed_is_not_created_by_the_kubeconfig_of_an_earlier_one(
    tmp_path: Path,
) -> None:
    home, false = Home(tmp_path), Path("/bin/false")
    directory, log = home.cluster("nova"), home.log("nova")
    directory.mkdir(parents=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    cluster = KindCluster("nova", directory, kind=false, docker=false, engine=None, log=log)
    cluster.kubeconfig.touch()
    assert cluster.is_created

    with pytest.raises(ClusterError):
        cluster.create(1, None, Progress(io.StringIO()))

    assert not cluster.is_created


def test_kind_cluster_is_ours_while_its_configuration_is_kept(tmp_path: Path) -> None:
    cluster = Foreign(Home(tmp_path), []).cluster("nova")
    assert not cluster.is_ours

    (Home(tmp_path).cluster("nova")).mkdir(parents=True)
    (Home(tmp_path).cluster("nova") / "kind.yaml").touch()
    assert cluster.is_ours


class Loading(Provider):
    """Notes what it builds and loads."""

    def __init__(self, home: Home, *, is_up: bool) -> None:
        self._home = home
        self._progress = Progress(io.StringIO())
        self._is_up = is_up
        self.done: list[tuple[str, list[str]]] = []

    def is_up(self, name: str) -> bool:
        assert name == "nova"
        return self._is_up

    def _provide_images(self, images: tuple[Image, ...]) -> None:
        self.done.append(("built", [image.tag for image in images]))

    def cluster(self, name: str) -> KindCluster:
        found = KindCluster(
            name,
            self._home.cluster(name),
            kind=Path("kind"),
            docker=Path("docker"),
            engine=None,
            log=self._home.log(name),
        )
        load = lambda tags, _: self.done.append((f"loaded into {name}", tags))  # noqa: E731
        setattr(found, "load", load)  # noqa: B010 - no kind is asked
        return found


MAIL = Image("mail", "1", system="orders")


def test_images_of_another_system_are_built_on_the_base_and_loaded_without_it(
    tmp_path: Path,
) -> None:
    provider = Loading(Home(tmp_path), is_up=True)

    assert provider.load((MAIL,), "nova") == [MAIL.tag]
    assert provider.done == [("built", [BASE.tag, MAIL.tag]), ("loaded into nova", [MAIL.tag])]


def test_nothing_is_built_for_a_cluster_that_is_down(tmp_path: Path) -> None:
    provider = Loading(Home(tmp_path), is_up=False)

    with pytest.raises(UsageError, match="there is no cluster nova"):
        provider.load((MAIL,), "nova")
    assert provider.done == []
