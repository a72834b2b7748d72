"""Makes, finds and removes kind clusters; what the machine lacks for that is provided."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster import doctor
from nova_acceptance.cluster.engine import Engine
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.archive import saved
from nova_acceptance.cluster.kind.cluster import KindCluster, Node
from nova_acceptance.cluster.kind.images import BASE, NOVA, Builder, Image
from nova_acceptance.cluster.kind.node_image import NodeImage, is_home_made
from nova_acceptance.cluster.kind.parts import provide_engine
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.cluster.model import DEFAULT_NODES, Cluster, Request
from nova_acceptance.cluster.readiness import await_ready
from nova_acceptance.errors import ClusterError, NovaError, UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress


class Provider:
    """Makes, finds and removes kind clusters.

    A Docker engine that answers and a kind on the PATH are used as they are. Otherwise the engine
    is our own, and so are kind and the node image.
    """

    def __init__(self, home: Home, progress: Progress) -> None:
        self._home = home
        self._progress = progress
        self._engine = Engine(home.engine("cluster"), home.rootfs, is_isolated=True)
        # Where ours runs, it was needed, and what it holds is what is asked about.
        self._has_own_engine = self._engine.is_running or not doctor.has_docker_and_kind()

    @property
    def engine(self) -> Engine | None:
        """The engine of ours that clusters run in; None where the user's serves."""
        return self._engine if self._has_own_engine else None

    def cluster(self, name: str) -> KindCluster:
        """Return the cluster of that name, which may or may not exist."""
        if self._has_own_engine:
            kind, docker = (self._home.binaries / program for program in ("kind", "docker"))
        else:
            kind, docker = (
                Path(shutil.which(program) or program) for program in ("kind", "docker")
            )
        log = self._home.log(f"kind-{name}")
        return KindCluster(
            name, self._home.cluster(name), kind=kind, docker=docker, engine=self.engine, log=log
        )

    def up(self, request: Request, reason: Phrase) -> Cluster:
        """Bring the cluster up, or find it up, and wait until it can be used.

        Raises:
            MachineError: the machine lacks something; everything it lacks is named at once.
            ClusterError: a part could not be built or started, or a cluster of that name is
                somebody else's, or is there and not as it is asked for.
        """
        cluster = self._up(request, reason, may_create=True)
        assert cluster is not None
        return cluster

    def up_again(self, request: Request, reason: Phrase) -> Cluster | None:
        """Do the same where the cluster was created to its end; else None, and nothing is done."""
        return self._up(request, reason, may_create=False)

    def _up(self, request: Request, reason: Phrase, *, may_create: bool) -> Cluster | None:
        with (
            exclusive(self._home.root / "lock", f"starting {request.name}", self._progress),
            ThreadPoolExecutor(1) as pool,
        ):
            # what images are made of is read meanwhile, for which nobody else waits
            present = pool.submit(self._present_image, request.name)
            there = self._created(request.name)
            if not (there or may_create):
                return None
            self._refuse_foreign(request.name)
            try:
                cluster, nodes = self._provide(request, there)
                kube = Kube(cluster.kubeconfig, cluster.context)
                with self._progress.step(f"waiting until {request.name} can be used") as step:
                    await_ready(kube, len(nodes), step)
                if there:
                    self._say_whether_outdated(cluster, nodes, present.result())
            except NovaError:
                # A cluster that came up and is not ready stays: its logs are what one wants now.
                self._leave_nothing(request.name)
                raise
            except BaseException:
                if not there:
                    self._remove(request.name)
                raise
        version = kube.server_version
        why = Phrase("{reason}; it runs Kubernetes {version}", reason=reason, version=version)
        return self._described(cluster, request, why)

    def found(self, request: Request, reason: Phrase) -> Cluster:
        """Return a cluster of ours that is up, as it is.

        Raises:
            ClusterError: its API does not answer.
        """
        cluster = self.cluster(request.name)
        version = Kube(cluster.kubeconfig, cluster.context).server_version
        why = Phrase("{reason}; it runs Kubernetes {version}", reason=reason, version=version)
        return self._described(cluster, request, why)

    def _provide(self, request: Request, nodes: list[Node]) -> tuple[KindCluster, list[Node]]:
        """Return the cluster that is there, or make one, and its nodes.

        One that was created to its end is never replaced: its volumes would be lost.

        Args:
            request: what is asked for.
            nodes: those of a cluster that is there and was created to its end.
        """
        if self._has_own_engine and not self._engine.is_running:
            doctor.require(self._home)
            is_made_here = request.node_image is None
            provide_engine(self._home, self._progress, with_sources=is_made_here)
            self._start_engine()
        cluster = self.cluster(request.name)
        if nodes:
            self._refuse_another(cluster, nodes, request)
            self._load_images(cluster, nodes)
            return cluster, nodes
        if cluster.nodes():
            self._progress.say(
                f"the creation of cluster {request.name} was broken off: it begins again"
            )
            cluster.delete(self._progress)
        image = self._node_image(request)
        try:
            cluster.create(request.nodes or DEFAULT_NODES, image, self._progress)
        except ClusterError as error:
            is_pull = "failed to pull image" in str(error)
            if self._has_own_engine or not is_pull or request.node_image:
                raise
            self._progress.say("no registry gives the node image, so engine and image are our own")
            self._has_own_engine = True
            return self._provide(request, [])
        nodes = cluster.nodes()
        self._load_images(cluster, nodes)
        return cluster, nodes

    def _refuse_another(self, cluster: KindCluster, nodes: list[Node], request: Request) -> None:
        """Stop where a cluster is there and is not as it is asked for."""
        wanted = request.node_image and (
            self._brought(request.node_image) if self._has_own_engine else request.node_image
        )
        differs = difference(nodes, request.nodes, wanted)
        if differs:
            raise ClusterError(
                f"cluster {request.name} is there, and {differs}; it is not replaced, since what "
                "is on its volumes would be lost",
                hint=f"`nova-cluster down {request.name}` removes it with its volumes; to use it "
                f"as it is: `--cluster context:{cluster.context}`",
            )

    def _present_image(self, name: str) -> str:
        """Return the name that our node image has now; empty where no cluster runs of one."""
        if not (self._has_own_engine and self.cluster(name).is_created and self._engine.is_running):
            return ""
        return NodeImage(self._home, self._engine).name(self._progress)

    def _say_whether_outdated(self, cluster: KindCluster, nodes: list[Node], present: str) -> None:
        """Say where the node image of this project has changed since the cluster was made."""
        of_ours = [node.image for node in nodes if is_home_made(node.image)]
        if present and any(image != present for image in of_ours):
            self._progress.say(
                f"cluster {cluster.name} was made from an earlier node image and is used as it "
                f"is; `nova-cluster down {cluster.name}` lets the next start make it from {present}"
            )

    def down(self, name: str) -> None:
        """Remove a cluster; with the last one our engine ends and leaves nothing behind.

        Raises:
            ClusterError: it is somebody else's, or could not be removed.
        """
        with exclusive(self._home.root / "lock", f"removing {name}", self._progress):
            self._refuse_foreign(name)
            self._remove(name)
            if self._has_own_engine:
                self._building_engine().stop()

    def _refuse_foreign(self, name: str) -> None:
        """Leave a kind cluster of the user's Docker alone that was not made from here."""
        cluster = self.cluster(name)
        if not cluster.is_ours and cluster.nodes():
            raise ClusterError(
                f"there is a kind cluster {name} already, and it was not made by this project",
                hint=f"use it with `--cluster context:{cluster.context}`, or remove it yourself: "
                f"`kind delete cluster --name {name}`",
            )

    def _remove(self, name: str) -> None:
        if not self._has_own_engine:
            self.cluster(name).delete(self._progress)
            return
        if self._engine.is_running and self._clusters() - {name}:
            self.cluster(name).delete(self._progress)
            return
        # The last cluster: with the engine's namespaces everything in them is gone at once.
        with self._progress.step("stopping the container engine"):
            if self._engine.is_running:
                self._remove_containers()
            self._engine.stop()
        shutil.rmtree(self._home.cluster(name), ignore_errors=True)

    def _leave_nothing(self, name: str) -> None:
        """Take away what a start that failed or was interrupted has half made."""
        if self._has_own_engine and not self._engine.is_running:
            return
        if not self.is_there(name):
            self._remove(name)

    def is_there(self, name: str) -> bool:
        """Whether the cluster was created to its end and has nodes, running or not."""
        return bool(self._created(name))

    def _created(self, name: str) -> list[Node]:
        """Return the nodes of a cluster that was created to its end, running or not."""
        if self._has_own_engine and not self._engine.is_running:
            return []
        cluster = self.cluster(name)
        return cluster.nodes() if cluster.is_created else []

    def is_up(self, name: str) -> bool:
        """Whether the cluster has nodes that run."""
        if self._has_own_engine and not self._engine.is_running:
            return False
        return any(node.state == "running" for node in self.cluster(name).nodes())

    def purge(self) -> None:
        """Remove everything of ours from the machine, the cache included.

        Raises:
            ClusterError: something could not be removed.
        """
        for directory in sorted((self._home.root / "clusters").glob("*")):
            self.down(directory.name)
        self._engine.stop()
        self._building_engine().stop()
        try:
            with self._progress.step(f"removing what is ours in {self._home.root}"):
                self._home.remove()
        except OSError as error:
            raise ClusterError(
                f"{self._home.root} could not be removed", evidence=[str(error)]
            ) from error

    def _start_engine(self) -> None:
        if not self._engine.is_running:
            with self._progress.step("starting the container engine"):
                self._engine.start()
                # An engine that was killed still knows its containers; none of them lives.
                self._remove_containers()

    def _node_image(self, request: Request) -> str | None:
        if not self._has_own_engine:
            return request.node_image
        if request.node_image is None:
            return NodeImage(self._home, self._engine).provide(self._progress)
        return self._brought(request.node_image)

    def _brought(self, image: str) -> str:
        """Return a node image of the user's by its name in our engine, which pulls nothing.

        Raises:
            ClusterError: it is neither there nor a file.
            UsageError: the file is not what `docker save` writes.
        """
        docker = self.cluster("any").run_docker
        if Path(image).is_file():
            archive = saved(Path(image))
            known = docker("images", "--quiet", "--no-trunc", archive.name)
            if not archive.ids.intersection(known):
                with self._progress.step(f"loading node image {image}"):
                    docker("load", "--input", image, timeout=timeouts.BUILD)
            return archive.name
        if not docker("images", "--quiet", image):
            raise ClusterError(
                f"node image {image} is not on this machine, and our engine reaches no registry",
                hint="`docker save` it where it is, and give the file: --node-image FILE.tar",
            )
        return image

    def _load_images(self, cluster: KindCluster, nodes: list[Node]) -> None:
        """Load Nova's images where the node image does not hold them; kind skips what is there."""
        if all(is_home_made(node.image) for node in nodes):
            return
        self.provide_nova()
        cluster.load([image.tag for image in NOVA], self._progress)

    def provide_nova(self) -> None:
        """Have Nova's images in the engine that clusters run in, whether ours or the user's."""
        self._provide_images(NOVA)

    def load(self, images: tuple[Image, ...], name: str) -> list[str]:
        """Build images of another system and load them into a cluster; return their tags.

        What is built already in its present content is not built again.

        Raises:
            UsageError: there is no such cluster.
            ClusterError: a build or a load failed, with the last lines of its output.
        """
        with exclusive(self._home.root / "lock", f"loading images into {name}", self._progress):
            if not self.is_up(name):
                raise UsageError(
                    f"there is no cluster {name}", hint="start it with `nova-cluster up`"
                )
            self._provide_images((BASE, *images))
            tags = [image.tag for image in images]
            self.cluster(name).load(tags, self._progress)
        return tags

    def _provide_images(self, images: tuple[Image, ...]) -> None:
        if self._has_own_engine:
            NodeImage(self._home, self._engine).provide_images(images, self._progress)
        else:
            docker = Path(shutil.which("docker") or "docker")
            builder = Builder(docker, {}, self._home.log("images"), None)
            builder.build(images, self._progress)

    def _clusters(self) -> set[str]:
        """Return the names of the clusters that have nodes in our engine."""
        label = "io.x-k8s.kind.cluster"
        listing = ["ps", "--all", f"--filter=label={label}", f'--format={{{{.Label "{label}"}}}}']
        return set(self.cluster("any").run_docker(*listing))

    def _remove_containers(self) -> None:
        cluster = self.cluster("any")
        containers = cluster.run_docker("ps", "--all", "--quiet", "--no-trunc")
        if containers:
            cluster.run_docker("rm", "--force", "--volumes", *containers)

    def _building_engine(self) -> Engine:
        return Engine(self._home.engine("build"), self._home.rootfs, is_isolated=False)

    def _described(self, cluster: KindCluster, request: Request, reason: Phrase) -> Cluster:
        named = "" if request.name == Request.name else request.name
        return Cluster(
            name=cluster.name,
            provider="kind",
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            reason=reason,
            reuse_hint=f"pytest --cluster kind{named and f':{named}'} --no-deploy",
            remove_hint=f"nova-cluster down {named}".rstrip(),
            is_local=True,
        )


def difference(nodes: list[Node], number: int | None, image: str | None) -> str:
    """Say in what a cluster's nodes differ from what is asked for; empty where they do not.

    Args:
        nodes: the nodes that are there.
        number: how many nodes are asked for; None for as many as there are.
        image: their image; None for whatever image they have.
    """
    stopped = ", ".join(node.name for node in nodes if node.state != "running")
    if stopped:
        return f"{stopped} does not run"
    if number not in {None, len(nodes)}:
        return f"it has {len(nodes)} nodes where {number} are asked for"
    others = ", ".join(sorted({node.image for node in nodes} - {image}))
    return f"its nodes are of {others} where {image} is asked for" if image and others else ""
