"""All that nova.yaml says: components, what is outside, configuration, and who reaches whom."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SerializeAsAny

from nova_acceptance.findings import Ref
from nova_acceptance.system.base import Name, Port, Strict
from nova_acceptance.system.component import Component, Use, Workload
from nova_acceptance.system.configuration import Certificate, Configuration, Conventions, KeySpec

ComponentT = TypeVar("ComponentT", bound=Component)


class External(Strict):
    """A system outside the cluster.

    Attributes:
        host: its name or address; None where only its users know it.
        port: where it listens.
        verify: whether it is to be reached from the pods that use it; else it is reported as
            declared and not verified.
    """

    name: str
    host: str | None = None
    port: Port | None = None
    verify: bool = False


class Connection(Strict):
    """From where to where: names of components or namespaces, or `*` for all."""

    origin: Annotated[str, Field(alias="from")]
    to: str


class Reachability(Strict):
    """Who must reach whom, and who must not, beyond what `uses` says.

    What is neither used nor declared here is not judged. Where a line stands for very many
    connections a sample of them is tried; see `nova_acceptance.system.sample`.
    """

    open: tuple[Connection, ...] = ()
    closed: tuple[Connection, ...] = ()


class System(Strict):
    """All of nova.yaml.

    Attributes:
        zone: the domain of the cluster's DNS.
        extra_namespaces: `namespaces` in the file: those that hold no component.
        undeclared: whether workloads, claims, roles and the like that the file does not name are
            `refused` in the system's namespaces, or `allowed`.
    """

    zone: str = "cluster.local"
    extra_namespaces: Annotated[tuple[Name, ...], Field(alias="namespaces")] = ()
    components: tuple[SerializeAsAny[Component], ...]
    external: tuple[External, ...] = ()
    conventions: Conventions = Conventions()
    configuration: tuple[Configuration, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    reachability: Reachability = Reachability()
    undeclared: Literal["refused", "allowed"] = "refused"

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace of the system, in the order in which the file names them."""
        homes = [each.namespace for each in self.components]
        homes += [each.namespace for each in self.configuration]
        return tuple(dict.fromkeys((*self.extra_namespaces, *homes)))

    @cached_property
    def every_workload(self) -> tuple[Workload, ...]:
        """What makes the pods of each component."""
        return tuple(component.workload for component in self.components)

    @cached_property
    def services(self) -> tuple[Component, ...]:
        """The components of the application layer."""
        return tuple(each for each in self.components if each.layer == "services")

    @cached_property
    def every_configuration(self) -> tuple[Configuration, ...]:
        """The listed ConfigMaps and Secrets and those of the components' uses, with all keys."""
        listed = {it.ref: self._with_addresses(it) for it in self.configuration}
        for component in self.components:
            for use in component.uses:
                if key := self.key_of(component, use):
                    where = self.holder_of(component, use)
                    known = listed.get(where) or Configuration(**where._asdict(), keys={})
                    is_url = self.owner_of(use.name) is not None
                    held = known.keys.get(key) or KeySpec(url=use.name if is_url else None)
                    listed[where] = known.model_copy(update={"keys": {**known.keys, key: held}})
        return tuple(listed.values())

    def of(self, model: type[ComponentT]) -> tuple[ComponentT, ...]:
        """Return the components of a kind, by its class."""
        return tuple(each for each in self.components if isinstance(each, model))

    def users_of(self, external: External) -> list[Component]:
        """Return the components that use an external system."""
        return [it for it in self.components if external.name in {use.name for use in it.uses}]

    def component(self, name: str) -> Component:
        """Return the component of that name."""
        return next(each for each in self.components if each.name == name)

    def owner_of(self, target: str) -> Component | None:
        """Return the component that a use leads to; None for an external system's name."""
        owner, slash, part = target.rpartition("/")
        for each in self.components:
            if target in each.targets or (slash and each.name == owner and part in each.targets):
                return each
        return None

    def holder_of(self, component: Component, use: Use) -> Ref:
        """Return the object that tells a component where something is that it uses."""
        if use.config_map:
            return Ref("ConfigMap", component.namespace, use.config_map)
        name = use.secret or self.conventions.secret.format(name=component.name)
        return Ref("Secret", component.namespace, name)

    def key_of(self, component: Component, use: Use) -> str | None:  # noqa: ARG002 - of its use
        """Return the key under which that is; None where nothing says so."""
        owner = self.owner_of(use.name)
        names = (use.name, *((owner.name, owner.kind) if owner else ()))
        by_convention = (self.conventions.keys.get(name) for name in names)
        return use.key or next(filter(None, by_convention), None)

    def env_of(self, component: Component, use: Use) -> str | None:
        """Return the variable by which a component gets it; None where that is not said."""
        key = self.key_of(component, use)
        return use.env or (self.conventions.variable_of(key) if key else None)

    def address_key(self, component: Component) -> str:
        """Return the key of a component's address in a ConfigMap."""
        return self.conventions.address_of(component.name)

    def selected(self, pattern: str) -> Iterable[Component]:
        """Return the components that a word of `reachability` means."""
        return [it for it in self.components if pattern in ("*", it.name, it.namespace)]

    def _with_addresses(self, item: Configuration) -> Configuration:
        if not item.addresses:
            return item
        keys = {
            self.address_key(each): KeySpec(address=each.name)
            for each in self.services
            if each.namespace == item.namespace
        }
        return item.model_copy(update={"keys": {**item.keys, **keys}})
