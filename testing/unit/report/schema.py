"""The published schema of the record, asked about events."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from nova_acceptance.report import record

FILE = Path(record.__file__).parent / "schema" / "run.schema.json"


@cache
def published() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return schema


def violations(event: dict[str, Any]) -> list[str]:
    """Return what the schema forbids in an event, with the field that it is about."""
    found = Draft202012Validator(published()).iter_errors(event)
    return [f"{event.get('type')}{error.json_path[1:]}: {error.message}" for error in found]
