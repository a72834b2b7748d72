"""The families of causes, a module each."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from nova_acceptance.diagnosis.families import (
    admission,
    api,
    certificates,
    configuration,
    control_plane,
    dns,
    endpoints,
    etcd,
    images,
    network,
    nodes,
    postgres,
    presence,
    programs,
    redis,
    references,
    scheduling,
    selection,
    services,
    startup,
    storage,
    urls,
    workloads,
)

DEEPEST_FIRST: Final[tuple[ModuleType, ...]] = (
    presence,
    nodes,
    control_plane,
    storage,
    scheduling,
    admission,
    images,
    references,
    startup,
    programs,
    configuration,
    urls,
    certificates,
    services,
    selection,
    endpoints,
    network,
    dns,
    etcd,
    postgres,
    redis,
    workloads,
    api,
)
"""What the others stand on comes first."""
