"""Which parts of a text are masked, wherever it comes from."""

from __future__ import annotations

import pytest

from nova_acceptance import masking
from nova_acceptance.collect.values import without_passwords

HIDDEN = masking.REPLACEMENT


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:one-pw@here:6379/0", f"redis://:{HIDDEN}@here:6379/0"),
        ("postgres://u:p@ss@here/db?x=a@b", f"postgres://u:{HIDDEN}@here/db?x=a@b"),
        (
            "redis://:one-pw@here:1,redis://:two-pw@there:2",
            f"redis://:{HIDDEN}@here:1,redis://:{HIDDEN}@there:2",
        ),
        ("postgres://u@tenant:one-pw@here/db", f"postgres://u@tenant:{HIDDEN}@here/db"),
        (
            "https://u@here:1,redis://:two-pw@there:2",
            f"https://u@here:1,redis://:{HIDDEN}@there:2",
        ),
        ("redis://:one://pw@here", f"redis://:{HIDDEN}@here"),
        ("see http://here:8080/, or mail a@b", "see http://here:8080/, or mail a@b"),
        ("redis://u:‹0123›@here", "redis://u:‹0123›@here"),  # noqa: RUF001 - a password's shape
    ],
)
def test_passwords_of_urls_are_replaced_in_any_text(text: str, shown: str) -> None:
    assert without_passwords(text) == shown
