"""Names as a person writes them in a statement."""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED: Final = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast
    check collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user default
    deferrable desc distinct do else end except false fetch for foreign freeze from full grant
    group having ilike in initially inner intersect into is isnull join lateral leading left
    like limit localtime localtimestamp natural not notnull null offset on only or order outer
    overlaps placing primary references returning right select session_user similar some
    symmetric system_user table tablesample then to trailing true union unique user using
    variadic verbose when where window with
    """.split()
)
"""Words that are no name without quotes.

Source: the PostgreSQL manual, "SQL Key Words": reserved, be it that a function or type may have it.
"""


def quoted(*names: str) -> str:
    """Return a name as a statement has it, with its schema before it where that is given.

    What is no plain name in small letters stands in double quotes (the PostgreSQL manual, "Lexical
    Structure"), and so does a reserved word.
    """
    return ".".join(
        name if _is_plain(name) else '"{}"'.format(name.replace('"', '""')) for name in names
    )


def _is_plain(name: str) -> bool:
    return bool(_PLAIN.fullmatch(name)) and name not in _RESERVED
