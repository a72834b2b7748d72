"""All that a cluster's API holds, for comparing it before and after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from nova_acceptance.cluster.model import Cluster
from nova_acceptance.timeouts import ROLLOUT

Key = tuple[str, str, str]

_PASSING: Final = frozenset({"Event", "Lease", "NodeMetrics", "PodMetrics"})
"""What changes by itself, or tells of what was."""
_LIVING: Final = frozenset({"Node", "CronJob"})
"""Whose status changes by itself."""


def everything(cluster: Cluster, *, but: str = "-") -> dict[Key, dict[str, Any]]:
    """Return every object by kind, namespace and name, without what every write changes.

    Args:
        cluster: whose.
        but: the beginning of names that are left out: of what a CronJob makes, for instance.
    """
    listed = _kubectl(cluster, "api-resources", "--verbs=list", "--output=name").split()
    found = json.loads(
        _kubectl(cluster, "get", ",".join(sorted(listed)), "--all-namespaces", "--output=json")
    )
    return {
        key: _steady(item)
        for item in found["items"]
        for key in [_key(item)]
        if item["kind"] not in _PASSING and not key[2].startswith(but)
    }


def differences(before: dict[Key, Any], after: dict[Key, Any]) -> list[Key]:
    """Return what is there in one of two and not, or otherwise, in the other."""
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def _key(item: dict[str, Any]) -> Key:
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace", ""), metadata["name"]


def _steady(item: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        key: value
        for key, value in item["metadata"].items()
        if key not in ("managedFields", "resourceVersion")
    }
    kept = {key: value for key, value in item.items() if key != "metadata"}
    if item["kind"] in _LIVING:
        del kept["status"]
    return {**kept, "metadata": metadata}


def _kubectl(cluster: Cluster, *arguments: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("kubectl")), *arguments],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=ROLLOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
