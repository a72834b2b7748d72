"""What containers are given: by variables, and by files of mounted ConfigMaps and Secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.workloads import containers, references, template
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_ONE_KEY: Final = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
_WHOLE: Final = {"secretRef": "Secret", "configMapRef": "ConfigMap"}


@dataclass(frozen=True, slots=True)
class Given:
    """One value that a container is given.

    Attributes:
        name: the variable; empty for a file and for an argument.
        container: the container; empty for a file.
        holder: the ConfigMap or Secret that holds the value, else the workload that spells it out.
        key: the key in the holder; the variable where it is spelled out.
        shape: what may be looked at of the value (`shapes`); empty where it could not be read.
        is_whole: whether the holder is given with all of its keys.
    """

    name: str
    container: str
    holder: Ref
    key: str
    shape: str
    is_whole: bool = False

    @property
    def is_spelled_out(self) -> bool:
        """Whether the value stands in the workload itself."""
        return self.holder.kind not in ("ConfigMap", "Secret")


def given(snapshot: Snapshot, workload: Object) -> tuple[Given, ...]:
    """Return what the containers of a workload are given: variables first, then files."""
    return snapshot.once((given, ref(workload)), lambda: tuple(_given(snapshot, workload)))


def _given(snapshot: Snapshot, workload: Object) -> Iterator[Given]:
    namespace = workload["metadata"].get("namespace", "")
    named: set[tuple[Ref, str]] = set()
    for container in containers(template(workload)):
        for variable in _variables(snapshot, container, ref(workload), namespace):
            named.add((variable.holder, variable.key))
            yield variable
        yield from _arguments(container, ref(workload))
    for reference in references(workload):
        for key, text in held(snapshot, reference.target).items():
            if reference.key in ("", key) and (reference.target, key) not in named:
                named.add((reference.target, key))
                yield Given("", "", reference.target, key, text)


def held(snapshot: Snapshot, holder: Ref) -> dict[str, str]:
    """Return the shapes of what a ConfigMap or Secret holds, by key; of one unread nothing."""
    if holder.kind not in ("ConfigMap", "Secret"):
        return {}
    return snapshot.once((held, holder), lambda: _held(snapshot, holder))


def _held(snapshot: Snapshot, holder: Ref) -> dict[str, str]:
    data: Mapping[str, Any] = (snapshot.at(holder) or {}).get("data") or {}
    texts = {key: str(text or "") for key, text in data.items()}
    if holder.kind == "Secret":  # of which a snapshot has nothing but the shapes
        return texts
    return {key: text if "\n" in text.strip() else _public(text) for key, text in texts.items()}


@lru_cache(maxsize=1024)
def _public(text: str) -> str:
    """Return a public value with the passwords of its URLs marked, as a Secret's are."""
    return shape(text.encode()) if "://" in text else text


def _arguments(container: dict[str, Any], owner: Ref) -> Iterator[Given]:
    for word in (*(container.get("command") or ()), *(container.get("args") or ())):
        option, _, value = str(word).rpartition("=")
        key = option.lstrip("-") or "arguments"
        if "\n" not in value:
            yield Given("", container["name"], owner, key, _public(value))


def _variables(
    snapshot: Snapshot, container: dict[str, Any], owner: Ref, namespace: str
) -> Iterator[Given]:
    name = container["name"]
    for variable in container.get("env") or ():
        if "value" in variable:
            text = _public(str(variable["value"] or ""))
            yield Given(variable["name"], name, owner, variable["name"], text)
        for field, kind in _ONE_KEY.items():
            if source := (variable.get("valueFrom") or {}).get(field):
                holder = Ref(kind, namespace, source.get("name", ""))
                key = source.get("key", "")
                yield Given(
                    variable["name"], name, holder, key, held(snapshot, holder).get(key, "")
                )
    for entry in container.get("envFrom") or ():
        for field, kind in _WHOLE.items():
            if source := entry.get(field):
                holder = Ref(kind, namespace, source.get("name", ""))
                for key, text in held(snapshot, holder).items():
                    variable = f"{entry.get('prefix') or ''}{key}"
                    yield Given(variable, name, holder, key, text, is_whole=True)
