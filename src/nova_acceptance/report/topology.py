"""Where a system runs, as a record tells it: nodes, pods, Services, reachability, start-up.

pydantic builds it from the record's events. A field that is missing has its default, and so has one
that holds something odd (`values`): a killed run or another version may have written anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from nova_acceptance.report.recorder import Fact
from nova_acceptance.report.values import (
    dicts,
    flat,
    integer,
    mapping,
    named,
    number,
    numbers,
    strings,
    text,
)

_BY_NAME: Final = ConfigDict(populate_by_name=True)
"""Fields whose names differ from the record's may be given by either."""

Text = Annotated[str, BeforeValidator(text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(strings)]
Count = Annotated[int, BeforeValidator(integer)]
Number = Annotated[float | None, BeforeValidator(number)]
Flag = Annotated[bool, BeforeValidator(bool)]
Seconds = Annotated[float, BeforeValidator(lambda value: number(value) or 0.0)]
_Nodes = BeforeValidator(lambda value: value if isinstance(value, tuple) else named(value))
Rows = BeforeValidator(lambda value: value if isinstance(value, tuple) else dicts(value))

CLOSED: Final = frozenset({"refused", "timeout", "unreachable"})
"""What comes of a connection that nobody lets in."""


@dataclass(frozen=True, slots=True, config=_BY_NAME)
class Node:
    """A node of the cluster.

    Attributes:
        name: its name.
        roles: such as `control-plane`; empty for a worker.
        version: of its kubelet.
        address: its internal address.
        is_ready: whether it said so.
    """

    name: Text = ""
    roles: Texts = ()
    version: Text = ""
    address: Text = ""
    is_ready: Flag = Field(default=True, validation_alias="ready")


@dataclass(frozen=True, slots=True, config=_BY_NAME)
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

    namespace: Text = ""
    name: Text = ""
    workload: Text = ""
    node: Text = ""
    address: Text = ""
    phase: Text = ""
    is_ready: Flag = Field(default=False, validation_alias="ready")
    restarts: Count = 0


@dataclass(frozen=True, slots=True, config=_BY_NAME)
class Port:
    """A port of a Service: where it is asked, and the port of the pods behind it."""

    name: Text = ""
    number: Count = 0
    target: Text = ""


@dataclass(frozen=True, slots=True, config=_BY_NAME)
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

    namespace: Text = ""
    name: Text = ""
    type: Text = ""
    address: Text = ""
    ports: Annotated[tuple[Port, ...], Rows] = ()
    pods: Texts = ()


@dataclass(frozen=True, slots=True, config=_BY_NAME)
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

    source: Text = ""
    target: Text = ""
    port: Count = 0
    wanted: Text = ""
    state: Text = ""
    detail: Text = ""
    seconds: Seconds = 0.0

    @property
    def is_as_wanted(self) -> bool | None:
        """Whether it is as it should be; None where it could not be asked."""
        if not self.state:
            return None
        return self.state in CLOSED if self.wanted == "closed" else self.state == "open"


@dataclass(frozen=True, slots=True, config=_BY_NAME)
class Limit:
    """What is deliberately less on this cluster.

    Attributes:
        name: what is limited, in one word.
        components: whom it concerns.
        reasons: why, by language.
    """

    name: Text = ""
    components: Texts = ()
    reasons: Annotated[Mapping[str, Text], BeforeValidator(flat)] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, config=_BY_NAME)
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

    pod: Text = ""
    workload: Text = ""
    node: Text = ""
    applied: Number = None
    created: Number = None
    scheduled: Number = None
    pulled: Number = None
    started: Number = None
    ready: Number = None


@dataclass(frozen=True, slots=True, config=_BY_NAME)
class Topology:
    """All of it, as the last snapshot saw it; what an old record does not tell is empty.

    `phases` are seconds of the deployment by what was done: one of `ready`, and what was applied.
    """

    nodes: Annotated[tuple[Node, ...], _Nodes] = ()
    pods: Annotated[tuple[Pod, ...], Rows] = ()
    services: Annotated[tuple[Service, ...], Rows] = ()
    reaches: Annotated[tuple[Reach, ...], Rows] = ()
    limits: Annotated[tuple[Limit, ...], Rows] = ()
    steps: Annotated[tuple[PodSteps, ...], Rows] = ()
    phases: Annotated[Mapping[str, float], BeforeValidator(numbers)] = field(default_factory=dict)
    needs: Annotated[Mapping[str, Texts] | None, BeforeValidator(mapping)] = None


_TOPOLOGY: Final = TypeAdapter(Topology)


def topology_of(cluster: Fact, deployment: Fact, snapshot: Fact, reachability: Fact) -> Topology:
    """Build the topology of a run; what its record does not tell is left empty.

    Args:
        cluster: the last `cluster` event.
        deployment: the `deployment` event that tells most.
        snapshot: the last `snapshot` event.
        reachability: the last `reachability` event.
    """
    return _TOPOLOGY.validate_python(
        {
            **{name: snapshot.get(name) for name in ("pods", "services", "limits", "needs")},
            "nodes": snapshot.get("nodes") or cluster.get("nodes"),
            "reaches": reachability.get("cells"),
            "steps": deployment.get("timeline"),
            "phases": deployment.get("phases"),
        }
    )
