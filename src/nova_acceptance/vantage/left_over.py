"""Probe pods of runs that are no more: which there are, and their removal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError, Kube, Object, PodRef
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.at_once import of_each


def left_over(kube: Kube, namespaces: Iterable[str]) -> list[Object]:
    """Return every probe pod that is in some namespaces, of whichever run.

    Raises:
        ClusterError: the API refused or did not answer.
    """

    def there(namespace: str) -> list[Object]:
        return kube.list("v1", "Pod", namespace=namespace, label_selector=RUN_LABEL)

    return [pod for asked in of_each(namespaces, there).values() for pod in asked.result()]


def remove_left_over(
    kube: Kube, namespaces: Iterable[str], is_alive: Callable[[str], bool]
) -> list[str]:
    """Remove the probe pods of runs that are no more, and return their names.

    Args:
        kube: the API.
        namespaces: where to look.
        is_alive: whether the run of an identifier still goes on, as far as that can be known here.
    """
    return [
        str(where)
        for where, uid in abandoned(kube, namespaces, is_alive)
        if remove_pod(kube, where, uid)
    ]


def abandoned(
    kube: Kube, namespaces: Iterable[str], is_alive: Callable[[str], bool]
) -> list[tuple[PodRef, str | None]]:
    """Return the probe pods of runs that are no more, each with its uid."""
    return [
        (PodRef(pod["metadata"]["namespace"], pod["metadata"]["name"]), pod["metadata"].get("uid"))
        for pod in left_over(kube, namespaces)
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        or not is_alive(pod["metadata"]["labels"][RUN_LABEL])
    ]


def remove_abandoned(kube: Kube, pod: PodRef, uid: str | None) -> None:
    """Remove a probe pod of a run that is no more.

    Raises:
        ClusterError: the API refused or did not answer.
    """
    if not remove_pod(kube, pod, uid):
        raise ClusterError(
            Phrase("this user may not {verb} {resource}", verb="delete", resource="pods")
        )


def remove_pod(kube: Kube, pod: PodRef, uid: str | None = None) -> bool:
    """Remove a pod; False where this user may not."""
    try:
        # nothing in it is worth a grace, and with one it would be listed for a while yet
        kube.delete(
            *("v1", "Pod", pod.name, pod.namespace), grace_period_seconds=0, precondition_uid=uid
        )
    except ApiError as error:
        if not error.forbidden:
            raise
        return False
    return True
