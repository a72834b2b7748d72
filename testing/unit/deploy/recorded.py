"""Objects as a server returned them; they are the diagnosis' own."""

from testing.unit.diagnosis.recorded import (
    NAMESPACE,
    claim,
    deployment,
    endpoints,
    event,
    metadata,
    namespace,
    pod,
    replica_set,
    service,
    stateful_set,
    stuck_pod,
    unschedulable_pod,
    waiting,
)

__all__ = [
    "NAMESPACE",
    "claim",
    "deployment",
    "endpoints",
    "event",
    "metadata",
    "namespace",
    "pod",
    "replica_set",
    "service",
    "stateful_set",
    "stuck_pod",
    "unschedulable_pod",
    "waiting",
]
