"""Which containers were started before what they are configured with was changed."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from nova_acceptance.collect.asking import side_by_side
from nova_acceptance.components.kubernetes.started import Start, is_first, may_be_newer, starts
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.kube.snapshot import Outdated, Snapshot
from nova_acceptance.vantage.digests import Held, differing


class _Asked(NamedTuple):
    pod: Ref
    container: str
    since: str


def compare(
    kube: Kube, snapshot: Snapshot, pods: Iterable[Object], until: float
) -> dict[Ref, Exception]:
    """Keep in a snapshot what containers have otherwise than the objects that they have it from.

    Only what may have been written after a container's start is asked, in that container, and once
    for a snapshot; nothing but digests comes from there. Where it cannot be asked, what was made in
    the second of its start, and is needed for it, was there before.

    Args:
        kube: the API.
        snapshot: where the objects are seen, and what was found is kept.
        pods: those to ask.
        until: when a question that is still open is given up, in seconds of `time.monotonic`.

    Returns:
        Those of the pods that could not be asked, with why.
    """
    wanted: dict[_Asked, list[Start]] = defaultdict(list)
    its = {ref(pod): pod for pod in pods}
    asked_now = {where: pod for where, pod in its.items() if where not in snapshot.compared}
    for pod in asked_now.values():
        snapshot.outdated.pop(ref(pod), None)
        for container, since, start in starts(snapshot, pod):
            holder = snapshot.at(start.holder) if start.holder else None
            if holder and may_be_newer(holder, start.key, since):
                wanted[_Asked(ref(pod), container, since)].append(start)
    snapshot.compared.update(dict.fromkeys(asked_now))
    late: dict[Ref, Exception] = {}
    values = _Values(kube)
    for asked, answer in side_by_side(
        lambda asked: _differing(kube, asked, wanted[asked], values), wanted, until=until
    ):
        if isinstance(answer, TimeoutError):
            late[asked.pod] = answer
        elif isinstance(answer, Exception):
            if not all(_is_first(snapshot, it, asked.since) for it in wanted[asked]):
                snapshot.compared[asked.pod] = answer
        elif answer:
            kept = snapshot.outdated.get(asked.pod, ())
            snapshot.outdated[asked.pod] = (*kept, *answer)
    for where in late:  # whoever has more time may ask again
        del snapshot.compared[where]
    known = {where: snapshot.compared.get(where) for where in its}
    return {where: error for where, error in known.items() if error} | late


def _is_first(snapshot: Snapshot, start: Start, since: str) -> bool:
    holder = snapshot.at(start.holder) if start.holder else None
    return holder is not None and is_first(holder, start, since)


def _differing(
    kube: Kube, asked: _Asked, wanted: Iterable[Start], values: _Values
) -> list[Outdated]:
    by_place = {(it.name, it.is_file): it for it in wanted}
    held = [
        Held(it.name, it.is_file, value, it.volume, asked.since)
        for it in by_place.values()
        if it.holder and (value := values.of(it.holder, it.key)) is not None
    ]
    if not held:
        return []
    pod = PodRef(asked.pod.namespace, asked.pod.name)
    found = [by_place[it.name, it.is_file] for it in differing(kube, pod, asked.container, held)]
    return [
        Outdated(asked.container, it.name, it.holder, it.key, asked.since)
        for it in found
        if it.holder
    ]


class _Values:
    """The values that are compared, read when they are: a snapshot has none of a Secret."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._read: dict[Ref, dict[str, bytes]] = {}

    def of(self, holder: Ref, key: str) -> bytes | None:
        """Return a value as it is now.

        Raises:
            ProbeError: its object is gone.
        """
        if holder not in self._read:
            # `list` is the right that verifying has; `get` would be one more
            named = f"metadata.name={holder.name}"
            found = self._kube.list(
                "v1", holder.kind, namespace=holder.namespace, field_selector=named
            )
            if not found:
                raise ProbeError(f"there is no {holder} any more", hint="look again")
            self._read[holder] = {
                name: base64.b64decode(text) if holder.kind == "Secret" else str(text).encode()
                for name, text in (found[0].get("data") or {}).items()
            }
        return self._read[holder].get(key)
