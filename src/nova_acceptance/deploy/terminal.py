"""States that a deployment cannot recover from by waiting, each with its hint.

Everything that a workload refers to is applied before it, so what is missing then stays missing;
where a state may still pass (a kubelet's cache, a claim about to be bound), it has to last for
its grace. The reasons and messages are those of the kubelet, the scheduler and the controllers.
"""

from __future__ import annotations

from dataclasses import dataclass

CRASHES = 3
"""Restarts of a container after which its crashing is no start-up hiccup."""

FAILED_PODS = 3
"""Failed pods that a controller has replaced in vain."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One state without recovery.

    Attributes:
        grace: seconds for which the state must last before it is believed.
        hint: what to do about it.
        phrases: the message must hold one of these; any message will do where there are none.
    """

    grace: float
    hint: str
    phrases: tuple[str, ...] = ()

    def covers(self, message: str) -> bool:
        """Whether the rule speaks of this message."""
        text = message.lower()
        return not self.phrases or any(phrase in text for phrase in self.phrases)


_LOAD = "build the image and load it onto every node, or correct its name in the overlay's `images`"
WAITING = {
    "ErrImageNeverPull": Rule(0, _LOAD),
    "InvalidImageName": Rule(0, "correct the image's name in the overlay's `images`"),
    "CreateContainerConfigError": Rule(
        5, "create the Secret or ConfigMap, or the key in it, that the container refers to"
    ),
    "CreateContainerError": Rule(10, "see the message: the runtime cannot make this container"),
}
PULL = (
    Rule(
        0,
        _LOAD,
        (
            "not found",
            "does not exist",
            "manifest unknown",
            "no match for platform",
            "denied",
            "unauthorized",
            "authorization failed",
            "invalid reference",
            "no such host",
            "network is unreachable",
            "connection refused",
            "x509",
        ),
    ),
    Rule(10, _LOAD, ("lookup ", "server misbehaving", "name resolution")),
    Rule(30, _LOAD, ("i/o timeout", "deadline exceeded")),
)
CRASH = Rule(0, "see the container's last log lines")
START = Rule(0, "correct the container's command: its runtime cannot start it")
MOUNT = Rule(
    10,
    "create the Secret or ConfigMap, or the key in it, that the volume refers to",
    ('" not found', "references non-existent"),
)
PASSING_TAINT = "node.kubernetes.io/"
UNSCHEDULABLE = Rule(
    15,
    "give the cluster more room or nodes (`nova-cluster up --nodes 3`), or take the overlay "
    "single-node, which only prefers to spread",
    (
        "insufficient",
        "node affinity",
        "node selector",
        "affinity rules",
        "affinity/selector",
        "volume node affinity conflict",
        "free ports",
        "max volume count",
        "untolerated taint",
        "had taint",
    ),
)
CLAIM = Rule(
    5,
    "install a default StorageClass, or name one that exists (`kubectl get storageclass`)",
    ("storageclass", "no storage class is set"),
)
REFUSED_POD = Rule(
    5,
    "see the message: quota, limits or a policy of the namespace forbids the pod",
    (
        "exceeded quota",
        "failed quota",
        "podsecurity",
        "pod security policy",
        "is invalid",
        "usage per",
        "no priorityclass",
        "denied the request",
    ),
)
FAILING = Rule(0, "`kubectl describe` of it and of its pods tells more")
STUCK = Rule(30, FAILING.hint)  # may stem from an earlier attempt, whose cause is now cured

MOUNTED = frozenset({"Pulling", "Pulled", "Created", "Started"})
CANNOT_START = frozenset({"StartError", "ContainerCannotRun"})
