"""The API's schema as the official client's models hold it, asked about plain objects."""

from __future__ import annotations

from typing import Any

from kubernetes.client import models
from pydantic import ValidationError


def violations(obj: dict[str, Any]) -> list[str]:
    """Return what the schema forbids in an object: unknown or missing fields, wrong types."""
    version = obj["apiVersion"].rpartition("/")[2].capitalize()
    model = getattr(models, f"{version}{obj['kind']}")
    try:
        model.model_validate(obj)
    except ValidationError as error:
        return [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return []
