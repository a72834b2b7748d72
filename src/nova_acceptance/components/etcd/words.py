"""What a member of etcd means by the line with which it gives up.

Source: the messages of etcd 3.3 to 3.5, in `server/etcdserver`, `server/etcdserver/api/rafthttp`
and, for `tocommit`, in raft's `log.go`. From 3.4 on the lines are JSON, and a panic stands in them
before the stack trace does.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.kubernetes.members import pods_of_component
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase

_BOOTSTRAPPED: Final = re.compile(r"(?i)has already been bootstrapped")
_NUMBER: Final = re.compile(r"(?i)member ([0-9a-f]{8,16}) has already been bootstrapped")
_BEHIND: Final = re.compile(r"tocommit\((\d+)\) is out of range \[lastIndex\((\d+)\)\]")
_MISMATCH: Final = re.compile(r"(?i)cluster[ _-]?id mismatch")
_REMOVED: Final = re.compile(r"(?i)permanently removed")
_FULL: Final = re.compile(r"(?i)database space exceeded|NOSPACE")
_UNEQUAL: Final = re.compile(r"(?i)member count is unequal|unmatched member")


def in_words(snapshot: Snapshot, pod: Object, line: str) -> tuple[Phrase, Phrase] | None:
    """Return what has happened to a member, and the cure; None where the line is of other things.

    Args:
        snapshot: the objects.
        pod: the member's.
        line: from its own log, whole.
    """
    where = ref(pod)
    if _BOOTSTRAPPED.search(line):
        number = _NUMBER.search(line)
        sentence = Phrase(
            "{pod} has an empty volume, while the other members remember it as one that has run "
            "before",
            pod=where,
        )
        return sentence, _joined_anew(snapshot, pod, number[1] if number else "")
    if behind := _BEHIND.search(line):
        sentence = Phrase(
            "the log of {pod} ends at entry {last}, while the leader knows that it had confirmed "
            "entry {known}: its data went back, or were lost",
            pod=where,
            last=behind[2],
            known=behind[1],
        )
        return sentence, _joined_anew(snapshot, pod)
    if _MISMATCH.search(line):
        return _of_another(pod, line), _joined_anew(snapshot, pod)
    if _FULL.search(line):
        sentence = Phrase(
            "the data of {pod} have reached etcd's quota, so that it takes no more writes",
            pod=where,
        )
        return sentence, NOTHING
    return _of_the_list(snapshot, pod, line)


def _of_the_list(snapshot: Snapshot, pod: Object, line: str) -> tuple[Phrase, Phrase] | None:
    where = ref(pod)
    if _REMOVED.search(line):
        sentence = Phrase(
            "{pod} was removed from the member list of etcd, and still runs with its old data",
            pod=where,
        )
        return sentence, _joined_anew(snapshot, pod)
    if _UNEQUAL.search(line):
        sentence = Phrase(
            "{pod} is configured with other members than the cluster of etcd has", pod=where
        )
        return sentence, _configured_alike(snapshot, pod)
    return None


def _of_another(pod: Object, line: str) -> Phrase:
    fields = _fields(line)
    own, other = (fields.get(f"{it}-cluster-id") for it in ("local-member", "remote-peer"))
    if own and other:
        return Phrase(
            "{pod} holds the data of the cluster {own} of etcd, and its peers are of the cluster "
            "{other}",
            pod=ref(pod),
            own=own,
            other=other,
        )
    return Phrase("{pod} holds the data of another cluster of etcd than its peers", pod=ref(pod))


def _fields(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _joined_anew(snapshot: Snapshot, pod: Object, number: str = "") -> Phrase:
    other = _other(snapshot, pod)
    if not other:
        return NOTHING
    claims = [
        it["persistentVolumeClaim"]["claimName"]
        for it in (pod.get("spec") or {}).get("volumes") or ()
        if "persistentVolumeClaim" in it
    ]
    volume = (
        Phrase("the volume of claim {claim}", claim=claims[0])
        if len(claims) == 1
        else Phrase("its volume")
    )
    names = {
        "namespace": pod["metadata"].get("namespace", ""),
        "other": other,
        "volume": volume,
        "name": pod["metadata"]["name"],
    }
    if number:
        return Phrase(
            "`kubectl -n {namespace} exec {other} -- etcdctl member remove {id}`; empty {volume}; "
            "`etcdctl member add {name}` with its peer URL; then start {name} with the initial "
            "cluster state `existing`",
            id=number,
            **names,
        )
    return Phrase(
        "`kubectl -n {namespace} exec {other} -- etcdctl member list` shows the number of {name}: "
        "remove it with `etcdctl member remove`; empty {volume}; `etcdctl member add "
        "{name}` with its peer URL; then start {name} with the initial cluster state `existing`",
        **names,
    )


def _configured_alike(snapshot: Snapshot, pod: Object) -> Phrase:
    other = _other(snapshot, pod)
    if not other:
        return NOTHING
    return Phrase(
        "make its member list that of `kubectl -n {namespace} exec {other} -- etcdctl member list`",
        namespace=pod["metadata"].get("namespace", ""),
        other=other,
    )


def _other(snapshot: Snapshot, pod: Object) -> str:
    """Return the name of a member that can be asked in its place; empty where there is none."""
    for component in snapshot.system.of(Etcd):
        pods = pods_of_component(snapshot, component)
        if ref(pod) in map(ref, pods):
            ready = (it for it in pods if is_ready(it) and ref(it) != ref(pod))
            return next((str(it["metadata"]["name"]) for it in ready), "")
    return ""
