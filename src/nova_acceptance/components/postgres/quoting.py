"""Names as a person writes them in a statement."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


def quoted(*names: str) -> str:
    """Return a name as a statement has it, with its schema before it where that is given.

    What is no plain name in small letters stands in double quotes (the PostgreSQL manual, "Lexical
    Structure"); a reserved word among plain ones is not seen.
    """
    return ".".join(
        name if _PLAIN.fullmatch(name) else '"{}"'.format(name.replace('"', '""')) for name in names
    )
