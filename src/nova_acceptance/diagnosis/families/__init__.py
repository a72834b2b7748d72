"""The families of causes, a module each."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from nova_acceptance.diagnosis.families import storage

DEEPEST_FIRST: Final[tuple[ModuleType, ...]] = (storage,)
"""What the others stand on comes first."""
