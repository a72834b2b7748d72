"""Text of any origin without passwords; those of Secrets are known to `masking` by then."""

from __future__ import annotations

import re
from typing import Final

from nova_acceptance import masking

_NEXT_URL: Final = r"""[,;|"'][A-Za-z][A-Za-z0-9+.-]*://"""
_PASSWORD_IN_URL: Final = re.compile(
    rf"://[^\s:/?#]*:((?:(?!{_NEXT_URL})[^\s@])+(?:@[^\s@/?#]+)*)@"
)
"""Up to the last @ before the path: some write one of a name or a password as it is."""
_MARK: Final = "‹"  # noqa: RUF001 - how the shape of a password begins


def without_passwords(text: str) -> str:
    """Return text of any origin with every known secret, and every password of a URL, replaced."""
    return _PASSWORD_IN_URL.sub(_replaced, masking.mask(text))


def _replaced(found: re.Match[str]) -> str:
    if found[1].startswith(_MARK):
        return found[0]
    return f"{found[0].removesuffix(f'{found[1]}@')}{masking.REPLACEMENT}@"
