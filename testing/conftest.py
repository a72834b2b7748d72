"""What holds for every test of the project's own."""

from __future__ import annotations

import pytest

from nova_acceptance import masking


@pytest.fixture(autouse=True)
def _secrets_of_this_test_alone() -> None:
    """Have no test mask what another one called a secret: all of a process know the same."""
    vars(masking._masker).update(vars(masking.Masker()))
