"""What a snapshot keeps of an object."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.kube.snapshot import Snapshot


def written(kind: str) -> dict[str, Any]:
    wrote = {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:data": {"f:key": {}}}}
    metadata = {"name": "x", "namespace": "nova", "uid": "1", "managedFields": [wrote]}
    return {"kind": kind, "metadata": metadata, "spec": {"replicas": 1}}


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("Deployment", {"manager": "kubectl", "operation": "Apply"}),
        ("Secret", written("Secret")["metadata"]["managedFields"][0]),
        ("ConfigMap", written("ConfigMap")["metadata"]["managedFields"][0]),
    ],
)
def test_which_fields_a_manager_wrote_is_kept_where_keys_have_times(
    kind: str, kept: dict[str, Any]
) -> None:
    given = written(kind)

    found = Snapshot.of([given]).get(kind, "nova", "x")

    assert found is not None
    assert found["metadata"]["managedFields"] == [kept]
    assert found["spec"] == given["spec"]
    assert given == written(kind)
