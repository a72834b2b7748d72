"""References: Secrets and ConfigMaps that a pod names, and the keys in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.graces import NEXT_TRY, SETTLING
from nova_acceptance.components.kubernetes.pods import Ill, ill_pods, short, waits_for
from nova_acceptance.components.kubernetes.workloads import (
    Reference,
    references,
    statuses,
    workloads,
)
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_MISSING: Final = {"Secret": "SECRET_MISSING", "ConfigMap": "CONFIG_MAP_MISSING"}
_KEY_MISSING: Final = {"Secret": "SECRET_KEY_MISSING", "ConfigMap": "CONFIG_MAP_KEY_MISSING"}
_OF_A_KEY: Final = frozenset(_KEY_MISSING.values())
_MADE_BY_THE_CLUSTER: Final = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})
_NOT_FOUND: Final = re.compile(r'(?i)\b(secret|configmap)s? "(?:[^"/]+/)?([^"/]+)" not found')
_NO_KEY: Final = re.compile(
    r"(?i)couldn't find key (\S+) in (secret|configmap) ([\w.-]+)/([\w.-]+)"
)
_NO_KEY_IN_VOLUME: Final = re.compile(
    r"(?i)volume \"([^\"]+)\".*references non-existent (secret|config) key: ?(\S+)"
)
_KINDS: Final = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}


def references_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Secrets, ConfigMaps and keys that a specification names and that do not exist."""
    users: dict[tuple[str, Ref], list[tuple[Ref, Reference]]] = {}
    for workload in workloads(snapshot):
        for found in references(workload):
            cause = None if found.is_optional else _lacks(snapshot, found)
            if cause:
                users.setdefault((cause, found.target), []).append((ref(workload), found))
    for (cause, target), who in users.items():
        first, reference = who[0]
        yield _missing(
            cause,
            target,
            sorted({found.key for _, found in who if cause in _OF_A_KEY}),
            (first, reference.user),
            more=len(who) - 1,
            seen=[f"{where}, {found.user}" for where, found in who],
            grace=SETTLING,
        )


def references_refused(snapshot: Snapshot) -> Iterator[Finding]:
    """Find the same by what the kubelet says, which knows where a snapshot does not."""
    for ill in ill_pods(snapshot):
        for entry in statuses(ill.pod):
            reason, said = waits_for(entry)
            if reason == "CreateContainerConfigError":
                part = Phrase("container {container}", container=entry["name"])
                yield from _named(ill, said, part, SETTLING)
        if ill.phase == "Pending":
            for said in dict.fromkeys(ill.said_since_its_start("FailedMount")):
                yield from _named(ill, said, Phrase("a volume"), NEXT_TRY)


def _named(ill: Ill, said: str, part: Phrase, grace: float) -> Iterator[Finding]:
    user, seen = (ill.where, part), [f"{ill.where}, {part}"]
    if found := _NO_KEY.search(said):
        kind = _KINDS[found[2].lower()]
        target = Ref(kind, found[3], found[4])
        yield _missing(_KEY_MISSING[kind], target, [found[1]], user, seen=seen, grace=grace)
    elif found := _NO_KEY_IN_VOLUME.search(said):
        kind = _KINDS[found[2].lower()]
        for target in _behind(ill, found[1], kind):
            yield _missing(_KEY_MISSING[kind], target, [found[3]], user, seen=seen, grace=grace)
    elif found := _NOT_FOUND.search(said):
        kind = _KINDS[found[1].lower()]
        target = Ref(kind, ill.where.namespace, found[2])
        seen.append(short(said))
        yield _missing(_MISSING[kind], target, [], user, seen=seen, grace=grace)


def _behind(ill: Ill, volume: str, kind: str) -> Iterator[Ref]:
    """Yield what a volume is made of."""
    yield from {
        each.target: None
        for each in references(ill.pod)
        if each.user == f"volume {volume}" and each.target.kind == kind
    }


def _lacks(snapshot: Snapshot, found: Reference) -> str | None:
    target = found.target
    if target.kind not in _MISSING or target.name in _MADE_BY_THE_CLUSTER:
        return None
    obj = snapshot.at(target)
    if obj is None:
        return _MISSING[target.kind] if snapshot.knows(target.kind, target.namespace) else None
    keys = {**(obj.get("data") or {}), **(obj.get("binaryData") or {})}
    return _KEY_MISSING[target.kind] if found.key and found.key not in keys else None


def _missing(
    cause: str,
    target: Ref,
    keys: list[str],
    user: tuple[Ref, Phrase],
    *,
    seen: list[str],
    grace: float,
    more: int = 0,
) -> Finding:
    where, part = user
    said = Phrase(
        "{target} has no key {keys}, which {where}, {part} wants"
        if keys
        else "{target} does not exist, which {where}, {part} and {more} more wants"
        if more
        else "{target} does not exist, which {where}, {part} wants",
        target=target,
        keys=keys,
        where=where,
        part=part,
        more=more,
    )
    cure = Phrase(
        "put {keys} into {target}, or correct the key where it is named"
        if keys
        else "create {target}, or correct the name where it is named",
        keys=keys,
        target=target,
    )
    return Finding(cause, target, said, cure, evidence=tuple(seen), grace=grace)


BEFOREHAND: Final = (references_missing,)
LIVE: Final = (references_refused,)
