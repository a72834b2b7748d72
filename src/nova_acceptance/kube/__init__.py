"""Talking to one Kubernetes API: objects as plain JSON, exec, logs, port-forward, watch.

Layers, top to bottom: `client` > `exec`, `forward`, `watch` > `resources` > `rest` >
`wires`, `availability` > `failures`, `objects`, `usage`, `writing`; `snapshot` and `kinds` ask
nobody. Every call ends by a deadline, and every failure is a `ClusterError` (the API could not be
used) or a `ProbeError` (a question could not be put to a pod). An API that is away or busy is
waited for, and asked again where that is safe.
"""

from nova_acceptance.kube.availability import Outage, lose, lost_seconds
from nova_acceptance.kube.client import FIELD_MANAGER, Kube
from nova_acceptance.kube.exec import Again, ExecResult, Running
from nova_acceptance.kube.failures import ApiError, ApiUnreachableError, forbidden, is_api_away
from nova_acceptance.kube.forward import Fault, Forward
from nova_acceptance.kube.objects import Object, PodRef, describe
from nova_acceptance.kube.watch import SYNCED, Watch
from nova_acceptance.kube.writing import Writing, unwritten

__all__ = [
    "FIELD_MANAGER",
    "SYNCED",
    "Again",
    "ApiError",
    "ApiUnreachableError",
    "ExecResult",
    "Fault",
    "Forward",
    "Kube",
    "Object",
    "Outage",
    "PodRef",
    "Running",
    "Watch",
    "Writing",
    "describe",
    "forbidden",
    "is_api_away",
    "lose",
    "lost_seconds",
    "unwritten",
]
