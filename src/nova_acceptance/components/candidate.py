"""A workload that nova.yaml does not name yet: what a kind looks at to recognise and draft it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from nova_acceptance.components.kubernetes.addresses import Address
from nova_acceptance.components.kubernetes.backends import declared_ports
from nova_acceptance.components.kubernetes.checks.services import CLUSTER_IP, is_headless, type_of
from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.variables import Given, held
from nova_acceptance.components.kubernetes.workloads import pods_of, template
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system.base import Path

_PASSWORD: Final = re.compile(r"://[^\s:/@?#]*:([^\s@]*)@")
_TELLS_PASSWORD: Final = re.compile(r"pass|pwd|(^|[_.-])pw($|[_.-])|auth|secret|token", re.I)
_PRIMARY: Final = re.compile(r"(^|[_.-])(primary|master|leader|writer?|rw)($|[_.-])", re.I)
_REPLICA: Final = re.compile(
    r"(^|[_.-])(replicas?|slaves?|standby|followers?|secondary|readers?|ro)($|[_.-])", re.I
)
_POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
_VERSION: Final = re.compile(r"v?(\d+)(?=[.\-_]|$)")


@dataclass(frozen=True, slots=True)
class Link:
    """An address by which one workload is told where a Service is.

    Attributes:
        source: the workload that is told.
        given: by what it is told.
        address: the address.
        service: the Service that it names.
    """

    source: Ref
    given: Given
    address: Address
    service: Ref

    @property
    def password(self) -> str:
        """The mark of the password in its URL; empty where there is none."""
        found = _PASSWORD.search(self.given.shape)
        return found[1] if found and found[1] != mark("") else ""

    @property
    def is_url_alone(self) -> bool:
        """Whether the value is this one URL, and nothing is around it."""
        shape = self.given.shape.strip()
        return bool(self.address.scheme) and shape.count("://") == 1 and not re.search(r"\s", shape)


class Remark(NamedTuple):
    """A comment at a field of nova.yaml.

    Attributes:
        path: the field, from the component on; empty for the component.
        text: one sentence or two.
        is_unknown: whether something could not be found out, which the head of the file says too.
    """

    path: Path
    text: str
    is_unknown: bool = False


@dataclass(slots=True)
class Drafted:
    """What nova.yaml says of a component, apart from what every kind can say.

    Attributes:
        fields: by their names; None takes one away that every kind has.
        remarks: what a person has to look at.
        allows_undeclared: whether it holds something that nova.yaml cannot name.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    allows_undeclared: bool = False

    def remark(self, text: str, *path: str | int, is_unknown: bool = False) -> None:
        """Add a comment at a field."""
        self.remarks.append(Remark(path, text, is_unknown))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A workload, the Services in front of it, and who is told where it is.

    Attributes:
        snapshot: what was seen.
        workload: a Deployment or StatefulSet.
        name: the component's name.
        services: the Services that select its pods.
        given: what its containers are given.
        incoming: the addresses by which others are told where it is.
        outgoing: the addresses that it is told.
        behind: the component's name by each Service of the system.
    """

    snapshot: Snapshot
    workload: Object
    name: str
    services: tuple[Object, ...] = ()
    given: tuple[Given, ...] = ()
    incoming: tuple[Link, ...] = ()
    outgoing: tuple[Link, ...] = ()
    behind: Mapping[Ref, str] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The workload's namespace."""
        return str(self.workload["metadata"].get("namespace", ""))

    @property
    def replicas(self) -> int:
        """How many pods it wants."""
        found = self.workload["spec"].get("replicas")
        return 1 if found is None else int(found)

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Its containers, without those that only initialise a pod first."""
        return list(template(self.workload)["spec"].get("containers") or ())

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The last part of each container's image, without tag and digest."""
        return tuple(_image(each)[0] for each in self.containers)

    @cached_property
    def ports(self) -> dict[int, str]:
        """The names of the ports that its containers declare, and its Services lead to."""
        found = {
            int(each["containerPort"]): str(each.get("name") or "")
            for each in declared_ports(template(self.workload))
        }
        for service in self.services:
            for port in service["spec"].get("ports") or ():
                if number := self.target_of(port):
                    found.setdefault(number, str(port.get("name") or ""))
        return found

    @cached_property
    def pods(self) -> tuple[PodRef, ...]:
        """Its ready pods, in the order of their names."""
        found = [pod for pod in pods_of(self.snapshot, self.workload) if is_ready(pod)]
        return tuple(sorted(PodRef(self.namespace, pod["metadata"]["name"]) for pod in found))

    @property
    def texts(self) -> Iterator[str]:
        """What it is configured with, commands and files of ConfigMaps included."""
        for container in self.containers:
            yield " ".join(
                str(word) for part in ("command", "args") for word in container.get(part) or ()
            )
        yield from (each.shape for each in self.given)

    def is_of_image(self, pattern: re.Pattern[str]) -> bool:
        """Whether the name of one of its images matches."""
        return any(pattern.search(image) for image in self.images)

    def version_of(self, pattern: re.Pattern[str], least: int) -> str | None:
        """Return the first number of the tag of the image that matches; None without one.

        Args:
            pattern: what the image's name should match.
            least: a number below which a tag counts images, and says no version of the program.
        """
        for container in self.containers:
            name, tag = _image(container)
            found = _VERSION.match(tag) if pattern.search(name) else None
            if found and int(found[1]) >= least:
                return found[1]
        return None

    def variable(self, *names: str) -> Given | None:
        """Return the variable of the first of these names that a container has."""
        by_name = {each.name: each for each in reversed(self.given) if each.name}
        return next((by_name[name] for name in names if name in by_name), None)

    def target_of(self, port: Mapping[str, Any]) -> int | None:
        """Return the number of the pods' port that a Service's port leads to."""
        target = port.get("targetPort") or port["port"]
        if isinstance(target, int) or str(target).isdigit():
            return int(target)
        for each in declared_ports(template(self.workload)):
            if each.get("name") == target:
                return int(each["containerPort"])
        return None

    def service_fields(self, port_name: str, first: int | None = None) -> list[dict[str, Any]]:
        """Return its Services as nova.yaml lists them, headless ones first.

        Args:
            port_name: what a single port without a name is called.
            first: the port of the pods that clients connect to, which comes first.
        """
        ordered = sorted(self.services, key=lambda each: (not is_headless(each), ref(each).name))
        return [self._service(each, port_name, first) for each in ordered]

    def _service(self, service: Object, port_name: str, first: int | None) -> dict[str, Any]:
        ports = sorted(
            service["spec"].get("ports") or (), key=lambda port: self.target_of(port) != first
        )
        made: dict[str, Any] = {"name": ref(service).name}
        if (kind := type_of(service)) != CLUSTER_IP:
            made["type"] = kind
        if is_headless(service):
            made["headless"] = True
        made["ports"] = {str(port.get("name") or port_name): int(port["port"]) for port in ports}
        targets = {
            str(port.get("name") or port_name): port["targetPort"]
            for port in ports
            if port.get("targetPort") and self.target_of(port) not in (None, port["port"])
        }
        if targets:
            made["targets"] = targets
        if role := self.role_of(service):
            made["role"] = role
        return made

    def role_of(self, service: Object) -> str:
        """Return which of several members a Service leads to, by what it selects."""
        if self.replicas < 2:  # noqa: PLR2004 - several
            return ""
        selector = service["spec"].get("selector") or {}
        labels = (template(self.workload).get("metadata") or {}).get("labels") or {}
        for key, value in selector.items():
            if key == _POD_NAME:
                return "primary" if str(value).endswith("-0") else "replica"
            if labels.get(key) == value:
                continue
            if _PRIMARY.search(str(value)):
                return "primary"
            if _REPLICA.search(str(value)):
                return "replica"
        return ""

    def role_label(self) -> str | None:
        """Return the label by which its Services choose members in a role."""
        labels = (template(self.workload).get("metadata") or {}).get("labels") or {}
        for service in self.services:
            for key, value in (service["spec"].get("selector") or {}).items():
                is_role = _PRIMARY.search(str(value)) or _REPLICA.search(str(value))
                if key != _POD_NAME and labels.get(key) != value and is_role:
                    return str(key)
        return None

    def password_homes(self, *names: str) -> list[dict[str, str]]:
        """Return the Secrets' keys that may hold its password, likeliest first.

        Those come first that hold what URLs give as their password, then the variables of these
        names, then whatever its containers are given that is called a password.
        """
        told = {link.password for link in self.incoming if link.password}
        ranked: dict[tuple[str, str], int] = {}
        for each in self.given:
            if each.holder.kind != "Secret" or "://" in each.shape or self.lacks(each):
                continue
            rank = self._rank(each, names, told)
            if rank is not None:
                where = each.holder.name, each.key
                ranked[where] = min(rank, ranked.get(where, rank))
        for secret, key in self.homes_of(told):
            ranked.setdefault((secret, key), len(names) + 1)
        return [
            {"secret": secret, "key": key}
            for (secret, key), _ in sorted(ranked.items(), key=lambda item: item[1])
        ]

    def lacks(self, each: Given) -> bool:
        """Whether what should hold a value certainly does not."""
        where = each.holder
        is_read = self.snapshot.knows(where.kind, where.namespace)
        return is_read and not held(self.snapshot, where).get(each.key)

    @staticmethod
    def _rank(each: Given, names: tuple[str, ...], told: set[str]) -> int | None:
        if each.shape in told:
            return 0
        if each.name in names:
            return 1 + names.index(each.name)
        is_called_so = _TELLS_PASSWORD.search(each.name) or _TELLS_PASSWORD.search(each.key)
        return len(names) + 2 if is_called_so else None

    def homes_of(self, marks: set[str]) -> list[tuple[str, str]]:
        """Return the Secrets of its namespace, with the keys, that hold values of these marks."""
        return [
            (ref(secret).name, key)
            for secret in self.snapshot.of_kind("Secret", self.namespace)
            for key, text in held(self.snapshot, ref(secret)).items()
            if text in marks
        ]


def _image(container: Mapping[str, Any]) -> tuple[str, str]:
    """Return the last part of an image's name, and its tag."""
    name = str(container.get("image") or "").partition("@")[0].rpartition("/")[2]
    image, _, tag = name.partition(":")
    return image.lower(), tag
