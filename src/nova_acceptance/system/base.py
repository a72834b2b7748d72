"""What every part of nova.yaml is made of: names, amounts, and models that refuse unknown keys.

Every model is frozen. Types are strict: `name: no` is a boolean to YAML and is refused, not taken
for a text.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
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
