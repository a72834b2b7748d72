"""What nova.yaml can say of every system, whatever kinds of components it has.

Every model refuses keys that it does not know and is frozen. Types are strict: `name: no` is a
boolean to YAML and is refused, not taken for a text. What only one kind can say is in that kind's
room, `components/<kind>/spec.py`, as a subclass of `Component`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializeAsAny,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A DNS label (RFC 1123)."""
Key = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$")]
"""A key of a ConfigMap or Secret, or a variable of a container."""
Quantity = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(Ki|Mi|Gi|Ti)?$")]
"""An amount of storage, as Kubernetes writes it."""
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Layer = Literal["infrastructure", "services"]

Path = tuple[str | int, ...]
Problem = tuple[Path, str]
"""Where in a document something is wrong, and what."""


class Strict(BaseModel):
    """What every part of the file has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Short(Strict):
    """A part that may be written as one word: that of its field `_word`."""

    _word: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, value: Any) -> Any:
        return {cls._word: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors of both forms."""
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}


class KubeService(Strict):
    """A Service in front of a component's pods.

    Attributes:
        ports: number by name.
        role: which of several members it leads to, `primary` or `replica`; empty for all of them.
    """

    name: Name
    headless: bool = False
    ports: Annotated[dict[Name, Port], Field(min_length=1)]
    targets: dict[Name, Port | Name] = {}
    role: Literal["", "primary", "replica"] = ""


class Claim(Strict):
    """One volume of one replica, derived from a workload's claim templates."""

    name: str
    namespace: Name
    size: Quantity


class Workload(Strict):
    """A Deployment, StatefulSet or DaemonSet and the Services in front of it.

    Attributes:
        component: the name of the component that it runs.
        claims: size by name of the claim template.
        api_token: whether its pods hold a token of the Kubernetes API.
    """

    name: Name
    kind: Literal["StatefulSet", "Deployment"]
    namespace: Name
    component: Name
    replicas: Annotated[int, Field(ge=1)]
    claims: dict[Name, Quantity] = {}
    api_token: bool = False
    services: tuple[KubeService, ...] = ()
    layer: Layer = "infrastructure"

    @property
    def claimed(self) -> tuple[Claim, ...]:
        """Every claim that its replicas should hold."""
        return tuple(
            Claim(
                name=f"{template}-{self.name}-{ordinal}",
                namespace=self.namespace,
                size=size,
            )
            for template, size in self.claims.items()
            for ordinal in range(self.replicas)
        )

    def expected_behind(self, service: KubeService) -> int:
        """Return how many of its pods a Service should lead to."""
        if not service.role:
            return self.replicas
        return 1 if service.role == "primary" else self.replicas - 1


class Runs(Strict):
    """How a component runs: `workload` in the file.

    Attributes:
        kind: what makes its pods; each kind of component has a usual one.
        name: the workload's name, where it is not the component's.
        claims: size by name of the claim template.
        api_token: whether its pods hold a token of the Kubernetes API.
    """

    kind: Literal["StatefulSet", "Deployment"] | None = None
    name: Name | None = None
    replicas: Annotated[int, Field(ge=1)] = 1
    claims: dict[Name, Quantity] = {}
    api_token: bool = False


class SecretKey(Strict):
    """Where a password is: in the component's own namespace."""

    secret: Name
    key: Key


class Use(Short):
    """What a component uses, and how it is told where that is.

    Attributes:
        name: another component, a database of one, or an external system.
        secret: the Secret that holds the URL; `conventions` says which where this does not.
        config_map: the ConfigMap that holds it instead.
        key: the key in it.
        env: the variable by which the component's container gets it; empty: not verified.
    """

    _word: ClassVar[str] = "name"

    name: str
    secret: Name | None = None
    config_map: Name | None = None
    key: Key | None = None
    env: Key | None = None


class UrlOf(Strict):
    """What a URL of a target looks like, as the target's kind knows it.

    Attributes:
        scheme: as it is best written.
        schemes: a pattern of all that are right.
        service: the Service that it should name.
        port: the port of that Service.
        usual_port: the one that is meant where none is written.
        path: what follows the host, without its slash; None where any will do.
        users: who may connect; empty where it has no users.
        passwords: where the password of a user is, by user (`""` for the one without a name).
    """

    scheme: str
    schemes: str
    service: KubeService
    namespace: Name
    port: Port
    usual_port: Port
    path: str | None = None
    users: tuple[str, ...] = ()
    passwords: dict[str, SecretKey] = {}


class Component(Strict):
    """A part of the system: what every kind can say.

    Attributes:
        kind: which room knows it.
        name: unique in the file; how others refer to it.
        runs: its workload.
        services: the Services in front of it.
        client: the Service by which others connect; else the first that has an address, or a role
            of `primary`.
        uses: what it connects to.
        version: what its version should begin with; None: any.
    """

    kind: str
    name: Name
    namespace: Name
    runs: Annotated[Runs, Field(alias="workload")] = Runs()
    services: tuple[KubeService, ...] = ()
    client: Name | None = None
    uses: tuple[Use, ...] = ()
    version: str | None = None

    layer: ClassVar[Layer] = "infrastructure"
    usual_workload: ClassVar[Literal["StatefulSet", "Deployment"]] = "StatefulSet"

    @cached_property
    def workload(self) -> Workload:
        """What makes its pods, with the Services in front of them."""
        return Workload(
            name=self.runs.name or self.name,
            kind=self.runs.kind or self.usual_workload,
            namespace=self.namespace,
            component=self.name,
            replicas=self.runs.replicas,
            claims=self.runs.claims,
            api_token=self.runs.api_token,
            services=self.every_service,
            layer=self.layer,
        )

    @property
    def every_service(self) -> tuple[KubeService, ...]:
        """The Services in front of it, those included that follow from the rest."""
        return self.services

    @property
    def client_service(self) -> KubeService | None:
        """The Service by which others connect; None where it has none."""
        found = self.every_service
        if self.client:
            return next((each for each in found if each.name == self.client), None)
        ordered = sorted(found, key=lambda each: (each.role != "primary", each.headless))
        return next(iter(ordered), None)

    @property
    def client_port(self) -> int | None:
        """The port of that Service by which others connect: its first."""
        service = self.client_service
        return next(iter(service.ports.values())) if service else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The names by which others use it, or parts of it."""
        return (self.name,)

    @property
    def needs(self) -> tuple[str, ...]:
        """Components that it stands on without a URL in its configuration."""
        return ()

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """Where its passwords are."""
        return ()

    @property
    def role_label(self) -> str | None:
        """The label by which its pods tell their roles; None where they have none."""
        return None

    def url(self, target: str) -> UrlOf | None:  # noqa: ARG002 - for kinds that have several targets
        """Return what a URL of one of its targets looks like; None where it has none."""
        return None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong within it: names that must exist, names that must differ."""
        if self.client and self.client_service is None:
            yield ("client",), f"{self.name} has no service called {self.client}"


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


class KeySpec(Short):
    """What a key of a ConfigMap or Secret holds.

    Attributes:
        holds: `something`, a `password`, a `certificate` or its `private-key`.
        url: the target whose URL it is.
        address: the component whose address it is, as `http://service.namespace.svc.zone:port`.
        env: the variable by which the containers of `by` get it.
        by: the component concerned.
    """

    _word: ClassVar[str] = "holds"

    holds: Literal["something", "password", "certificate", "private-key"] = "something"
    url: str | None = None
    address: str | None = None


class Configuration(Strict):
    """A ConfigMap or Secret and its keys.

    Attributes:
        keys: what each holds, by key; a list where it is just something.
        exactly: whether there are to be no other keys.
        addresses: whether it also holds the address of every service of its namespace, by the key
            of `conventions.address`.
    """

    kind: Literal["ConfigMap", "Secret"]
    namespace: Name
    name: Name
    keys: dict[Key, KeySpec]
    exactly: bool = True
    addresses: bool = False

    @model_validator(mode="before")
    @classmethod
    def _keys_by_name(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(value.get("keys"), tuple | list):
            return {**value, "keys": dict.fromkeys(value["keys"], "something")}
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors that a list of keys will do."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        keys = schema["properties"]["keys"]
        schema["properties"]["keys"] = {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, keys]
        }
        return schema


class Certificate(Strict):
    """A certificate and its key in a Secret.

    Attributes:
        names: the DNS names that it must hold; None: every form of the name of every service of
            its namespace.
        days_left: for how many days more it must be valid.
    """

    secret: Name
    namespace: Name
    days_left: Annotated[int, Field(ge=1)]
    names: tuple[str, ...] | None = None
    certificate: Key = "tls.crt"
    private_key: Key = "tls.key"

    @property
    def name(self) -> str:
        """The Secret's name."""
        return self.secret


class Conventions(Strict):
    """How the system's configuration is named where nothing else is said.

    Attributes:
        secret: the Secret that tells a component where what it uses is; `{name}` is the
            component's name.
        keys: the key in it, by a target's, a component's or a kind's name.
        address: the key of a component's address in a ConfigMap; `{NAME}` is the component's name
            in capitals, with underscores.
        env: whether each such key is a container's variable of the same name.
    """

    secret: str = "{name}-secrets"  # noqa: S105 - how a Secret is called
    keys: dict[str, Key] = {}
    address: str = "{NAME}_URL"
    env: bool = False


class Way(Strict):
    """From where to where: names of components or namespaces, or `*` for all."""

    origin: Annotated[str, Field(alias="from")]
    to: str


class Reachability(Strict):
    """Who must reach whom, and who must not, beyond what `uses` says.

    What is neither used nor declared here is not judged.
    """

    open: tuple[Way, ...] = ()
    closed: tuple[Way, ...] = ()


ComponentT = TypeVar("ComponentT", bound=Component)


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
        listed = {
            (it.kind, it.namespace, it.name): self._with_addresses(it) for it in self.configuration
        }
        for component in self.components:
            for use in component.uses:
                if key := self.key_of(component, use):
                    kind, name = self.holder_of(component, use)
                    where = kind, component.namespace, name
                    known = listed.get(where) or Configuration(
                        kind=kind, namespace=component.namespace, name=name, keys={}
                    )
                    is_url = self.owner_of(use.name) is not None
                    held = known.keys.get(key) or KeySpec(url=use.name if is_url else None)
                    listed[where] = known.model_copy(update={"keys": {**known.keys, key: held}})
        return tuple(listed.values())

    def of(self, model: type[ComponentT]) -> tuple[ComponentT, ...]:
        """Return the components of a kind, by its class."""
        return tuple(each for each in self.components if isinstance(each, model))

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

    def holder_of(
        self, component: Component, use: Use
    ) -> tuple[Literal["Secret", "ConfigMap"], str]:
        """Return kind and name of what tells a component where something is that it uses."""
        if use.config_map:
            return "ConfigMap", use.config_map
        return "Secret", use.secret or self.conventions.secret.format(name=component.name)

    def key_of(self, component: Component, use: Use) -> str | None:  # noqa: ARG002 - of its use
        """Return the key under which that is; None where nothing says so."""
        owner = self.owner_of(use.name)
        names = (use.name, *((owner.name, owner.kind) if owner else ()))
        by_convention = (self.conventions.keys.get(name) for name in names)
        return use.key or next(filter(None, by_convention), None)

    def env_of(self, component: Component, use: Use) -> str | None:
        """Return the variable by which a component gets it; None where that is not said."""
        return use.env or (self.key_of(component, use) if self.conventions.env else None)

    def address_key(self, component: Component) -> str:
        """Return the key of a component's address in a ConfigMap."""
        return self.conventions.address.format(
            name=component.name, NAME=re.sub(r"[^A-Z0-9]", "_", component.name.upper())
        )

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
