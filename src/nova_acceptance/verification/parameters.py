"""Over what a test runs that takes an argument of a certain name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from nova_acceptance.components.network.questions import absent_names
from nova_acceptance.system import System, parts

PARAMETERS: Final[Mapping[str, Callable[[System], Iterable[Any]]]] = {
    "namespace": lambda system: system.namespaces,
    "workload": lambda system: system.every_workload,
    "claim": lambda system: [c for w in system.every_workload for c in w.claimed],
    "configuration": lambda system: system.every_configuration,
    "front": parts.fronts,
    "headless": lambda system: [f for f in parts.fronts(system) if f.service.headless],
    "clustered": lambda system: [f for f in parts.fronts(system) if not f.service.headless],
    "door": parts.doors,
    "passage": parts.passages,
    "service": lambda system: system.services,
    "use": lambda system: parts.uses(system, inside=True),
    "external_use": lambda system: parts.uses(system, inside=False),
    "absent": absent_names,
    "certificate": lambda system: system.certificates,
    "database": lambda system: system.postgres.databases,
    "schema": parts.schemas,
    "spec_role": lambda system: system.postgres.roles,
    "reach": parts.reaches,
}
"""By the argument's name."""
