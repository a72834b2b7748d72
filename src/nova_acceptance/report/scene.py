"""Where a system runs, as a record tells it: nodes, pods, Services, ways, limits, start-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CLOSED: Final = frozenset({"refused", "timeout", "unreachable"})
"""What comes of a connection that nobody lets in."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster.

    Attributes:
        name: its name.
        roles: such as `control-plane`; empty for a worker.
        version: of its kubelet.
        address: its internal address.
        is_ready: whether it said so.
    """

    name: str
    roles: tuple[str, ...] = ()
    version: str = ""
    address: str = ""
    is_ready: bool = True


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the system.

    Attributes:
        namespace: where it is.
        name: its name.
        workload: the component whose pod it is; empty where it is nobody's.
        node: where it runs; empty where it has none.
        address: its own address.
        phase: as the API says it.
        is_ready: whether it may be asked.
        restarts: of all its containers.
    """

    namespace: str
    name: str
    workload: str = ""
    node: str = ""
    address: str = ""
    phase: str = ""
    is_ready: bool = False
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Service: where it is asked, and the port of the pods behind it."""

    name: str
    number: int
    target: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A Service of the system.

    Attributes:
        namespace: where it is.
        name: its name.
        type: `ClusterIP`, `NodePort`, …
        address: its own address; `None` for a headless one, as the API spells it.
        ports: those it declares.
        pods: the names of the ready pods behind it.
    """

    namespace: str
    name: str
    type: str = ""
    address: str = ""
    ports: tuple[Port, ...] = ()
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Who was asked to connect where, and what came of it.

    Attributes:
        source: the service whose pod dialled.
        target: the Service that was dialled.
        port: the port.
        wanted: `open` or `closed`.
        state: `open`, one of `CLOSED`, or how else it failed, such as `unresolved`; empty where it
            could not be asked.
        detail: what else was said.
        seconds: how long it took.
    """

    source: str
    target: str
    port: int
    wanted: str
    state: str
    detail: str = ""
    seconds: float = 0.0

    @property
    def is_as_wanted(self) -> bool | None:
        """Whether it is as it should be; None where it could not be asked."""
        if not self.state:
            return None
        return self.state in CLOSED if self.wanted == "closed" else self.state == "open"


@dataclass(frozen=True, slots=True)
class Limit:
    """What is deliberately less on this cluster.

    Attributes:
        name: what is limited, in one word.
        components: whom it concerns.
        reasons: why, by language.
    """

    name: str
    components: tuple[str, ...]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PodSteps:
    """How a pod became ready, in seconds since the deployment began; None where it was not seen.

    Attributes:
        pod: `namespace/name`.
        workload: the component whose pod it is.
        node: where it ran.
        applied: when what makes the pod was applied.
        created: when the pod was seen.
        scheduled: when it had a node.
        pulled: when its last image was there.
        started: when its containers ran.
        ready: when it was ready.
    """

    pod: str
    workload: str = ""
    node: str = ""
    applied: float | None = None
    created: float | None = None
    scheduled: float | None = None
    pulled: float | None = None
    started: float | None = None
    ready: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it, as the last snapshot saw it; what an old record does not tell is empty.

    `phases` are seconds of the deployment by what was done: one of `ready`, and what was applied.
    """

    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    reaches: tuple[Reach, ...] = ()
    limits: tuple[Limit, ...] = ()
    steps: tuple[PodSteps, ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] | None = None
