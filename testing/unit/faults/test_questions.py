from __future__ import annotations

import pytest

from testing.faults.questions import value_at

POD = {
    "metadata": {"annotations": {"example.com/owner": "nova"}},
    "status": {
        "conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes"},
            {"type": "Ready", "status": "True"},
        ],
        "containerStatuses": [{"name": "app", "restartCount": 0}],
    },
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status.conditions.Ready.status", "True"),
        ("status.conditions.0.message", "0/3 nodes"),
        ("status.containerStatuses.app.restartCount", 0),
        ("status.conditions.Initialized.status", "absent"),
        ("status.conditions.7.status", "absent"),
        ("spec.nodeName", "absent"),
        (r"metadata.annotations.example\.com/owner", "nova"),
    ],
)
def test_value_is_found_by_its_path(path: str, value: object) -> None:
    assert value_at(POD, path) == value
