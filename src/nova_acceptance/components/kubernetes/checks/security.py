"""What the pods of a workload may do beyond what they need, as they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.backends import pods_selected
from nova_acceptance.components.kubernetes.checks.workloads import no_pods
from nova_acceptance.components.kubernetes.workloads import containers
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Workload

Context = dict[str, Any]
"""A container's effective security context."""

_INHERITED: Final = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")
"""What a container takes from its pod where it says nothing itself."""
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")
_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_FILTERS: Final = ("RuntimeDefault", "Localhost")
_ADDED_AT_BASELINE: Final = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID "
    "SETPCAP SETUID SYS_CHROOT".split()
)
"""What the level `baseline` lets a container add: of what runtimes give by themselves."""


@check
def root_containers(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers that may run as root: the kubelet does not refuse it, or the user is it."""
    yield from _weak(snapshot, spec, Phrase("may run as root"), _is_root)


@check
def writable_roots(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers that can change their own image's files."""
    yield from _weak(
        snapshot,
        spec,
        Phrase("can write to its image's files"),
        lambda context: context.get("readOnlyRootFilesystem") is not True,
    )


@check
def privileged_containers(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers that are privileged or, at the level `restricted`, may become so."""
    if spec.pod_security == "baseline":
        yield from _weak(snapshot, spec, Phrase("is privileged"), _is_privileged)
        return
    yield from _weak(
        snapshot,
        spec,
        Phrase("is privileged, or may become so"),
        lambda context: (
            _is_privileged(context) or context.get("allowPrivilegeEscalation") is not False
        ),
    )


@check
def capable_containers(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers with capabilities of the kernel beyond those that their level allows."""
    if spec.pod_security == "baseline":
        yield from _weak(snapshot, spec, Phrase("adds capabilities"), _adds_capabilities)
    else:
        yield from _weak(snapshot, spec, Phrase("has capabilities"), _has_capabilities)


@check
def unfiltered_containers(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers without a filter of system calls, or at `baseline` such as refuse one."""
    allowed = (*_FILTERS, None) if spec.pod_security == "baseline" else _FILTERS
    yield from _weak(
        snapshot,
        spec,
        Phrase("has no seccomp profile"),
        lambda context: (context.get("seccompProfile") or {}).get("type") not in allowed,
    )


@check
def unlimited_containers(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers without requests or limits for CPU and memory."""
    yield from no_pods(snapshot, spec)
    for name, _, container in _containers(snapshot, spec):
        resources = container.get("resources") or {}
        lacking = [
            f"{part}.{resource}"
            for part in ("requests", "limits")
            for resource in ("cpu", "memory")
            if resource not in (resources.get(part) or {})
        ]
        if lacking:
            sentence = Phrase(
                "container {container} of {workload} has no {lacking}",
                container=name,
                workload=spec.ref,
                lacking=lacking,
            )
            yield Finding("RESOURCES_UNSET", spec.ref, sentence, container=name)


@check
def exposed_pods(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find pods that see their node's network, processes or file system."""
    yield from no_pods(snapshot, spec)
    for pod in pods_selected(snapshot, spec):
        shared = [key for key in _HOST if pod["spec"].get(key)]
        shared += [
            f"hostPath {each['hostPath'].get('path', '')}"
            for each in pod["spec"].get("volumes") or ()
            if each.get("hostPath") is not None
        ]
        if shared:
            sentence = Phrase(
                "pod {pod} of {workload} shares with its node: {shared}",
                pod=pod["metadata"]["name"],
                workload=spec.ref,
                shared=shared,
            )
            yield Finding("NODE_EXPOSED", spec.ref, sentence)


@check
def wrong_api_token(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find containers with a token of the API that need none, and without one that need it."""
    yield from no_pods(snapshot, spec)
    for name, _, container in _containers(snapshot, spec):
        has_one = any(each["mountPath"] == _TOKEN for each in container.get("volumeMounts") or [])
        if has_one != spec.api_token:
            sentence = Phrase(
                "container {container} of {workload} has no token of the API, and needs one"
                if spec.api_token
                else "container {container} of {workload} has a token of the API, and needs none",
                container=name,
                workload=spec.ref,
            )
            cause = "API_TOKEN_MISSING" if spec.api_token else "API_TOKEN_WRONG"
            yield Finding(cause, spec.ref, sentence, container=name)


def security_context(pod: Object, container: dict[str, Any]) -> dict[str, Any]:
    """Return a container's effective security context.

    Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/.
    """
    of_pod = pod["spec"].get("securityContext") or {}
    inherited = {key: of_pod[key] for key in _INHERITED if key in of_pod}
    return {**inherited, **(container.get("securityContext") or {})}


def contexts(snapshot: Snapshot, spec: Workload) -> Iterator[tuple[str, Context]]:
    """Yield `pod/container` and the effective security context of each container."""
    for name, pod, container in _containers(snapshot, spec):
        yield f"{pod['metadata']['name']}/{name}", security_context(pod, container)


def _weak(
    snapshot: Snapshot, spec: Workload, what: Phrase, is_weak: Callable[[Context], bool]
) -> Iterator[Finding]:
    yield from no_pods(snapshot, spec)
    weak = {name: context for name, context in contexts(snapshot, spec) if is_weak(context)}
    if weak:
        yield Finding(
            "SECURITY_CONTEXT_WEAK",
            spec.ref,
            Phrase(
                "{workload}: {containers} {what}",
                workload=spec.ref,
                containers=list(weak),
                what=what,
            ),
            evidence=tuple(
                f"{name}: {', '.join(f'{key} {it}' for key, it in sorted(context.items()))}"
                for name, context in weak.items()
            ),
        )


def _containers(snapshot: Snapshot, spec: Workload) -> Iterator[tuple[str, Object, dict[str, Any]]]:
    for pod in pods_selected(snapshot, spec):
        for container in containers(pod):
            yield container["name"], pod, container


def _is_root(context: Context) -> bool:
    return not (context.get("runAsNonRoot") is True and context.get("runAsUser", 0) > 0)


def _is_privileged(context: Context) -> bool:
    return bool(context.get("privileged"))


def _adds_capabilities(context: Context) -> bool:
    added = (context.get("capabilities") or {}).get("add") or ()
    return not _ADDED_AT_BASELINE.issuperset(added)


def _has_capabilities(context: Context) -> bool:
    capabilities = context.get("capabilities") or {}
    return capabilities.get("drop") != ["ALL"] or bool(capabilities.get("add"))
