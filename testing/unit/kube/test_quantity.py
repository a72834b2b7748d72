from __future__ import annotations

import pytest

from nova_acceptance.kube.quantity import amount


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("2Gi", 2 * 1024**3),
        ("500M", 500_000_000),
        ("1024", 1024),
        ("1Ki", 1024),
        ("3k", 3000),
        ("250m", 0.25),
        ("1.5Gi", 1.5 * 1024**3),
        ("1e3", 1000),
        (2, 2),
    ],
)
def test_quantity_is_a_number(written: object, number: float) -> None:
    assert float(amount(written)) == number


@pytest.mark.parametrize("written", ["", "Gi", "1Gib", "1mi", "many", "NaN", "Infinity"])
def test_odd_quantity_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid number|unknown suffix|no quantity"):
        amount(written)
