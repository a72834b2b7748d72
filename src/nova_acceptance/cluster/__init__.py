"""Where a cluster comes from: existing contexts, kind, k3d, minikube.

Layers, top to bottom: `choice`, `consent` > `consents` > `identity` > `contexts`, `in_cluster`,
`others`, `kind` > `engine`, `readiness`, `doctor` > `lock`, `command` > `home`, `model`,
`production`.
"""

from nova_acceptance.cluster.choice import check_name, obtain
from nova_acceptance.cluster.model import DEFAULT_NODES, MOST_NODES, Cluster, Request

__all__ = ["DEFAULT_NODES", "MOST_NODES", "Cluster", "Request", "check_name", "obtain"]
