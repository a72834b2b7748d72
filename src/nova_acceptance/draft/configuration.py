"""ConfigMaps and Secrets with their keys, and what each of them holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nova_acceptance.components.candidate import Candidate
from nova_acceptance.components.kubernetes.variables import held
from nova_acceptance.components.kubernetes.workloads import references, template
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.draft.certificates import certificate_in, is_certificate, is_private_key
from nova_acceptance.findings import Ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import System, Url
from nova_acceptance.system.parts import front_of

_MADE_BY_THE_CLUSTER: Final = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})
_OF_OTHERS: Final = ("kubernetes.io/service-account-token", "helm.sh/release.v1")
_HASHED: Final = re.compile(r"-[2456789bcdfghkmt]{10}$")
"""The end of a name that kustomize makes of the contents: it changes with them."""
_CALLED_PASSWORD: Final = re.compile(r"pass(word|wd)?([_.-]|$)|pwd|(^|[_.-])pw$", re.IGNORECASE)
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_PASSWORD: Final = "password"  # noqa: S105 - what a key may hold
_SOMETHING: Final = "something"


@dataclass(slots=True)
class Configurations:
    """What is said of ConfigMaps, Secrets and certificates.

    Attributes:
        listed: one entry an object.
        certificates: one entry a certificate.
        remarks: what a person has to look at, by the place of the entry that it is about.
        head: the same, about none of them.
    """

    listed: list[dict[str, Any]] = field(default_factory=list)
    certificates: list[dict[str, Any]] = field(default_factory=list)
    remarks: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)


def configurations(
    snapshot: Snapshot,
    candidates: Sequence[Candidate],
    system: System,
    implied: Mapping[Ref, set[str]],
) -> Configurations:
    """Return what the components' ConfigMaps and Secrets hold.

    Args:
        snapshot: what was seen.
        candidates: the workloads of the components.
        system: the components.
        implied: the keys that follow from uses.
    """
    reader = _Reader.of(snapshot, candidates, system, implied)
    found = Configurations()
    homes = [holder for holder, _ in sorted(reader.homes)]
    wanted = dict.fromkeys((*_referred(candidates), *homes))
    hashed: list[str] = []
    for where in sorted(wanted, key=lambda it: (_place(it, system), it.kind, it.name)):
        if snapshot.at(where) is None:
            if not snapshot.knows(where.kind, where.namespace):
                found.head.append(f"{where} could not be read: its keys are not known")
        elif _HASHED.search(where.name):
            hashed.append(str(where))
        elif where.name not in _MADE_BY_THE_CLUSTER:
            reader.describe(where, found)
    if hashed:
        found.head.append(
            "Left out, since kustomize changes their names with their contents:"
            f" {', '.join(hashed)}."
        )
    return found


def _referred(candidates: Iterable[Candidate]) -> Iterator[Ref]:
    """Yield the ConfigMaps and Secrets that the components' pods are made with."""
    for each in candidates:
        for reference in references(each.workload):
            if reference.target.kind in ("ConfigMap", "Secret"):
                yield reference.target
        for entry in template(each.workload)["spec"].get("imagePullSecrets") or ():
            if entry.get("name"):
                yield Ref("Secret", each.namespace, entry["name"])


def _place(where: Ref, system: System) -> int:
    homes = list(system.namespaces)
    return homes.index(where.namespace) if where.namespace in homes else len(homes)


@dataclass(frozen=True, eq=False)
class _Reader:
    """What is known before an object is described.

    Attributes:
        homes: where the components' passwords are.
        marks: the marks of passwords.
    """

    snapshot: Snapshot
    system: System
    implied: Mapping[Ref, set[str]]
    homes: frozenset[tuple[Ref, str]]
    marks: frozenset[str]

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        candidates: Iterable[Candidate],
        system: System,
        implied: Mapping[Ref, set[str]],
    ) -> _Reader:
        homes = frozenset(
            (Ref("Secret", each.namespace, home.secret), home.key)
            for each in system.components
            for home in each.secrets
        )
        marks = {held(snapshot, holder).get(key, "") for holder, key in homes}
        marks |= {link.password for each in candidates for link in each.incoming}
        return cls(snapshot, system, implied, homes, frozenset(marks - {""}))

    def describe(self, where: Ref, found: Configurations) -> None:
        """Add what is said of one object."""
        obj = self.snapshot.at(where) or {}
        shapes = held(self.snapshot, where)
        shapes |= dict.fromkeys(obj.get("binaryData") or (), "bytes")
        if obj.get("type") in _OF_OTHERS or self._is_left_out(where, shapes, found):
            return
        told = self.implied.get(where, set())
        keys = {
            key: self._holds(where, key, text) for key, text in shapes.items() if key not in told
        }
        if told and not keys:
            return  # all of it follows from uses
        index = len(found.listed)
        found.listed.append({**where._asdict(), **self._keys(where, keys)})
        if told:
            found.remarks["configuration", index] = [
                f"Besides: {', '.join(sorted(told))}, by which services are told where things are."
            ]
        if where.kind == "Secret":
            described = certificate_in(where, shapes, str(obj.get("type")), self.system)
            found.head += described.head
            if described.remark:
                place = "certificates", len(found.certificates)
                found.remarks[place] = [described.remark]
            if described.fields:
                found.certificates.append(described.fields)

    def _is_left_out(self, where: Ref, shapes: Mapping[str, str], found: Configurations) -> bool:
        if empty := [key for key, text in shapes.items() if not text.strip()]:
            found.head.append(
                f"{where} holds nothing under {', '.join(sorted(empty))}, which is taken for a"
                " fault: it is left out as far as no use names it"
            )
        elif strange := [key for key in shapes if not _KEY.fullmatch(key)]:
            found.head.append(f"{where} is left out: nova.yaml takes no key such as {strange[0]!r}")
        else:
            return False
        return True

    def _keys(self, where: Ref, keys: dict[str, Any]) -> dict[str, Any]:
        """Return how keys are written: as a list where each is just something."""
        made: dict[str, Any] = {}
        addresses = {
            it["address"]: key
            for key, it in keys.items()
            if isinstance(it, dict) and "address" in it
        }
        if self._are_all(addresses, where):
            keys = {key: it for key, it in keys.items() if key not in addresses.values()}
            made["addresses"] = True
        is_plain = all(it == _SOMETHING for it in keys.values())
        return {"keys": list(keys) if is_plain else keys, **made}

    def _are_all(self, addresses: Mapping[str, str], where: Ref) -> bool:
        """Whether each service of the namespace has its address there, under its usual key."""
        services = {it.name: it for it in self.system.services if it.namespace == where.namespace}
        return (
            bool(services)
            and set(addresses) == set(services)
            and all(key == self.system.address_key(services[it]) for it, key in addresses.items())
        )

    def _holds(self, where: Ref, key: str, text: str) -> str | dict[str, str]:
        """Return what a key holds, as nova.yaml says it."""
        is_secret = where.kind == "Secret"
        if (where, key) in self.homes or (is_secret and text in self.marks):
            return _PASSWORD
        if is_private_key(text):
            return "private-key"
        if is_secret and is_certificate(text):
            return "certificate"
        if "://" in text:
            return self._leads(where, key, text) or _SOMETHING
        return _PASSWORD if is_secret and _CALLED_PASSWORD.search(key) else _SOMETHING

    def _leads(self, where: Ref, key: str, text: str) -> dict[str, str] | None:
        """Return to what a URL leads; None where that is nothing that the file can name."""
        for component in self.system.components:
            front = front_of(component)
            full = front.full_name(self.system.zone) if front else ""
            if text == f"{component.scheme}://{full}:{component.client_port}":
                return {"address": component.name}
            for target in component.targets:
                url = HeldUrl.of(Url(where, key, target, None), self.system, text)
                if url and url.address and not list(checks.differing_url(url)):
                    return {"url": target}
        return None
