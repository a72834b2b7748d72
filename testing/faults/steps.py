"""The actions by which faults are put in; each pushes its undoing before it changes anything."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from nova_acceptance.kube import Object, PodRef
from testing.faults import expiry, filters, names, namespaces, secrets, strangers
from testing.faults.fault import (
    Background,
    Certificate,
    Command,
    Filter,
    OnNode,
    Patch,
    Pods,
    Prepend,
    RedisCommands,
    Sql,
    Step,
    Taint,
    Target,
    Url,
    Value,
)
from testing.faults.ground import Ground, GroundError, as_written
from testing.faults.merge import inverse
from testing.faults.undo import UndoStack

_FROM_BASE64: Final = (
    "import base64, os, sys; path, text = sys.argv[1:]; "
    "open(path, 'wb').write(base64.b64decode(text))"
)
"""Writes a file in place, so that its owner and mode stay."""

PARTS: Final = Path(__file__).with_name("parts")
"""Scripts that run in pods."""

_DETACHED: Final = 'setsid "$@" </dev/null >/dev/null 2>&1 & echo $!'


def put_in(ground: Ground, step: Step, undo: UndoStack) -> None:
    """Carry out one step.

    Raises:
        GroundError: it could not be; what it had changed is on the stack all the same.
    """
    _ACTIONS[step.action](ground, getattr(step, step.action), undo)


def patch(ground: Ground, wanted: Patch, undo: UndoStack) -> None:
    """Change fields of an object."""
    change_object(ground, Target(**wanted.model_dump(exclude={"patch"})), wanted.patch, undo)


def change_object(ground: Ground, at: Target, change: dict[str, Any], undo: UndoStack) -> None:
    """Change an object by a merge patch, and keep the patch that takes it back."""
    before = ground.get(at.kind, at.namespace, at.name)
    if before is None:
        raise GroundError(f"there is no {at.kind} {at.namespace}/{at.name} to change")
    back = inverse(change, before)
    undo.push(
        f"patching {at.kind} {at.name} back",
        lambda: ground.patch(at.kind, at.namespace, at.name, back),
    )
    ground.patch(at.kind, at.namespace, at.name, change)


def apply(ground: Ground, objects: tuple[Object, ...], undo: UndoStack) -> None:
    """Create objects that were not there."""
    for obj in objects:
        metadata = obj["metadata"]
        at = Target(
            kind=obj["kind"], namespace=metadata.get("namespace", ""), name=metadata["name"]
        )
        if ground.get(at.kind, at.namespace, at.name) is not None:
            raise GroundError(f"{at.kind} {at.name} is there already")
        undo.push(f"deleting {at.kind} {at.name}", _deletion(ground, at))
        ground.put(obj)


def _deletion(ground: Ground, at: Target) -> Callable[[], None]:
    return lambda: ground.delete(at.kind, at.namespace, at.name)


def delete(ground: Ground, at: Target, undo: UndoStack) -> None:
    """Delete an object that nobody makes again, and put it back at the end."""
    before = ground.get(at.kind, at.namespace, at.name)
    if before is None:
        raise GroundError(f"there is no {at.kind} {at.name} to delete")
    undo.push(f"putting {at.kind} {at.name} back", lambda: _put_back(ground, at, before))
    ground.delete(at.kind, at.namespace, at.name)


def _put_back(ground: Ground, at: Target, before: Object) -> None:
    ground.delete(at.kind, at.namespace, at.name)
    ground.put(as_written(before))


def doom(ground: Ground, wanted: Pods, undo: UndoStack) -> None:
    """Delete the claims of a pod, which stay while it runs; its data are gone at the end."""
    (pod,) = ground.pods(wanted)
    found = ground.kube.get("v1", "Pod", pod.name, pod.namespace) or {"spec": {}}
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in found["spec"].get("volumes") or ()
        if "persistentVolumeClaim" in volume
    ]

    def begin_anew() -> None:
        ground.delete("Pod", pod.namespace, pod.name, now=True)
        for claim in claims:
            ground.delete("PersistentVolumeClaim", pod.namespace, claim)
        # The successor may have been made for the claim that was going, and waits for it in vain.
        ground.delete("Pod", pod.namespace, pod.name, now=True)

    undo.push(f"beginning {pod} anew", begin_anew)
    for claim in claims:
        ground.kube.delete("v1", "PersistentVolumeClaim", claim, pod.namespace)


def restart(ground: Ground, wanted: Pods, _undo: UndoStack) -> None:
    """Delete pods, so that their successors start under what is wrong."""
    for pod in ground.pods(wanted):
        ground.delete("Pod", pod.namespace, pod.name, now=True)


def url(ground: Ground, wanted: Url, undo: UndoStack) -> None:
    """Change parts of a URL in a Secret."""
    at = Target(kind="Secret", namespace=wanted.namespace, name=wanted.secret)
    change_object(ground, at, {"data": secrets.changed_url(_data(ground, at), wanted)}, undo)


def value(ground: Ground, wanted: Value, undo: UndoStack) -> None:
    """Write a value of a Secret or ConfigMap otherwise."""
    at = Target(kind=wanted.kind, namespace=wanted.namespace, name=wanted.name)
    change_object(ground, at, {"data": secrets.rewritten(_data(ground, at), wanted)}, undo)


def certificate(ground: Ground, wanted: Certificate, undo: UndoStack) -> None:
    """Put another certificate into a Secret."""
    at = Target(kind="Secret", namespace=wanted.namespace, name=wanted.secret)
    change_object(ground, at, {"data": secrets.reissued(_data(ground, at), wanted)}, undo)


def _data(ground: Ground, at: Target) -> dict[str, str]:
    found = ground.get(at.kind, at.namespace, at.name)
    if found is None:
        raise GroundError(f"there is no {at.kind} {at.namespace}/{at.name}")
    return dict(found["data"])


def sql(ground: Ground, wanted: Sql, undo: UndoStack) -> None:
    """Run statements, and those that take them back; on the member that they were run on."""
    pods = ground.members(wanted.at)

    def take_back() -> None:
        for pod in ground.members("leader") if wanted.at == "leader" else pods:
            for statement in wanted.undo:
                ground.psql(pod, wanted.database, statement)

    undo.push("taking SQL back", take_back)
    for pod in pods:
        for statement in wanted.do:
            ground.psql(pod, wanted.database, statement)


def redis(ground: Ground, wanted: RedisCommands, undo: UndoStack) -> None:
    """Run commands of Redis, and those that take them back."""
    undo.push("taking Redis back", lambda: [ground.redis(words) for words in wanted.undo])
    for words in wanted.do:
        ground.redis(words)


def command(ground: Ground, wanted: Command, undo: UndoStack) -> None:
    """Run a command in containers."""
    pods = ground.pods(wanted.pods)
    if wanted.undo:
        undo.push(f"`{wanted.undo[0]}`", lambda: _each(ground, pods, wanted.undo))
    _each(ground, pods, wanted.do)


def _each(ground: Ground, pods: list[PodRef], argv: tuple[str, ...]) -> None:
    for pod in pods:
        ground.run_in(pod, argv)


def file(ground: Ground, wanted: Prepend, undo: UndoStack) -> None:
    """Put text before that of a file in containers."""
    address = ""
    if wanted.address_of:
        address = ground.pod(ground.pods(wanted.address_of)[0])["status"]["podIP"]
    for pod in ground.pods(wanted.pods):
        before = ground.run_in(pod, ["cat", wanted.path])
        undo.push(f"writing {wanted.path} back", _writing(ground, pod, wanted, before))
        _writing(ground, pod, wanted, wanted.text.replace("{address}", address) + before)()


def _writing(ground: Ground, pod: PodRef, wanted: Prepend, text: str) -> Callable[[], None]:
    encoded = base64.b64encode(text.encode()).decode()

    def write() -> None:
        ground.run_in(pod, ["python3", "-c", _FROM_BASE64, wanted.path, encoded])
        if wanted.then:
            ground.run_in(pod, wanted.then)

    return write


def background(ground: Ground, wanted: Background, undo: UndoStack) -> None:
    """Run a script in containers until the fault is taken out."""
    script = (PARTS / f"{wanted.script}.py").read_text(encoding="utf-8")
    argv = ["sh", "-c", _DETACHED, "sh", "python3", "-c", script, *wanted.arguments]
    for pod in ground.pods(wanted.pods):
        number = ground.run_in(pod, argv).strip()
        undo.push(
            f"ending {wanted.script} in {pod}",
            lambda pod=pod, number=number: ground.run_in(pod, ["sh", "-c", f"kill {number}"]),  # type: ignore[misc]
        )


def cordon(ground: Ground, wanted: Pods, undo: UndoStack) -> None:
    """Let the nodes of pods take no new ones."""
    for pod in ground.pods(wanted):
        node = Target(kind="Node", name=ground.node_of(pod))
        change_object(ground, node, {"spec": {"unschedulable": True}}, undo)


def taint(ground: Ground, wanted: Taint, undo: UndoStack) -> None:
    """Put a taint beside those that the nodes of pods have."""
    added = {"key": wanted.key, "value": wanted.value, "effect": wanted.effect}
    for pod in ground.pods(wanted.of):
        name = ground.node_of(pod)
        node = ground.get("Node", "", name) or {}
        taints = [*(node["spec"].get("taints") or ()), added]
        at = Target(kind="Node", name=name)
        change_object(ground, at, {"spec": {"taints": taints}}, undo)


def on_node(ground: Ground, wanted: OnNode, undo: UndoStack) -> None:
    """Run a command on the nodes of pods."""
    nodes = sorted({ground.node_of(pod) for pod in ground.pods(wanted.of)})

    def everywhere(argv: tuple[str, ...]) -> None:
        for node in nodes:
            ground.run_on(node, argv)

    if wanted.undo:
        undo.push(f"`{' '.join(wanted.undo[:3])}` on {nodes}", lambda: everywhere(wanted.undo))
    everywhere(wanted.do)


def stop_processes(ground: Ground, wanted: Pods, undo: UndoStack) -> None:
    """Stop the processes of pods where they stand; their nodes let them go on at the end."""
    for ref in ground.pods(wanted):
        pod = ground.pod(ref)
        send = _signalling(ground, pod)
        undo.push(f"letting {ref} go on", lambda send=send: send("CONT"))  # type: ignore[misc]
        send("STOP")


def _signalling(ground: Ground, pod: Object) -> Callable[[str], None]:
    identity = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    find = f"found=$(grep -ls {identity} /proc/[0-9]*/cgroup | cut -d/ -f3)"
    # A kubelet may have begun the container anew, and what was stopped has nothing to go on with.
    script = f'{find}; [ "$1:$found" = CONT: ] || kill -s "$1" $found'

    def send(name: str) -> None:
        ground.run_on(pod["spec"]["nodeName"], ["sh", "-c", script, "sh", name])

    return send


def packet_filter(ground: Ground, wanted: Filter, undo: UndoStack) -> None:
    """Close a way on every node."""
    for argv, back in filters.rules(ground, wanted):
        for node in ground.nodes():

            def take_out(node: str = node, back: list[str] = back) -> None:
                ground.run_on(node, back)

            undo.push(f"taking a packet filter rule out of {node}", take_out)
            ground.run_on(node, argv)


_ACTIONS: Final[dict[str, Callable[[Ground, Any, UndoStack], None]]] = {
    "patch": patch,
    "apply": apply,
    "delete": delete,
    "doom": doom,
    "restart": restart,
    "expire": expiry.expire,
    "url": url,
    "value": value,
    "certificate": certificate,
    "sql": sql,
    "redis": redis,
    "exec": command,
    "file": file,
    "background": background,
    "cordon": cordon,
    "taint": taint,
    "names": names.answer_otherwise,
    "stranger": strangers.estrange,
    "node": on_node,
    "signal": stop_processes,
    "filter": packet_filter,
    "remove": namespaces.remove,
}
