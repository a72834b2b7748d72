"""What keeps a namespace that is being deleted from going, and who is to end that.

Source: the Kubernetes namespace controller, `status_condition_utils.go`: the sentences of its
conditions have stayed the same since 1.16.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_OF_FINALIZERS: Final = "NamespaceFinalizersRemaining"
_OF_CONTENT: Final = "NamespaceContentRemaining"
_OF_DISCOVERY: Final = "NamespaceDeletionDiscoveryFailure"
_HELD: Final = re.compile(r"([^\s,:]+) in \d+ resource instances")
_KINDS: Final = re.compile(r"([^\s,:]+?)\.? has \d+ resource instances")
_GROUPS: Final = re.compile(r"([a-z0-9][\w.-]*/v\d\w*)")
_OF_ITSELF: Final = "kubernetes"
"""The finalizer that every namespace has: the controller takes it away once all else is gone."""
_OF_CLAIMS: Final = "kubernetes.io/pvc-protection"
_OF_DEPENDENTS: Final = frozenset({"foregroundDeletion", "orphan"})
_WITHOUT: Final = '{"metadata":{"finalizers":null}}'
_MANY: Final = 5
"""Objects that are told of."""


def held_in(snapshot: Snapshot, namespace: str) -> list[Object]:
    """Return the objects of a namespace that are deleted, and kept by a finalizer."""
    there = (snapshot.at(each) for each in snapshot.refs() if each.namespace == namespace)
    return [
        each
        for each in there
        if each and each["metadata"].get("deletionTimestamp") and each["metadata"].get("finalizers")
    ]


def ending(namespace: Object, held: Iterable[Object] = ()) -> Phrase:
    """Return what ends the removal of a namespace.

    Args:
        namespace: as the API has it.
        held: those of its objects that are known to be deleted and kept by a finalizer.
    """
    name = namespace["metadata"]["name"]
    said = _said(namespace)
    if groups := _GROUPS.findall(said.get(_OF_DISCOVERY, "")):
        return Phrase(
            "the API cannot say what is in {namespace}, since nothing answers for {groups}: bring "
            "back what serves that, or delete its APIService (`kubectl get apiservices`)",
            namespace=name,
            groups=list(dict.fromkeys(groups)),
        )
    if found := next(_of_objects(held), None):
        return found
    kinds = list(dict.fromkeys(_KINDS.findall(said.get(_OF_CONTENT, ""))))
    if finalizers := list(dict.fromkeys(_HELD.findall(said.get(_OF_FINALIZERS, "")))):
        return Phrase(
            "see that what is to take away {finalizers} runs; where it is gone for good, take them "
            "out of the objects that `kubectl -n {namespace} get {kinds} -o yaml` shows",
            finalizers=finalizers,
            namespace=name,
            kinds=",".join(kinds) or "all",
        )
    if own := _own(namespace):
        return Phrase(
            "see that what is to take away {finalizers} of namespace {namespace} runs; where it is "
            "gone for good, take that out (`kubectl edit namespace {namespace}`)",
            finalizers=own,
            namespace=name,
        )
    if kinds:
        return Phrase(
            "no finalizer holds it: wait until {kinds} in {namespace} are gone (`kubectl -n "
            "{namespace} get {kinds}`)",
            kinds=kinds,
            namespace=name,
        )
    return Phrase(
        "wait until it is gone: `kubectl get namespace {namespace} -o yaml` says under `status` "
        "what is left in it",
        namespace=name,
    )


def conditions(namespace: Object) -> tuple[str, ...]:
    """Return what its controller says of a namespace's removal, as evidence shows it."""
    return tuple(f"{kind}: {text}" for kind, text in _said(namespace).items())


def told(held: Object) -> str:
    """Return what holds a deleted object, as evidence shows it."""
    metadata = held["metadata"]
    since, finalizers = metadata["deletionTimestamp"], ", ".join(metadata["finalizers"])
    return f"{ref(held)}: deleted at {since}, finalizers: {finalizers}"


def _said(namespace: Object) -> dict[str, str]:
    entries: Iterable[dict[str, Any]] = (namespace.get("status") or {}).get("conditions") or ()
    return {
        str(each["type"]): str(each.get("message") or "")
        for each in entries
        if each.get("status") == "True"
    }


def _own(namespace: Object) -> list[str]:
    """Return the finalizers of the namespace itself, the one that each has left out."""
    every = (
        *(namespace["metadata"].get("finalizers") or ()),
        *((namespace.get("spec") or {}).get("finalizers") or ()),
    )
    return [each for each in dict.fromkeys(every) if each != _OF_ITSELF]


def _of_objects(held: Iterable[Object]) -> Iterator[Phrase]:
    """Yield what is to be done about the objects that are held, somebody's finalizers first."""
    by_finalizer: dict[str, list[Ref]] = {}
    for each in held:
        for finalizer in each["metadata"]["finalizers"]:
            by_finalizer.setdefault(str(finalizer), []).append(ref(each))
    own = [each for each in by_finalizer if each != _OF_CLAIMS and each not in _OF_DEPENDENTS]
    for finalizer in own:
        first = by_finalizer[finalizer][0]
        yield Phrase(
            "the finalizer {finalizer} holds {objects}: see that what is to take it away runs; "
            "where that is gone for good, `kubectl -n {namespace} patch {kind} {name} --type merge "
            "-p '{patch}'`",
            objects=by_finalizer[finalizer][:_MANY],
            finalizer=finalizer,
            namespace=first.namespace,
            kind=first.kind.lower(),
            name=first.name,
            patch=_WITHOUT,
        )
    if claims := by_finalizer.get(_OF_CLAIMS):
        yield Phrase(
            "{claims} stay until no pod uses them: end the pods that do "
            "(`kubectl -n {namespace} get pods`)",
            claims=claims[:_MANY],
            namespace=claims[0].namespace,
        )
