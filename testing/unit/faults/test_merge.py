from __future__ import annotations

from typing import Any

import pytest

from testing.faults.merge import inverse, merged

BEFORE: dict[str, Any] = {
    "spec": {"selector": {"name": "front"}, "ports": [{"port": 80}], "type": "ClusterIP"}
}


@pytest.mark.parametrize(
    "patch",
    [
        {"spec": {"selector": {"tier": "gold"}}},
        {"spec": {"selector": {"name": None, "tier": "gold"}}},
        {"spec": {"ports": [{"port": 81}]}},
        {"spec": {"type": "NodePort"}, "metadata": {"labels": {"a": "b"}}},
        {"spec": {"selector": None}},
    ],
)
def test_inverse_takes_a_patch_back(patch: dict[str, Any]) -> None:
    after = merged(patch, BEFORE)

    assert after != BEFORE
    assert merged(inverse(patch, BEFORE), after) == BEFORE


def test_inverse_touches_nothing_else() -> None:
    back = inverse({"spec": {"type": "NodePort"}}, BEFORE)

    assert back == {"spec": {"type": "ClusterIP"}}
