"""What containers were started with, and where that comes from: no later change reaches them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nova_acceptance.components.kubernetes.variables import held
from nova_acceptance.components.kubernetes.workloads import containers, template
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_ONE_KEY: Final = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
_WHOLE: Final = {"secretRef": "Secret", "configMapRef": "ConfigMap"}
VOLUMES: Final = {"secret": ("Secret", "secretName"), "configMap": ("ConfigMap", "name")}
"""How a volume names its object: the field, the kind, and the field of the object's name."""
_READS_AGAIN: Final = re.compile(
    r"reload|watch|inotify|nginx|haproxy|envoy|traefik|coredns|prometheus|promtail|fluent|vector"
    r"|caddy|grafana|alertmanager|patroni",
    re.IGNORECASE,
)
"""Programs that take in a configuration that changes, or are told to."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Start:
    """One value that a container gets when it starts, and not again.

    Attributes:
        name: the variable; of a file its path in the container.
        holder: the ConfigMap or Secret; None where the workload spells the value out.
        key: the key in it.
        literal: what is spelled out; empty where a holder has the value.
        is_file: whether it is a file: one that is mounted by `subPath`, which is never renewed, or
            one that the container's program is given by name, and reads when it starts.
        volume: where the volume of a file is mounted that is renewed; empty for all else.
        is_optional: whether the container starts without the holder, too.
    """

    name: str
    holder: Ref | None
    key: str
    literal: str = ""
    is_file: bool = False
    volume: str = ""
    is_optional: bool = False

    @property
    def can_be_asked(self) -> bool:
        """Whether a shell in the container can name it."""
        return self.is_file or bool(_NAME.fullmatch(self.name))


def variables(snapshot: Snapshot, container: Mapping[str, Any], namespace: str) -> dict[str, Start]:
    """Return what a container's variables come from, each from what comes last.

    `env` goes before `envFrom`, and the later entry of a list before the earlier one.
    Source: the API reference, Container v1 core, `env` and `envFrom`.
    """
    found: dict[str, Start] = {}
    for start in _every_variable(snapshot, container, namespace):
        found[start.name] = start
    return found


def overridden(
    snapshot: Snapshot, container: Mapping[str, Any], namespace: str
) -> Iterator[tuple[Start, Start]]:
    """Yield values that a container is given and does not have, each with what it has instead."""
    last = variables(snapshot, container, namespace)
    for start in _every_variable(snapshot, container, namespace):
        if start.holder and start != last[start.name]:
            yield start, last[start.name]


def files(pod: Object, container: Mapping[str, Any], namespace: str) -> Iterator[Start]:
    """Yield the files of ConfigMaps and Secrets that a container's program knows from its start.

    Those are the ones by `subPath`, and those that its command names, where nothing reads them
    again. Source: Kubernetes' documentation, "Mounted ConfigMaps are updated automatically".
    """
    words = words_of(container)
    for volume, mount, holder in mounts(pod, container, namespace):
        path, items = mount.get("subPath"), keys_of(volume)
        is_optional = bool(volume.get("optional"))
        if path:
            if key := items.get(path, "" if items else path):
                where = mount["mountPath"]
                yield Start(where, holder, key, is_file=True, is_optional=is_optional)
        elif not _READS_AGAIN.search(words):
            where = mount["mountPath"].rstrip("/")
            for found in re.findall(rf"{re.escape(where)}/([\w.-]+)", words):
                key = items.get(found, "" if items else found)
                if key:
                    yield Start(
                        f"{where}/{found}",
                        holder,
                        key,
                        is_file=True,
                        volume=where,
                        is_optional=is_optional,
                    )


def words_of(container: Mapping[str, Any]) -> str:
    """Return what a container's command and arguments say, with a blank between."""
    return " ".join(map(str, (*(container.get("command") or ()), *(container.get("args") or ()))))


def mounts(
    pod: Object, container: Mapping[str, Any], namespace: str
) -> Iterator[tuple[Object, Object, Ref]]:
    """Yield a container's mounts of ConfigMaps and Secrets: the volume's source, mount, object."""
    volumes = {each["name"]: each for each in pod["spec"].get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"]) or {}
        for field, (kind, named) in VOLUMES.items():
            if entry := volume.get(field):
                yield entry, mount, Ref(kind, namespace, entry.get(named, ""))


def keys_of(volume: Object) -> dict[str, str]:
    """Return a volume's keys by the names of their files; nothing where it has all of them."""
    return {it["path"]: it["key"] for it in volume.get("items") or ()}


def starts(snapshot: Snapshot, pod: Object) -> Iterator[tuple[str, str, Start]]:
    """Yield the running containers of a pod, since when each runs, and what each started with."""
    namespace = pod["metadata"].get("namespace", "")
    running = {
        status["name"]: status["state"]["running"]["startedAt"]
        for status in (pod.get("status") or {}).get("containerStatuses") or ()
        if (status.get("state") or {}).get("running", {}).get("startedAt")
    }
    for container in containers(template(pod)) if running else ():
        since = running.get(container["name"])
        for start in (
            *variables(snapshot, container, namespace).values(),
            *files(pod, container, namespace),
        ):
            if since and start.holder and start.can_be_asked:
                yield container["name"], since, start


def may_be_newer(holder: Object, key: str, since: str) -> bool:
    """Whether a value may have been written after an instant; what nobody took down may always.

    Args:
        holder: a ConfigMap or Secret.
        key: the key.
        since: the instant, as the API spells it.
    """
    written = _written(holder, key)
    last = max((it for it in (*written, _created(holder)) if it), default="")
    return not (written and last) or datetime.fromisoformat(last) >= datetime.fromisoformat(since)


def is_first(holder: Object, start: Start, since: str) -> bool:
    """Whether an object still has the value that it was made with, for which a container waits.

    The API tells whole seconds, and a container may begin in the one in which its Secret is made.

    Args:
        holder: the ConfigMap or Secret of `start`.
        start: what the container started with.
        since: when it did, as the API spells it.
    """
    created, written = _created(holder), _written(holder, start.key)
    if start.is_optional or not (created and written):
        return False
    began = datetime.fromisoformat(since)
    return max(written) <= created and datetime.fromisoformat(created) <= began


def _created(holder: Object) -> str:
    return str(holder["metadata"].get("creationTimestamp", ""))


def _written(holder: Object, key: str) -> list[str]:
    """Return when each manager last wrote what it has of an object, if the key is of it."""
    return [
        str(entry.get("time", ""))
        for entry in holder["metadata"].get("managedFields") or ()
        for field in ("f:data", "f:stringData")
        if f"f:{key}" in ((entry.get("fieldsV1") or {}).get(field) or {})
    ]


def _every_variable(
    snapshot: Snapshot, container: Mapping[str, Any], namespace: str
) -> Iterator[Start]:
    for entry in container.get("envFrom") or ():
        for field, kind in _WHOLE.items():
            if source := entry.get(field):
                holder = Ref(kind, namespace, source.get("name", ""))
                is_optional = bool(source.get("optional"))
                for key in held(snapshot, holder):
                    name = f"{entry.get('prefix') or ''}{key}"
                    yield Start(name, holder, key, is_optional=is_optional)
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        named = next(((kind, source[it]) for it, kind in _ONE_KEY.items() if it in source), None)
        if named:
            kind, entry = named
            holder = Ref(kind, namespace, entry.get("name", ""))
            is_optional = bool(entry.get("optional"))
            yield Start(variable["name"], holder, entry.get("key", ""), is_optional=is_optional)
        else:
            yield Start(variable["name"], None, "", str(variable.get("value") or ""))
