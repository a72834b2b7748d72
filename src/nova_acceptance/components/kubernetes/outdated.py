"""What containers have otherwise than what is meant for them: overridden, or never read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.resolution import configured
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.started import (
    VOLUMES,
    Start,
    keys_of,
    mounts,
    overridden,
    words_of,
)
from nova_acceptance.components.kubernetes.variables import held
from nova_acceptance.components.kubernetes.workloads import containers, template
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_REDIS: Final = re.compile(r"(^|[\s/])(redis|valkey)-(server|sentinel)(\s|$)")
_OFFICIAL: Final = re.compile(r"^(docker\.io/)?(library/)?(redis|valkey/valkey)([:@].*)?$")
"""The image whose program reads no file that it is not given."""
_PATH: Final = re.compile(r"(?<![\w.-])/[\w./-]+")


def overridden_variables(snapshot: Snapshot) -> Iterator[Finding]:
    """Find variables that come from a Secret, or that nova.yaml knows, and that `env` replaces."""
    known = {
        (user["metadata"]["name"], snapshot.system.env_of(component, use))
        for component in snapshot.system.components
        if (user := workload_of_component(snapshot, component))
        for use in component.uses
    }
    for user in configured(snapshot):
        namespace = user["metadata"].get("namespace", "")
        for container in containers(template(user)):
            for start, instead in overridden(snapshot, container, namespace):
                is_known = (user["metadata"]["name"], start.name) in known
                is_meant = is_known or (start.holder and start.holder.kind == "Secret")
                if is_meant and not _is_same(snapshot, start, instead):
                    yield _overridden(ref(user), container["name"], start, instead)


def configuration_not_read(snapshot: Snapshot) -> Iterator[Finding]:
    """Find configuration that is a volume of a pod, and that its program is not started with."""
    for user in configured(snapshot):
        pod, namespace = template(user), user["metadata"].get("namespace", "")
        its = containers(pod)
        mounted = {each["name"] for it in its for each in it.get("volumeMounts") or ()}
        for volume in pod["spec"].get("volumes") or ():
            for field, (kind, named) in VOLUMES.items():
                if volume["name"] not in mounted and (entry := volume.get(field)):
                    holder = Ref(kind, namespace, entry.get(named, ""))
                    sentence = Phrase(
                        "{holder} is a volume of {workload}, and no container mounts it",
                        holder=holder,
                        workload=ref(user),
                    )
                    yield Finding(
                        "CONFIGURATION_NOT_READ",
                        ref(user),
                        sentence,
                        Phrase("name it under `volumeMounts` of the container that is to read it"),
                    )
        for container in its:
            yield from _started_without(snapshot, user, container)


@check
def given_otherwise(snapshot: Snapshot, workload: Ref) -> Iterator[Finding]:
    """Find what containers of a workload have otherwise than their configuration means."""
    for rule in BEFOREHAND:
        yield from (found for found in snapshot.told_by(rule) if found.subject == workload)


def _started_without(
    snapshot: Snapshot, user: Object, container: Mapping[str, Any]
) -> Iterator[Finding]:
    pod, namespace = template(user), user["metadata"].get("namespace", "")
    words = words_of(container)
    everywhere = [str(it["mountPath"]).rstrip("/") for it in container.get("volumeMounts") or ()]
    for volume, mount, holder in mounts(pod, container, namespace):
        where = str(mount["mountPath"]).rstrip("/")
        if where in words:
            continue  # it is named, or copied from there
        files = [where.rpartition("/")[2]] if mount.get("subPath") else []
        files = files or list(keys_of(volume)) or list(held(snapshot, holder))
        named = [
            path
            for path in _PATH.findall(words)
            if path.rpartition("/")[2] in files
            and not any(path == it or path.startswith(f"{it}/") for it in everywhere)
        ]
        is_bare_redis = (
            _REDIS.search(words) or (not words and _OFFICIAL.match(str(container.get("image"))))
        ) and ".conf" not in words
        configured_by = [it for it in files if it.endswith(".conf")]
        if named:
            sentence = Phrase(
                "container {container} of {workload} is started with {path}, and {holder} is"
                " mounted at {where}",
                container=container["name"],
                workload=ref(user),
                path=named[0],
                holder=holder,
                where=where,
            )
        elif is_bare_redis and configured_by:
            sentence = Phrase(
                "container {container} of {workload} is started without a configuration file, and"
                " {holder} is mounted at {where}",
                container=container["name"],
                workload=ref(user),
                holder=holder,
                where=where,
            )
        else:
            continue
        file = f"{where}/{(configured_by or files)[0]}" if not mount.get("subPath") else where
        if named and not mount.get("subPath"):
            file = f"{where}/{named[0].rpartition('/')[2]}"
        yield Finding(
            "CONFIGURATION_NOT_READ",
            ref(user),
            sentence,
            Phrase("name {file} in the command of the container", file=file),
            container=container["name"],
        )


def _overridden(workload: Ref, container: str, start: Start, instead: Start) -> Finding:
    sentence = Phrase(
        "container {container} of {workload} has {variable} from {other}, {other_key}, which"
        " overrides {holder}, {key}, and differs from it"
        if instead.holder
        else "container {container} of {workload} has {variable} spelled out, which overrides"
        " {holder}, {key}, and differs from it",
        container=container,
        workload=workload,
        variable=start.name,
        other=instead.holder,
        other_key=instead.key,
        holder=start.holder,
        key=start.key,
    )
    cure = Phrase(
        "take {variable} out of `env` of the container"
        if instead.holder is None
        else "name one source of {variable} alone in the container",
        variable=start.name,
    )
    return Finding("VARIABLE_OVERRIDDEN", workload, sentence, cure, container=container)


def _is_same(snapshot: Snapshot, start: Start, instead: Start) -> bool:
    """Whether two sources say the same, by what may be seen of both."""
    return not _seen(snapshot, start).isdisjoint(_seen(snapshot, instead))


def _seen(snapshot: Snapshot, start: Start) -> set[str]:
    if start.holder is None:
        return {start.literal, shape(start.literal.encode())}
    text = held(snapshot, start.holder).get(start.key, "")
    return {text} if start.holder.kind == "Secret" else {text, shape(text.encode())}


BEFOREHAND: Final = (overridden_variables, configuration_not_read)
