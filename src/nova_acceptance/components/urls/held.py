"""A URL as a Secret or ConfigMap holds it, without anything secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.kubernetes.addresses import Address, addresses_in
from nova_acceptance.findings import Ref
from nova_acceptance.system import Component, System, Url, UrlOf
from nova_acceptance.system.parts import forms

_PASSWORD: Final = re.compile(r"://[^\s:/@?#]*:([^\s@]*)@")
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
        address: the address in it; None where it has none by name.
    """

    url: Url
    owner: Component
    wanted: UrlOf
    zone: str
    shape: str
    address: Address | None

    @classmethod
    def of(cls, url: Url, system: System, shape: str) -> HeldUrl | None:
        """Return a URL by its shape; None where its target is no component with URLs."""
        owner = system.owner_of(url.target)
        wanted = owner.url(url.target) if owner else None
        if owner is None or wanted is None:
            return None
        addresses = [it for it in addresses_in(shape, url.holder, url.key) if it.scheme]
        address = addresses[0] if addresses else None
        return cls(url, owner, wanted, system.zone, shape, address)

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
        bare = (name,) if self.holder.namespace == namespace else ()
        return (*bare, *forms(name, namespace, self.zone))
