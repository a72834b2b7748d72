"""Every wait's budget, in seconds, by name.

A wait always ends: early when what it waits for is lost, at its budget at the latest.
"""

from __future__ import annotations

from typing import Final

API_REQUEST: Final = 15.0
"""One request to the Kubernetes API, connection included."""

CREDENTIALS: Final = 30.0
"""A credential plug-in of the kubeconfig, which may ask its provider, and never a person."""

API_AWAY: Final = 60.0
"""An API that has answered before and is away or busy, until what it was asked has failed."""

API_ABSENT: Final = 3.0
"""An API that has not answered yet: a wrong address should be told within seconds."""

API_SETTLES: Final = 15.0
"""A restarted API until it knows its users and their rights again."""

WATCH_ROUND: Final = 10.0
"""One watch of the API before it is taken up again, so that a dead connection is noticed."""

EXEC: Final = 20.0
"""One command in a pod, from the request to its exit status."""

PORT_FORWARD: Final = 10.0
"""A port-forward from the request to its first accepted connection."""

CONNECT: Final = 5.0
"""A connection by the protocol of Redis, PostgreSQL or etcd, authentication included."""

STATEMENT: Final = 10.0
"""One statement of SQL; PostgreSQL itself ends it."""

TABLE_LOCK: Final = 5.0
"""A statement that may wait for a table's lock, and whom everybody else waits behind meanwhile."""

COMMIT: Final = 12.5
"""The end of a transaction, which PostgreSQL's own limit leaves out; then it is cancelled."""

STATEMENT_CUT: Final = 15.0
"""One statement of SQL whose server no longer answers; the connection is cut."""

PROBE_DIAL: Final = 3.0
"""One TCP connection, DNS exchange or HTTP request made from inside a pod."""

RELAY_START: Final = 15.0
"""A relay in a pod from the request to its first word, over an API that is slow to answer."""

RELAY_ALONE: Final = 60.0
"""A relay in a pod without a word from whoever started it; then it ends by itself."""

RELAY_ENDS: Final = 2.0
"""A relay from being told that it is not wanted any more to its end."""

PROBE_POD_START: Final = 60.0
"""A probe pod or an ephemeral container from created to running, its image pulled."""

PROBE_POD: Final = 7200.0
"""A probe pod at most; it is removed by the run that made it."""

LEASE: Final = 60.0
"""A run's Lease without a sign of life, until another run takes it for dead."""

LEASE_RENEWED: Final = 12.0
"""Between two signs of life."""

LEASE_SERVES: Final = 40.0
"""After a sign of life that was the last to succeed, until a run is no more sure of its Lease."""

LEASE_WAIT: Final = 600.0
"""A run that waits until another one is done with the system."""

LEASE_GLANCE: Final = 5.0
"""One watch of another's Lease, until it is seen whether its run still goes on."""

DNS_PATIENCE: Final = 6.0
"""One exchange with the cluster's DNS that tells slowness from silence."""

DNS_PROMPT: Final = 1.0
"""Seconds above which the DNS's soonest answer of several is late."""

ROLLOUT: Final = 300.0
"""Every workload of a deployment from applied to ready."""

ESTABLISHED: Final = 30.0
"""A kind of the manifests' own, from its definition applied to the API serving it."""

ACCOUNT: Final = 20.0
"""A ServiceAccount of a new namespace, and its token, until a pod may be of it."""

RENDER: Final = 30.0
"""kubectl kustomize, from the manifests to the objects."""

GIT: Final = 5.0
"""One question to git about the repository that holds the manifests."""

REMOVE: Final = 120.0
"""Every namespace of a deployment from deleted to gone."""

ENDPOINT_FOLLOWS: Final = 10.0
"""A Service that leads to a pod again, once the pod is ready."""

REJOIN: Final = 120.0
"""A deleted pod's successor from creation to ready, its data in place."""

CLUSTER_CREATE: Final = 600.0
"""kind from nothing to a control plane that answers."""

CLUSTER_READY: Final = 180.0
"""All nodes Ready, DNS answering and storage present, after kind is done."""

CLUSTER_DELETE: Final = 60.0
"""kind delete, and the engine's end."""

ENGINE_START: Final = 60.0
"""A container engine of our own from its start to its first answer."""

SERVICE_SETTLES: Final = 5.0
"""A Service's refusal of what the pods behind it take, or its silence, until it stands.

kube-proxy writes its rules at most once a second, and the API tells of none. A connection before
that is refused, or leads nowhere, though nothing is wrong.
"""

LOCK: Final = 1800.0
"""Waiting for another start of the same cluster to finish."""

HISTORY: Final = 60.0
"""Waiting for another run to have put itself into the history that both keep."""

SHARDS: Final = 3600.0
"""The other shards of a run, from the moment at which one waits for them to their end."""

ENGINE_STOP: Final = 25.0
"""A container engine's end in good order, before it is killed."""

BUILD: Final = 3600.0
"""One step of building the parts: a root file system, an image, Kubernetes."""

COMMAND_END: Final = 5.0
"""A program's end in good order once it is told to, before it is killed."""

APT_QUESTION: Final = 60.0
"""One question to apt about its own configuration."""

LOOK: Final = 10.0
"""One look at a cluster for a diagnosis: lists side by side, and the last logs."""

READING: Final = 75.0
"""What tests read of the API's objects, of an API that may be away for a while first."""

ANSWER_SERVES: Final = 1.0
"""Seconds for which an answer is that of whoever else asks the same, such as the next test."""

LOOK_SERVES: Final = 5.0
"""Seconds for which one look at the cluster explains what fails meanwhile."""

STARTS_SHOW: Final = 15.0
"""Seconds of a run in which pods that just start may show what hinders them."""

FAILURE_SERVES: Final = 30.0
"""Seconds for which members that could not be asked who leads are not asked again."""

EXAMINATION: Final = 45.0
"""One look at a whole cluster that somebody asks about by hand."""

POD_LEAVES: Final = 30.0
"""How long after the end of its grace a pod that is being deleted is on its way, and not stuck."""
