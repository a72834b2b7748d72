"""Which path of the API serves a kind, asked from the API itself, one group at a time."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from http import HTTPStatus

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.failures import ApiError
from nova_acceptance.kube.kinds import BUILT_IN
from nova_acceptance.kube.rest import Rest


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API serves it: `Deployment` of `apps/v1` is `deployments`, in namespaces."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, *, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of one object, or of all in one or every namespace."""
        root = "/apis" if "/" in self.api_version else "/api"
        parts = [root, self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        return "/".join(parts)


class Discovery:
    """The kinds that a server serves; each group and version is asked for once.

    Full discovery of a server costs dozens of requests; a deployment needs half a dozen groups.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._kinds: dict[str, dict[str, Resource]] = {}

    def find(self, api_version: str, kind: str, *, patience: float = math.inf) -> Resource | None:
        """Return the resource, or None when the server does not serve it.

        Args:
            api_version: the version.
            kind: the kind.
            patience: seconds to wait for an API that is away; see `Rest.request`.

        Raises:
            ClusterError: the API could not be asked.
        """
        # Not under a lock: another thread may hold it for as long as the API is away.
        if found := self._kinds.get(api_version, {}).get(kind):
            return found
        with self._lock:
            asking = self._asking.setdefault(api_version, threading.Lock())
        with asking:  # one request that hangs keeps no other version from being asked for
            known = self._kinds.get(api_version)
            # asked again where a new CRD may have come
            if known is None or (kind not in known and api_version not in BUILT_IN):
                known = self._kinds[api_version] = self._ask(api_version, patience)
            return known.get(kind)

    def resource(self, api_version: str, kind: str, *, patience: float = math.inf) -> Resource:
        """Return the resource; its arguments are those of `find`.

        Raises:
            ClusterError: the server does not serve it, or could not be asked.
        """
        found = self.find(api_version, kind, patience=patience)
        if found is None:
            raise ClusterError(
                f"the server does not serve {kind} of {api_version}",
                hint=f"`kubectl api-resources | grep -w {kind}` tells which versions it serves",
            )
        return found

    def versions_of(self, kind: str) -> tuple[str, ...]:
        """Return every version, of any group, in which a kind of that name is served.

        Raises:
            ClusterError: the API could not be asked.
        """
        groups = self._rest.request("GET", "/apis").get("groups") or ()
        versions = ["v1", *(each["groupVersion"] for it in groups for each in it["versions"])]
        return tuple(version for version in versions if self.find(version, kind))

    def _ask(self, api_version: str, patience: float) -> dict[str, Resource]:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            served = self._rest.request("GET", path, patience=patience)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return {}
            raise
        return {
            entry["kind"]: Resource(api_version, entry["kind"], entry["name"], entry["namespaced"])
            for entry in served.get("resources", ())
            if "/" not in entry["name"]  # a subresource such as pods/exec
        }
