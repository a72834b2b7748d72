"""A member of etcd that has the data of another cluster."""

from __future__ import annotations

from typing import Final

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from nova_acceptance.errors import NovaError
from nova_acceptance.kube import PodRef
from testing.faults.fault import Pods
from testing.faults.ground import Ground, GroundError
from testing.faults.undo import UndoStack

_TOKEN: Final = "ETCD_INITIAL_CLUSTER_TOKEN"
_DATA: Final = "/var/lib/etcd/data"
_KEPT: Final = "/var/lib/etcd/kept"
_RUNS_WITHIN: Final = 60.0
"""Seconds from a pod's creation until its container can be entered."""
_PAUSE: Final = 0.5


def estrange(ground: Ground, wanted: Pods, undo: UndoStack) -> None:
    """Let a member start without its data and by another cluster's token, so that it is alone.

    Its data stays beside, and it has it again at the end: the others never forget it.
    """
    [ref] = ground.pods(wanted)
    namespace, config = ref.namespace, _configuration(ground, ref)
    before = (ground.get("ConfigMap", namespace, config) or {})["data"][_TOKEN]

    def take_back() -> None:
        ground.patch("ConfigMap", namespace, config, {"data": {_TOKEN: before}})
        back = f"test ! -d {_KEPT} || {{ rm -rf {_DATA} && mv {_KEPT} {_DATA}; }}"
        _in_running(ground, ref, back)
        ground.delete("Pod", namespace, ref.name, now=True)

    undo.push(f"giving {ref} its data back", take_back)
    ground.patch("ConfigMap", namespace, config, {"data": {_TOKEN: "aurora"}})
    _in_running(ground, ref, f"mv {_DATA} {_KEPT}")
    ground.delete("Pod", namespace, ref.name, now=True)


def _configuration(ground: Ground, ref: PodRef) -> str:
    sources = ground.pod(ref)["spec"]["containers"][0].get("envFrom") or ()
    for source in sources:
        name = source.get("configMapRef", {}).get("name")
        if name and _TOKEN in ((ground.get("ConfigMap", ref.namespace, name) or {})["data"]):
            return str(name)
    raise GroundError(f"pod {ref} has no ConfigMap with {_TOKEN}")


def _in_running(ground: Ground, ref: PodRef, script: str) -> None:
    """Run a script in the pod's container as soon as it runs."""
    Retrying(
        retry=retry_if_exception_type(NovaError),
        stop=stop_after_delay(_RUNS_WITHIN),
        wait=wait_fixed(_PAUSE),
        reraise=True,
    )(ground.run_in, ref, ["sh", "-c", script])
