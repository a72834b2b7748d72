"""Where the objects of a cluster differ from nova.yaml: one module for each kind of object.

Each check is given the objects, as a snapshot or a view of one, and the part of nova.yaml that it
is about. The rules of this room run them over all that a snapshot holds.
"""

from nova_acceptance.components.kubernetes.checks import (
    claims,
    configuration,
    jobs,
    namespaces,
    nodes,
    security,
    services,
    started,
    storage_classes,
    workloads,
)

__all__ = [
    "claims",
    "configuration",
    "jobs",
    "namespaces",
    "nodes",
    "security",
    "services",
    "started",
    "storage_classes",
    "workloads",
]
