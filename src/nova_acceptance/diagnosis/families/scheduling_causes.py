"""The causes of the scheduling family: what keeps a pod from being given a node."""

from __future__ import annotations

from typing import Final

from nova_acceptance.diagnosis.cause import Cause

NODE_SELECTOR_UNMATCHED: Final = Cause(
    "NODE_SELECTOR_UNMATCHED",
    "No node has the labels that a pod asks for",
    "The pod stays Pending: `didn't match Pod's node affinity/selector`",
    "The node selector and required node affinity against the nodes' labels",
    "label a node (`kubectl label node`), or correct the selector",
)
TAINT_NOT_TOLERATED: Final = Cause(
    "TAINT_NOT_TOLERATED",
    "Every node that a pod could go to has a taint that it does not tolerate",
    "The pod stays Pending: `had untolerated taint`",
    "The nodes' taints against the pod's tolerations",
    "take the taint away (`kubectl taint node NODE KEY-`), or give the pod a toleration",
)
INSUFFICIENT_RESOURCES: Final = Cause(
    "INSUFFICIENT_RESOURCES",
    "No node has as much free as a pod asks for",
    "The pod stays Pending: `Insufficient cpu`, `Insufficient memory`, `Too many pods`",
    "The pod's requests against what is allocatable; the scheduler's message",
    "lower the requests, or give the cluster more room or nodes (`nova-cluster up --nodes 3`)",
)
HOST_PORT_CONFLICT: Final = Cause(
    "HOST_PORT_CONFLICT",
    "A pod wants a port of its node that is taken on every node",
    "The pod stays Pending: `didn't have free ports for the requested pod ports`",
    "The scheduler's message",
    "drop `hostPort`, or run no more such pods than there are nodes",
)
VOLUME_NODE_CONFLICT: Final = Cause(
    "VOLUME_NODE_CONFLICT",
    "A pod's volume is bound to a node or zone to which the pod cannot go",
    "The pod stays Pending: `volume node affinity conflict`",
    "The scheduler's message; the volume's node affinity",
    "free or bring back the volume's node, or delete the claim if its data may go",
)
SPREAD_UNSATISFIABLE: Final = Cause(
    "SPREAD_UNSATISFIABLE",
    "A topology spread constraint forbids every node",
    "The pod stays Pending: `didn't match pod topology spread constraints`",
    "The scheduler's message; the nodes' labels of that topology",
    "add nodes or label them, or let the constraint be `ScheduleAnyway`",
)
ANTI_AFFINITY_UNSATISFIABLE: Final = Cause(
    "ANTI_AFFINITY_UNSATISFIABLE",
    "Required anti-affinity wants more nodes than there are",
    "Some replicas stay Pending: `didn't match pod anti-affinity rules`",
    "Replicas against the nodes that are open to them; the scheduler's message",
    "add nodes (`nova-cluster up --nodes 3`), or take the overlay single-node, which only prefers",
)
AFFINITY_UNSATISFIABLE: Final = Cause(
    "AFFINITY_UNSATISFIABLE",
    "A pod wants to be beside pods that are nowhere",
    "The pod stays Pending: `didn't match pod affinity rules`",
    "The scheduler's message",
    "start what it wants to be beside, or correct the pod affinity's selector",
)
SCHEDULING_GATED: Final = Cause(
    "SCHEDULING_GATED",
    "A gate keeps a pod from being scheduled, and nobody opens it",
    "The pod stays Pending: SchedulingGated",
    "`spec.schedulingGates` of the pod",
    "see whose gate it is; its controller has to take it away",
)
UNSCHEDULABLE: Final = Cause(
    "UNSCHEDULABLE",
    "A pod is given no node",
    "The pod stays Pending",
    "The pod's condition PodScheduled, or that it has none",
    "see what the scheduler says, and whether one of that name runs at all",
    is_symptom=True,
)

CAUSES: Final = (
    NODE_SELECTOR_UNMATCHED,
    TAINT_NOT_TOLERATED,
    INSUFFICIENT_RESOURCES,
    HOST_PORT_CONFLICT,
    VOLUME_NODE_CONFLICT,
    SPREAD_UNSATISFIABLE,
    ANTI_AFFINITY_UNSATISFIABLE,
    AFFINITY_UNSATISFIABLE,
    SCHEDULING_GATED,
    UNSCHEDULABLE,
)
