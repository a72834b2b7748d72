"""ConfigMaps, Secrets and certificates, and how their keys are named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema

from nova_acceptance.findings import Ref
from nova_acceptance.system.base import Key, Name, Short, Strict


class KeySpec(Short):
    """What a key of a ConfigMap or Secret holds.

    Attributes:
        holds: `something`, a `password`, a `certificate` or its `private-key`.
        url: the target whose URL it is.
        address: the component whose address it is, as `http://service.namespace.svc.zone:port`,
            with `https` where it says so.
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

    @property
    def ref(self) -> Ref:
        """The object on the cluster."""
        return Ref(self.kind, self.namespace, self.name)

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
    def ref(self) -> Ref:
        """The Secret on the cluster."""
        return Ref("Secret", self.namespace, self.secret)

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
        env: the variable by which a container gets each such key: true for one of the key's name;
            else `{key}` is the key, and `{KEY}` the key in capitals, with underscores.
    """

    secret: str = "{name}-secrets"  # noqa: S105 - how a Secret is called
    keys: dict[str, Key] = Field(default_factory=dict)
    address: str = "{NAME}_URL"
    env: bool | str = False

    def address_of(self, name: str) -> str:
        """Return the key of the address of a component of that name."""
        return self.address.format(name=name, NAME=_in_capitals(name))

    def variable_of(self, key: str) -> str | None:
        """Return the variable by which a container gets a key; None where that is not said."""
        pattern = "{key}" if self.env is True else self.env
        return pattern.format(key=key, KEY=_in_capitals(key)) if pattern else None


def _in_capitals(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
