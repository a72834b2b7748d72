"""Which nodes would take a pod, by what its specification asks and what they say of themselves.

The meaning is the scheduler's own: node affinity, taints, requests against what is allocatable.
What else runs on a node is not counted; a pod that no empty node takes is taken by none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from nova_acceptance.kube import Object
from nova_acceptance.kube.quantity import amount
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

HOSTNAME: Final = "kubernetes.io/hostname"
CLOSED_BY_CLUSTER: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Taints that tell a node's state, not whom it is meant for."""
_TOLERATED: Final = frozenset(
    {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}
)
"""Taints that Nova's replicated workloads put up with where they need three nodes."""
_PREFERENCE: Final = "PreferNoSchedule"
_MEBI: Final = 1024**2


def hosts(nodes: Iterable[Object]) -> list[str]:
    """Return the names of the nodes that replicas of Nova can be placed on."""
    return [
        node["metadata"]["name"]
        for node in nodes
        if not node["spec"].get("unschedulable")
        and all(
            taint["key"] in _TOLERATED or taint["effect"] == _PREFERENCE
            for taint in node["spec"].get("taints") or ()
        )
    ]


def is_open(pod: Object, node: Object) -> bool:
    """Whether a pod or template may be placed on a node that is well, for all that is known."""
    return bool(hosts([node])) and is_chosen(pod, node) and not untolerated(pod, node)


def requests(pod: Object) -> dict[str, Decimal]:
    """Return what a pod or template asks of its node.

    Containers add up; of those that only initialise the pod the greatest counts, unless they keep
    running beside the others.
    """
    spec = pod["spec"]
    total: dict[str, Decimal] = {}
    greatest: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        _add(total, _of_container(container))
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            _add(total, _of_container(container))
        for name, value in _of_container(container).items():
            greatest[name] = max(greatest.get(name, value), value)
    for name, value in greatest.items():
        total[name] = max(total.get(name, value), value)
    total |= _of_container(spec)  # what is asked for the pod as a whole (KEP-2837, from 1.32)
    _add(total, _amounts(spec.get("overhead") or {}))
    return total


def short_of(pod: Object, node: Object) -> list[Phrase]:
    """Return the resources of which an empty node has less than the pod asks, with both."""
    status = node.get("status") or {}
    written = status.get("allocatable") or status.get("capacity")
    if not written:
        return []
    there = _amounts(written)
    return [
        Phrase(
            "{resource} {wanted} of {there}",
            resource=name,
            wanted=_text(value),
            there=_text(there.get(name, Decimal(0))),
        )
        for name, value in sorted(requests(pod).items())
        if value > there.get(name, Decimal(0))
    ]


def is_chosen(pod: Object, node: Object) -> bool:
    """Whether the pod's node selector and required node affinity admit the node."""
    spec = pod["spec"]
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return not affinity or _is_in(affinity, node)


def holds(volume: Object, node: Object) -> bool:
    """Whether a PersistentVolume can be reached from the node."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return not required or _is_in(required, node)


def untolerated(pod: Object, node: Object) -> list[str]:
    """Return the taints that keep the pod from the node, those of the node's state aside."""
    return [
        f"{taint['key']}{'=' if taint.get('value') else ''}{taint.get('value') or ''}"
        f":{taint['effect']}"
        for taint in (node.get("spec") or {}).get("taints") or ()
        if taint.get("effect") in {"NoSchedule", "NoExecute"}
        and not taint["key"].startswith(CLOSED_BY_CLUSTER)
        and not tolerates(pod, taint)
    ]


def tolerates(pod: Object, taint: Mapping[str, Any]) -> bool:
    """Whether a pod or template puts up with a taint."""
    return any(_tolerates(each, taint) for each in pod["spec"].get("tolerations") or ())


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, with its expressions, selects these labels; None selects none."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return wanted.items() <= labels.items() and all(
        _admits(each, labels) for each in selector.get("matchExpressions") or ()
    )


def waits_for_a_pod(snapshot: Snapshot, claim: Object) -> bool:
    """Whether its class binds it only once a pod that wants it has been given a node."""
    name = claim["spec"].get("storageClassName") or ""
    storage_class = snapshot.get("StorageClass", "", name) or {}
    annotations = claim["metadata"].get("annotations") or {}
    placed = "volume.kubernetes.io/selected-node" in annotations
    return storage_class.get("volumeBindingMode") == "WaitForFirstConsumer" and not placed


def _of_container(container: Mapping[str, Any]) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _amounts(written: Mapping[str, Any]) -> dict[str, Decimal]:
    found = {}
    for name, quantity in written.items():
        try:
            found[name] = amount(quantity)
        except ValueError:
            continue  # the API refuses it when it is written
    return found


def _add(total: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for name, value in more.items():
        total[name] = total.get(name, Decimal(0)) + value


def _text(value: Decimal) -> str:
    if value >= _MEBI:
        return f"{value / _MEBI:.0f}Mi"
    return f"{value.normalize():f}"


def _is_in(selector: Mapping[str, Any], node: Object) -> bool:
    """Whether a node is one that a node selector's terms admit."""
    labels = node["metadata"].get("labels") or {}
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(
        (term.get("matchExpressions") or term.get("matchFields"))
        and all(_admits(each, labels) for each in term.get("matchExpressions") or ())
        and all(_admits(each, fields) for each in term.get("matchFields") or ())
        for term in selector.get("nodeSelectorTerms") or ()
    )


def _admits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Judge one expression of a selector; one of an operator that is unknown admits anything."""
    key, values = expression["key"], expression.get("values") or ()
    value = labels.get(key)
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, values)
    return True


def _compares(operator: str, value: str | None, values: Iterable[str]) -> bool:
    try:
        has, wanted = int(value or ""), int(next(iter(values), ""))
    except ValueError:
        return False
    return has > wanted if operator == "Gt" else has < wanted


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") in ("Gt", "Lt"):  # KEP-5471, from 1.35
        return _compares(
            toleration["operator"], taint.get("value"), [toleration.get("value") or ""]
        )
    is_any = toleration.get("operator") == "Exists"
    return is_any or (toleration.get("value") or "") == (taint.get("value") or "")
