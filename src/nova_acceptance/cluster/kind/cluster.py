"""A kind cluster from its creation to its end, on an engine of our own or the user's."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pytest_kubernetes.providers.kind import KindManagerBase

from nova_acceptance import timeouts
from nova_acceptance.cluster import command
from nova_acceptance.cluster.engine import Engine
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress, Step

CONFIGURATION = "kind.x-k8s.io/v1alpha4"
SCHEDULABLE = """\
kind: InitConfiguration
nodeRegistration:
  taints: []
"""
"""Three nodes have to hold three members that keep apart; the control plane is one of them.

For a node that is alone kind itself takes the taint away, and fails where there is none.
"""
KUBELETS = """\
kind: KubeletConfiguration
nodeStatusUpdateFrequency: 2s
nodeStatusReportFrequency: 5m
"""
"""A kubelet looks at its node every 10 seconds, and no pod is put on it before it has seen that the
node's network is there. How often it reports what has not changed would follow how often it looks:
Kubernetes' own 5 minutes stay. Source: the API reference, KubeletConfiguration v1beta1.
"""


class _Kind(KindManagerBase):  # type: ignore[misc]
    """pytest-kubernetes' kind, with argument lists, an environment, a log and progress."""

    def __init__(
        self, binary: Path, configuration: Path, kubeconfig: Path, run: Callable[[list[str]], None]
    ) -> None:
        self._binary = binary
        self._run = run
        super().__init__(provider_config=str(configuration), kubeconfig=kubeconfig)

    @property
    def _exec_path(self) -> Path:
        return self._binary

    def _exec(
        self,
        arguments: list[str],
        additional_env: Mapping[str, str] | None = None,  # noqa: ARG002 -- of the base class
        timeout: int | None = None,  # noqa: ARG002 -- of the base class
    ) -> subprocess.CompletedProcess[bytes]:
        self._run([str(self._binary), *arguments])
        return subprocess.CompletedProcess(arguments, 0)

    def create_cluster(self, image: str | None) -> None:
        # Not `create`: it asks a cluster that is not there yet whether it is ready, and sleeps.
        options = ["--retain", *([f"--image={image}"] if image else [])]
        self._on_create(self._cluster_options, options=options)

    def delete_cluster(self) -> None:
        self._on_delete()


@dataclass(frozen=True)
class Node:
    """A node's container: its name, its image and Docker's word for its state."""

    name: str
    image: str
    state: str


def configuration(name: str, nodes: int, port: int) -> dict[str, Any]:
    """Return kind's configuration of a cluster whose API is at `port` of 127.0.0.1."""
    roles = ["control-plane", *["worker"] * (nodes - 1)]
    return {
        "kind": "Cluster",
        "apiVersion": CONFIGURATION,
        "name": name,
        "networking": {"apiServerAddress": "127.0.0.1", "apiServerPort": port},
        "nodes": [{"role": role} for role in roles],
        "kubeadmConfigPatches": [KUBELETS, *([SCHEDULABLE] if nodes > 1 else [])],
    }


class KindCluster:
    """One kind cluster by name.

    Args:
        name: kind's name for it.
        directory: holds its kubeconfig and configuration.
        kind: the program.
        docker: docker's client.
        engine: our engine, or None for the user's.
        log: where kind's output goes.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        *,
        kind: Path,
        docker: Path,
        engine: Engine | None,
        log: Path,
    ) -> None:
        self.name = name
        self.kubeconfig = directory / "kubeconfig"
        self.context = f"kind-{name}"
        self._directory = directory
        self._kind = kind
        self.docker = docker
        self._engine = engine
        self._log = log

    @property
    def environment(self) -> dict[str, str]:
        """Variables for kind and docker."""
        if self._engine is None:
            return {}
        # kind looks for docker on the PATH.
        return {**self._engine.environment, "PATH": f"{self.docker.parent}:{os.environ['PATH']}"}

    def nodes(self) -> list[Node]:
        """Return the node containers, stopped ones too; empty when there is no cluster."""
        label = f"--filter=label=io.x-k8s.kind.cluster={self.name}"
        listing = self.run_docker("ps", "--all", "--no-trunc", label, "--format={{json .}}")
        found = [json.loads(line) for line in listing]
        return [Node(item["Names"], item["Image"], item["State"]) for item in found]

    @property
    def is_ours(self) -> bool:
        """Whether it was made from here: in our engine, or with a configuration that is kept."""
        return self._engine is not None or (self._directory / "kind.yaml").exists()

    @property
    def is_created(self) -> bool:
        """Whether it was created to its end: kind writes the kubeconfig last."""
        return self.kubeconfig.exists()

    def create(self, nodes: int, image: str | None, progress: Progress) -> None:
        """Create the cluster; what a failure or an interruption leaves is for `delete`.

        Raises:
            ClusterError: kind failed; with the last lines of its output and the kubelet's log.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        # of a cluster that went with its engine; it would call this one created before it is
        self.kubeconfig.unlink(missing_ok=True)
        title = f"creating kind cluster {self.name} with {nodes} nodes"
        with progress.step(title) as step, socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            port = listener.getsockname()[1]
            file = self._directory / "kind.yaml"
            file.write_text(yaml.safe_dump(configuration(self.name, nodes, port)))
            if self._engine:
                self._engine.relay(listener, port)
            else:
                listener.close()
            try:
                self._manager(step).create_cluster(image)
            except ClusterError as error:
                evidence = [*error.evidence, *self._kubelet_log()]
                raise ClusterError(error.message, evidence=evidence, hint=error.hint) from error

    def delete(self, progress: Progress) -> None:
        """Remove the cluster and what is kept about it."""
        with progress.step(f"removing kind cluster {self.name}") as step:
            file = self._directory / "kind.yaml"
            if not file.exists():
                self._directory.mkdir(parents=True, exist_ok=True)
                file.write_text(yaml.safe_dump(configuration(self.name, 1, 0)))
            self._manager(step).delete_cluster()
            port = yaml.safe_load(file.read_text())["networking"]["apiServerPort"]
            if self._engine and port:
                # An engine that an earlier version started may not know how; its end does it then.
                with contextlib.suppress(ClusterError):
                    self._engine.unrelay(port)
            shutil.rmtree(self._directory, ignore_errors=True)

    def load(self, images: list[str], progress: Progress) -> None:
        """Load images of the engine into every node that lacks them."""
        with progress.step(f"loading {len(images)} images into the nodes") as step:
            argv = [str(self._kind), "load", "docker-image", *images, f"--name={self.name}"]
            command.run(
                argv,
                log=self._log,
                timeout=timeouts.BUILD,
                step=step,
                environment=self.environment,
            )

    def export_logs(self, into: Path) -> None:
        """Write the nodes' logs below a directory (`kind export logs`)."""
        argv = [str(self._kind), "export", "logs", str(into), f"--name={self.name}"]
        command.run(
            argv, log=self._log, timeout=timeouts.CLUSTER_CREATE, environment=self.environment
        )

    def _manager(self, step: Step) -> _Kind:
        def run(argv: list[str]) -> None:
            command.run(
                argv,
                log=self._log,
                timeout=timeouts.CLUSTER_CREATE,
                step=step,
                detail=lambda line: line.strip(" •✓✗.…") if line[:1] in "•✓✗" else "",
                environment=self.environment,
            )

        return _Kind(self._kind, self._directory / "kind.yaml", self.kubeconfig, run)

    def _kubelet_log(self) -> list[str]:
        node = f"{self.name}-control-plane"
        try:
            tail = ["journalctl", "--unit=kubelet", "--no-pager", "--lines=8", "--output=cat"]
            return ["the kubelet's last words:", *self.run_docker("exec", node, *tail)]
        except ClusterError:
            return []

    def run_docker(self, *arguments: str, timeout: float = timeouts.CLUSTER_DELETE) -> list[str]:
        """Run docker's client on the cluster's engine and return the lines it wrote."""
        return command.run(
            [self.docker, *arguments],
            log=self._log,
            timeout=timeout,
            environment=self.environment,
        )
