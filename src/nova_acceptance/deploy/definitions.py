"""Kinds that come with the manifests: what their CustomResourceDefinitions bring to a cluster."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.components.kubernetes.status import condition
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.vantage.until import until

DEFINITION: Final = "CustomResourceDefinition"
_EVERY: Final = 0.25

GroupKind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Defined:
    """A kind that a CustomResourceDefinition brings.

    Attributes:
        group: its API group.
        kind: its name.
        versions: those in which it is served; none where the definition is not whole.
        is_namespaced: whether its objects are in namespaces.
    """

    group: str
    kind: str
    versions: tuple[str, ...]
    is_namespaced: bool

    def serves(self, api_version: str) -> bool:
        """Whether the kind is served in that version, such as `example.org/v1`."""
        version = api_version.partition("/")[2]
        return not self.versions or version in self.versions


def defined(objects: Sequence[Object]) -> Mapping[GroupKind, Defined]:
    """Return the kinds that the definitions among objects bring, by group and kind."""
    found = (_defined(obj) for obj in objects if obj["kind"] == DEFINITION)
    return {(each.group, each.kind): each for each in found}


def group_kind(obj: Object) -> GroupKind:
    """Return an object's API group and kind."""
    group, slash, _ = obj["apiVersion"].partition("/")
    return (group if slash else ""), obj["kind"]


def await_served(kube: Kube, objects: Sequence[Object], deadline: float) -> None:
    """Wait until the kinds that these objects define are established, and served.

    Args:
        kube: the API, which has the definitions.
        objects: what is deployed; its definitions, and the instances of them.
        deadline: when to give up, in seconds of `time.monotonic`.

    Raises:
        ApplyError: a kind was not served in time, or its names are taken; with what the API says.
        ClusterError: the API did not answer.
    """
    definitions = [obj for obj in objects if obj["kind"] == DEFINITION]
    if not definitions:
        return
    kinds = defined(definitions)
    versions = {(obj["apiVersion"], obj["kind"]) for obj in objects if group_kind(obj) in kinds}
    left: list[Object] = []

    def are_served() -> bool:
        left[:] = [
            live
            for obj in definitions
            if (live := kube.get(obj["apiVersion"], DEFINITION, obj["metadata"]["name"]))
            and condition(live, "Established").get("status") != "True"
        ]
        # Discovery follows a moment after.
        return not left and all(kube.serves(*version) for version in versions)

    within = min(timeouts.ESTABLISHED, max(0.0, deadline - time.monotonic()))
    if until(are_served, within=within, every=_EVERY) > within:
        raise ApplyError(
            f"not established in time: {', '.join(map(describe, left)) or 'their kinds'}",
            hint="`kubectl describe crd` tells why; a name that another definition has is one",
            evidence=[
                f"{describe(obj)}: {entry.get('message', '')}"
                for obj in left
                for entry in (obj.get("status") or {}).get("conditions") or ()
                if entry.get("status") == "False"
            ],
        )


def _defined(definition: Object) -> Defined:
    spec = definition.get("spec") or {}
    versions = [
        str(each["name"])
        for each in spec.get("versions") or ()
        if each.get("served", True) and "name" in each
    ]
    if not versions and spec.get("version"):  # as apiextensions.k8s.io/v1beta1 allows
        versions = [str(spec["version"])]
    names = spec.get("names") or {}
    return Defined(
        group=str(spec.get("group", "")),
        kind=str(names.get("kind", "")),
        versions=tuple(versions),
        is_namespaced=spec.get("scope", "Namespaced") == "Namespaced",
    )
