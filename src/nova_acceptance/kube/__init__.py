"""Talking to one Kubernetes API: objects as plain JSON, exec, logs, port-forward, watch.

Layers, top to bottom: `client` > `exec`, `forward`, `watch` > `resources` > `rest` > `failures`,
`objects`. Every call ends by a deadline, and every failure is a `ClusterError` (the API could not
be used) or a `ProbeError` (a question could not be put to a pod).
"""

from nova_acceptance.kube.client import Kube
from nova_acceptance.kube.exec import ExecResult
from nova_acceptance.kube.failures import ApiError, ApiUnreachableError
from nova_acceptance.kube.forward import Forward
from nova_acceptance.kube.objects import Object, PodRef, describe
from nova_acceptance.kube.watch import SYNCED, Watch

__all__ = [
    "SYNCED",
    "ApiError",
    "ApiUnreachableError",
    "ExecResult",
    "Forward",
    "Kube",
    "Object",
    "PodRef",
    "Watch",
    "describe",
]
