"""Which cluster it is that a run is about to write to, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from nova_acceptance.cluster import contexts, production
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.kube import ApiError, Kube, Object
from nova_acceptance.phrase import Phrase

_HTTPS: Final = 443
_SYSTEM: Final = "kube-system"
_AUTHORITY: Final = "sha256:"


@dataclass(frozen=True)
class Identity:
    """Which cluster it is.

    Attributes:
        context: what the kubeconfig calls the way to it.
        host: its API's address, `host:port`.
        uid: the UID of its namespace kube-system; where that may not be read `sha256:…` of the
            authority by which the kubeconfig knows its API; empty where neither is known.
    """

    context: str
    host: str
    uid: str

    @property
    def what(self) -> Phrase:
        """The identifier, and what it is the identifier of."""
        if not self.uid:
            return Phrase("nothing that tells it from another")
        if self.uid.startswith(_AUTHORITY):
            return Phrase(
                "certificate authority {uid}, as namespace kube-system may not be read",
                uid=self.uid,
            )
        return Phrase("namespace kube-system with the UID {uid}", uid=self.uid)


@dataclass(frozen=True)
class Target:
    """A cluster that a run is about to write to.

    Attributes:
        identity: which one it is.
        is_local: whether it is this machine's own.
        production: what says that people depend on it.
        is_unlimited: whether the user may do everything there.
    """

    identity: Identity
    is_local: bool = False
    production: tuple[str, ...] = ()
    is_unlimited: bool = False

    @property
    def is_dangerous(self) -> bool:
        """Whether its name is not enough to write there, and nothing is remembered."""
        return bool(self.production) or self.is_unlimited


def target_of(cluster: Cluster, kube: Kube) -> Target:
    """Return what a cluster is, as far as its user may see it.

    Raises:
        ClusterError: the API did not answer.
    """
    system = _visible(lambda: [kube.get("v1", "Namespace", _SYSTEM)])
    nodes = _visible(lambda: kube.list("v1", "Node"))
    uid = str(system[0]["metadata"].get("uid") or "") if system else ""
    host = host_of(kube.server)
    # the context of a kubeconfig that is not the user's has its name from here
    called = contexts.called(cluster.context) if cluster.kubeconfig is None else ""
    names = {"context": cluster.context, "cluster": called or cluster.name, "API": host}
    labels = {
        f"{each.get('kind', '')} {each['metadata']['name']}": each["metadata"].get("labels") or {}
        for each in (*system, *nodes)
    }
    return Target(
        Identity(cluster.context, host, uid or _authority(kube)),
        cluster.is_local,
        tuple(production.signs(names, labels)),
        _is_unlimited(kube),
    )


def host_of(server: str) -> str:
    """Return `host:port` of an API's address."""
    address = urlsplit(server)
    return f"{address.hostname or ''}:{address.port or _HTTPS}"


def _authority(kube: Kube) -> str:
    return f"{_AUTHORITY}{kube.authority}" if kube.authority else ""


def _visible(read: Callable[[], Iterable[Object | None]]) -> list[Object]:
    """Return what this user may read; nothing where the API forbids it."""
    try:
        return [each for each in read() if each is not None]
    except ApiError as error:
        if not error.forbidden:
            raise
        return []


def _is_unlimited(kube: Kube) -> bool:
    """Whether the user may do everything; who may not even ask that may not."""
    try:
        return kube.can_i("*", "*", "*")
    except ApiError as error:
        if not error.forbidden:
            raise
        return False
