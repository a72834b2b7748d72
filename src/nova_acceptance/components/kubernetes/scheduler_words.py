"""What a scheduler says of a pod that it finds no node for, in every version from 1.20 to 1.37.

Sources, of `pkg/scheduler/framework/plugins` of kubernetes/kubernetes:

- `tainttoleration`: `had taint {k: v}, that the pod didn't tolerate` (1.20 to 1.23), `had
  untolerated taint {k: v}` (from 1.24), `had untolerated taint(s)` (the newest).
- `nodeaffinity`: `didn't match node selector` (1.19), `didn't match Pod's node affinity` (1.20),
  `didn't match Pod's node affinity/selector` (from 1.21).
- `volumebinding`: `had volume node affinity conflict` (to 1.33), `didn't match PersistentVolume's
  node affinity` (later).
- `interpodaffinity`: two reasons a node in 1.20, one from 1.21.
- `dynamicresources`: `cannot allocate all claims`, and `no new claims to deallocate` before the
  word `preemption:`, which came in 1.24.

A sentence of none of these leads to no cause but that the pod has no node.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from nova_acceptance.components.kubernetes.graces import PLACING, RETURN
from nova_acceptance.components.kubernetes.pods import short
from nova_acceptance.components.kubernetes.unplaced import (
    CLOSED,
    ELSEWHERE,
    NO_VOLUME,
    NODES_CLOSED,
    Reason,
)
from nova_acceptance.phrase import NOTHING, Phrase, verbatim

_AFTERWARDS: Final = re.compile(r"(?i)[\s,]*(?:no new claims to deallocate)?[\s,]*preemption:")


class _Words(NamedTuple):
    cause: str
    pattern: str
    what: Phrase  # empty where the scheduler's own words are exact
    grace: float | None = PLACING
    is_shown: bool = False  # by the objects, better than by words


_WORDS: Final = (
    _Words("UNSCHEDULABLE", CLOSED, NODES_CLOSED, RETURN),
    _Words(
        "UNSCHEDULABLE",
        r"ReadWriteOncePod access mode",
        Phrase("a pod that runs has its volume to itself"),
        RETURN,
    ),
    _Words(
        "UNSCHEDULABLE",
        r"(?i)persistentvolumeclaim|persistent volumes? to bind|storageclass"
        r"|bound to non-existent",
        NO_VOLUME,
        None,
    ),
    _Words("INSUFFICIENT_RESOURCES", r"Insufficient [\w./-]+|Too many pods", NOTHING),
    _Words("HOST_PORT_CONFLICT", r"free ports", Phrase("a port of the node is taken")),
    _Words(
        "VOLUME_NODE_CONFLICT",
        r"volume node affinity conflict|PersistentVolume's node affinity",
        ELSEWHERE,
        is_shown=True,
    ),
    # by labels of the volume, as those have that were made before it could have a node affinity
    _Words("VOLUME_NODE_CONFLICT", r"no available volume zone", ELSEWHERE),
    _Words("UNSCHEDULABLE", r"max volume count", Phrase("the node holds no more volumes")),
    _Words(
        "UNSCHEDULABLE", r"enough free storage", Phrase("no node has storage enough for its volume")
    ),
    _Words(
        "UNSCHEDULABLE",
        r"(?i)cannot allocate all claims|resource ?claim",
        Phrase("its resource claims cannot be met"),
        RETURN,
    ),
    _Words("SPREAD_UNSATISFIABLE", r"topology spread", Phrase("spread constraints")),
    _Words(
        "ANTI_AFFINITY_UNSATISFIABLE",
        r"pods? anti-affinity",
        Phrase("another pod is already on every node that is open to it"),
    ),
    _Words(
        "AFFINITY_UNSATISFIABLE", r"pod affinity rules", Phrase("pods to be beside are nowhere")
    ),
    _Words(
        "ANTI_AFFINITY_UNSATISFIABLE",
        r"pod affinity/anti-affinity",
        Phrase("it must not be beside the pods that are there"),
    ),
    _Words(
        "NODE_SELECTOR_UNMATCHED",
        r"(?i)pod's node affinity|node selector|requested (?:hostname|node name)",
        Phrase("no node has the labels asked for"),
        is_shown=True,
    ),
    _Words(
        "TAINT_NOT_TOLERATED",
        r"(?:untolerated |had )taints?(?:\(s\))?[^,.]*",
        NOTHING,
        is_shown=True,
    ),
)
"""The reasons by what is checked last: a node that fails late fits in all before.

Taints are checked first of all: those of a control plane are nearly always among the reasons.
"""


def reason_of(message: str, *, have_nodes_been_seen: bool = False) -> Reason:
    """Return what a scheduler's message comes down to.

    Args:
        message: of the pod's condition PodScheduled.
        have_nodes_been_seen: whether the nodes themselves show that one would take the pod, so that
            what they are asked for and how they are tainted cannot be the reason.
    """
    said = _AFTERWARDS.split(message)[0]
    for words in _WORDS:
        if have_nodes_been_seen and words.is_shown:
            continue
        if found := re.search(words.pattern, said):
            return Reason(words.cause, words.what or verbatim(found[0].strip()), words.grace)
    what = verbatim(short(said)) or Phrase("the scheduler does not say why")
    return Reason("UNSCHEDULABLE", what, RETURN)
