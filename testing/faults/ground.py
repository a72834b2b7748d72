"""The cluster that faults are put into, and the ways to change it and to look at it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from nova_acceptance import kubectl, timeouts
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.components.redis.spec import Redis
from nova_acceptance.errors import ClusterError, NovaError
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.kube.objects import OF_THE_SERVER
from nova_acceptance.system import System
from testing.faults.fault import Pods

NAME_LABEL: Final = "app.kubernetes.io/name"
_SHOWN: Final = 5
"""Last lines of a command that failed."""
PAUSE: Final = 0.1
"""Seconds between two looks at what is going."""


class GroundError(NovaError):
    """A fault could not be put in, shown or taken out."""


class Ground:
    """A cluster with a Nova on it.

    Args:
        kubeconfig: the file that leads to it.
        context: the context in that file.
        system: what nova.yaml says.
        on_node: runs a command on a node, by the node's name, and returns the lines it wrote.
        scratch: a directory for what is written meanwhile.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str,
        system: System,
        on_node: Callable[[str, Sequence[str]], list[str]],
        scratch: Path,
    ) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        self.system = system
        self.scratch = scratch
        self.kube = Kube(kubeconfig, context)
        self._on_node = on_node
        self._kubectl = [kubectl.program(), f"--kubeconfig={kubeconfig}", f"--context={context}"]

    # Objects

    def run_kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl and return its output.

        Raises:
            GroundError: it failed.
        """
        try:
            done = subprocess.run(
                [*self._kubectl, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeouts.RENDER,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GroundError(f"kubectl {arguments[0]} took too long") from error
        if done.returncode:
            raise GroundError(
                f"kubectl {' '.join(arguments[:3])} failed",
                evidence=done.stderr.strip().splitlines()[-_SHOWN:],
            )
        return done.stdout

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None when there is none."""
        said = self.run_kubectl(
            "get", kind, name, *_in(namespace), "--output=json", "--ignore-not-found"
        )
        found: Object | None = json.loads(said) if said.strip() else None
        return found

    def patch(self, kind: str, namespace: str, name: str, change: dict[str, Any]) -> None:
        """Change an object by a JSON merge patch."""
        self.run_kubectl(
            "patch", kind, name, *_in(namespace), "--type=merge", "--patch-file=/dev/stdin",
            stdin=json.dumps(change),
        )  # fmt: skip

    def put(self, obj: Object) -> None:
        """Create an object, or give one that is there this content."""
        self.run_kubectl(
            "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(obj)
        )

    def delete(self, kind: str, namespace: str, name: str, *, now: bool = False) -> None:
        """Delete an object, and wait until it is gone, which another of its name is not.

        kubectl's own wait has missed the end of a pod whose successor came at once.

        Raises:
            GroundError: it is still there at the deadline.
        """
        there = self.get(kind, namespace, name)
        if there is None:
            return
        grace = ("--grace-period=0", "--force") if now else ()
        self.run_kubectl(
            "delete", kind, name, *_in(namespace), "--ignore-not-found", "--wait=false", *grace
        )
        deadline = time.monotonic() + timeouts.REMOVE
        while (left := self.get(kind, namespace, name)) and _uid(left) == _uid(there):
            if time.monotonic() > deadline:
                raise GroundError(f"{kind} {name} is still there, {timeouts.REMOVE:.0f} s deleted")
            time.sleep(PAUSE)

    # Pods

    def pods(self, wanted: Pods) -> list[PodRef]:
        """Return the pods that are meant, by their names' order.

        Raises:
            GroundError: there is none.
        """
        role = f",{self.postgres.role_label}={wanted.role}" if wanted.role else ""
        found = self.kube.list(
            "v1",
            "Pod",
            namespace=wanted.namespace,
            label_selector=f"{NAME_LABEL}={wanted.workload}{role}",
        )
        names = sorted(
            pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]
        )
        refs = [PodRef(wanted.namespace, name) for name in names]
        if not refs:
            raise GroundError(f"{wanted.workload} has no pod in {wanted.namespace}")
        if wanted.number is None:
            return refs
        if wanted.number >= len(refs):
            raise GroundError(f"{wanted.workload} has only {len(refs)} pods at this moment")
        return [refs[wanted.number]]

    def pod(self, ref: PodRef) -> Object:
        """Return a pod.

        Raises:
            GroundError: it is gone.
        """
        found = self.kube.get("v1", "Pod", ref.name, ref.namespace)
        if found is None:
            raise GroundError(f"pod {ref} is gone")
        return found

    def node_of(self, ref: PodRef) -> str:
        """Return the name of the node on which a pod is."""
        return str(self.pod(ref)["spec"]["nodeName"])

    def run_in(self, pod: PodRef, argv: Sequence[str]) -> str:
        """Run a command in a pod's first container and return its output.

        Raises:
            GroundError: it failed.
        """
        done = self.kube.exec(pod, list(argv))
        if done.exit_code:
            raise GroundError(
                f"`{argv[0]}` in pod {pod} ended with status {done.exit_code}",
                evidence=done.stderr.splitlines()[-_SHOWN:],
            )
        return done.stdout

    @property
    def postgres(self) -> Postgres:
        """The PostgreSQL that nova.yaml declares."""
        return self.system.of(Postgres)[0]

    def members(self, on: str) -> list[PodRef]:
        """Return PostgreSQL's leader, one of its replicas, or all members, as they say themselves.

        Raises:
            GroundError: there is no such member.
        """
        workload = self.postgres.workload
        every = self.pods(Pods(namespace=workload.namespace, workload=workload.name, number=None))
        if on == "members":
            return every
        wanted = "f" if on == "leader" else "t"
        for pod in every:
            if self.psql(pod, "postgres", "SELECT pg_is_in_recovery()") == wanted:
                return [pod]
        raise GroundError(f"PostgreSQL has no {on}")

    def psql(self, pod: PodRef, database: str, statement: str) -> str:
        """Run one statement as the superuser and return what it answers, unadorned."""
        argv = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c"]
        return self.run_in(pod, [*argv, statement]).strip()

    def redis(self, words: Sequence[str]) -> str:
        """Run one command of Redis and return what it answers.

        Raises:
            GroundError: Redis refused it.
        """
        workload = self.system.of(Redis)[0].workload
        [pod] = self.pods(Pods(namespace=workload.namespace, workload=workload.name))
        return self.run_in(pod, ["redis-cli", "-e", *words]).strip()

    # Nodes

    def nodes(self) -> list[str]:
        """Return the names of the nodes."""
        return [node["metadata"]["name"] for node in self.kube.list("v1", "Node")]

    def run_on(self, node: str, argv: Sequence[str]) -> list[str]:
        """Run a command on a node and return the lines it wrote.

        Raises:
            GroundError: it failed.
        """
        try:
            return self._on_node(node, argv)
        except ClusterError as error:
            raise GroundError(
                f"`{argv[0]}` on node {node} failed", evidence=error.evidence[-_SHOWN:]
            ) from error


def _uid(obj: Object) -> str:
    return str(obj["metadata"]["uid"])


def _in(namespace: str) -> tuple[str, ...]:
    return (f"--namespace={namespace}",) if namespace else ()


def as_written(obj: Object) -> Object:
    """Return an object that was read as whoever made it wrote it, to be made again."""
    metadata = {key: it for key, it in obj["metadata"].items() if key not in OF_THE_SERVER}
    kept = {key: it for key, it in obj.items() if key != "status"}
    if obj["kind"] == "ServiceAccount":
        kept.pop("secrets", None)  # tokens of the one that is gone
    return {**kept, "metadata": metadata}
