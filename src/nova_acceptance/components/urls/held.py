"""A URL as a Secret or ConfigMap holds it, without anything secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.kubernetes.addresses import Address, addresses_in
from nova_acceptance.components.kubernetes.traits import Trait
from nova_acceptance.findings import Ref
from nova_acceptance.system import Component, System, Url, UrlOf
from nova_acceptance.system.parts import forms

_PASSWORD: Final = re.compile(r"://[^\s:/@?#]*:([^\s@]*)@")
_SEVERAL: Final = re.compile(
    r"([a-z][a-z0-9+.-]*://(?:[^@/\s]*@)?)([^/?#\s,]+(?:,[^/?#\s,]+)+)(.*)", re.I
)
"""A URL with several hosts. Source: the PostgreSQL manual, 34.1.1.3."""
_NUMERIC: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://([^@/\s]*@)?([0-9.]+|\[[0-9a-f:.]+\])(:|/|\?|$)", re.I
)


@dataclass(frozen=True, slots=True)
class HeldUrl:
    """A URL that leads to a component.

    Attributes:
        url: where it is and what it leads to.
        owner: the component that it leads to.
        wanted: what it should look like.
        zone: the cluster's.
        shape: what may be looked at of it (`kubernetes.shapes`).
        addresses: the addresses in it; none where it has none by name.
        traits: how the value is written.
    """

    url: Url
    owner: Component
    wanted: UrlOf
    zone: str
    shape: str
    addresses: tuple[Address, ...]
    traits: tuple[Trait, ...] = ()

    @classmethod
    def of(
        cls, url: Url, system: System, shape: str, traits: Iterable[Trait] = ()
    ) -> HeldUrl | None:
        """Return a URL by its shape; None where its target is no component with URLs."""
        owner = system.owner_of(url.target)
        wanted = owner.url(url.target) if owner else None
        if owner is None or wanted is None:
            return None
        found = _SEVERAL.fullmatch(shape) if shape.count("://") == 1 else None
        each = [f"{found[1]}{it}{found[3]}" for it in found[2].split(",")] if found else [shape]
        addresses = (it for text in each for it in addresses_in(text, url.holder, url.key))
        named = tuple(it for it in addresses if it.scheme)
        return cls(url, owner, wanted, system.zone, shape, named, tuple(traits))

    @property
    def address(self) -> Address | None:
        """The first address in it; None where it has none by name."""
        return self.addresses[0] if self.addresses else None

    @property
    def has_several(self) -> bool:
        """Whether it names several hosts, of which its program chooses."""
        return bool(_SEVERAL.fullmatch(self.shape)) and self.is_alone

    def has(self, name: str, *places: str) -> bool:
        """Whether it is written in some way, at one of some places or at any."""
        return any(it.name == name and (not places or it.at in places) for it in self.traits)

    def option(self, name: str) -> str:
        """The value of an option; empty where it is not set, or has no value that there is."""
        return next((it.what for it in self.traits if (it.name, it.at) == ("option", name)), "")

    @property
    def holder(self) -> Ref:
        """The object that holds it."""
        return self.url.holder

    @property
    def key(self) -> str:
        """The key under which it is."""
        return self.url.key

    @property
    def password(self) -> str:
        """The mark of its password; empty if it has none."""
        found = _PASSWORD.search(self.shape)
        return found[1] if found else ""

    @property
    def is_alone(self) -> bool:
        """Whether the value is one URL, and nothing is around it."""
        return self.shape.count("://") == 1 and not re.search(r"\s", self.shape)

    @property
    def is_numeric(self) -> bool:
        """Whether it has an IP address in the place of a name."""
        return bool(_NUMERIC.match(self.shape))

    @property
    def service(self) -> Ref:
        """The Service that it should name."""
        return Ref("Service", self.wanted.namespace, self.wanted.service.name)

    @property
    def full_name(self) -> str:
        """That Service's name in the cluster's DNS."""
        return f"{self.service.name}.{self.service.namespace}.svc.{self.zone}"

    @property
    def forms(self) -> tuple[str, ...]:
        """The names of that Service to a pod of the namespace in which the URL is."""
        name, namespace = self.service.name, self.service.namespace
        return self._forms_of(name, namespace)

    @property
    def forms_of_all(self) -> tuple[str, ...]:
        """The names of every Service of the component, and of each member by a headless one."""
        owner, workload = self.owner, self.owner.workload
        members = [f"{workload.name}-{number}" for number in range(workload.replicas)]
        services = [it.name for it in owner.every_service]
        headless = [it.name for it in owner.every_service if it.headless]
        names = (*services, *(f"{member}.{it}" for it in headless for member in members))
        return tuple(each for it in names for each in self._forms_of(it, owner.namespace))

    def _forms_of(self, name: str, namespace: str) -> tuple[str, ...]:
        bare = (name,) if self.holder.namespace == namespace else ()
        return (*bare, *forms(name, namespace, self.zone))
