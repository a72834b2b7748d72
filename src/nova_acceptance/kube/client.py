"""One Kubernetes API, as the rest of the package uses it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.kube import exec as command
from nova_acceptance.kube.availability import Outage
from nova_acceptance.kube.failures import ApiError
from nova_acceptance.kube.forward import Forward
from nova_acceptance.kube.objects import Object, PodRef
from nova_acceptance.kube.resources import Discovery
from nova_acceptance.kube.rest import APPLY, STRATEGIC_MERGE, Rest
from nova_acceptance.kube.watch import Watch
from nova_acceptance.kube.writing import ACCESS_REVIEWS, REHEARSAL, Writing, unwritten

FIELD_MANAGER = "nova-acceptance"


class Kube:
    """A Kubernetes API by kubeconfig and context; any number of threads may share it.

    Objects are the plain JSON of the API, with `apiVersion` and `kind` also in lists. Every
    method raises `ClusterError` when the API refuses or does not answer, unless it says otherwise.

    Args:
        kubeconfig: the file to read; None takes `$KUBECONFIG`, else `~/.kube/config`. In a pod,
            `in_cluster.SERVICE_ACCOUNT`.
        context: the context in it; None takes the current one.
        writing: what may be written through it.
        is_local: whether the cluster is this machine's own, so that nobody else's objects are read
            where those of some namespaces are asked for all together.
    """

    def __init__(
        self,
        kubeconfig: Path | None = None,
        context: str | None = None,
        writing: Writing = Writing.FREELY,
        *,
        is_local: bool = False,
    ) -> None:
        self._rest = Rest(kubeconfig, context, writing)
        self.is_local = is_local
        self._discovery = Discovery(self._rest)

    @property
    def server(self) -> str:
        """The API's address, such as `https://127.0.0.1:6443`."""
        return self._rest.server

    @property
    def verifies(self) -> bool:
        """Whether the API's certificate is looked at; the kubeconfig may say that it is not."""
        return self._rest.verifies

    @property
    def authority(self) -> str:
        """The SHA-256 of the certificates by which the kubeconfig knows the API; empty without."""
        found = self._rest.authority
        return hashlib.sha256(found).hexdigest() if found else ""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing is written through it, nor through what it leads to."""
        return self._rest.writing is Writing.NEVER

    @property
    def outages(self) -> tuple[Outage, ...]:
        """Every time that the API was away or too busy to answer, as its users here saw it."""
        return self._rest.availability.outages

    @property
    def usage(self) -> dict[str, int]:
        """How often the API was asked so far: `requests`, `execs`, and `forwards` (connections)."""
        return self._rest.usage.as_dict()

    def is_passing(self, error: BaseException) -> bool:
        """Whether an error is the API's own and may be over in a moment: it was away just now."""
        return self._rest.availability.is_passing(error)

    def answers(self) -> bool:
        """Whether the API answers at this moment; asked once, and never raises."""
        return self._rest.answers()

    @cached_property
    def server_version(self) -> str:
        """The server's version, such as `v1.20.2`."""
        return str(self._rest.request("GET", "/version")["gitVersion"])

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the server serves the kind in that version."""
        return self._discovery.find(api_version, kind) is not None

    def plural(self, api_version: str, kind: str) -> str | None:
        """Return the name of a kind's resource, such as `statefulsets`; None if not served."""
        found = self._discovery.find(api_version, kind)
        return found.plural if found else None

    def is_namespaced(self, api_version: str, kind: str) -> bool | None:
        """Whether objects of a kind are in namespaces; None if the kind is not served."""
        found = self._discovery.find(api_version, kind)
        return found.namespaced if found else None

    def versions_of(self, kind: str) -> tuple[str, ...]:
        """Return every version in which the server serves a kind of that name, in any group.

        It takes a request a version of a group, so it is for telling what else there is.
        """
        return self._discovery.versions_of(kind)

    def list(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[Object]:
        """Return the objects of a kind, in one namespace or in all."""
        resource = self._discovery.resource(api_version, kind)
        query = _selectors(label_selector, field_selector)
        answer = self._rest.request("GET", resource.path(namespace=namespace), query=query)
        typed = {"apiVersion": api_version, "kind": kind}
        return [{**typed, **item} for item in answer.get("items") or ()]

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Object | None:
        """Return one object, or None when there is none of that name."""
        resource = self._discovery.resource(api_version, kind)
        try:
            return self._rest.request("GET", resource.path(namespace=namespace, name=name))
        except ApiError as error:
            # without a reason it was not the API that said so, but whoever stands before it
            if error.status == HTTPStatus.NOT_FOUND and error.reason:
                return None
            raise

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Apply an object server-side, whoever owns its fields, and return it as it is now.

        Args:
            obj: the fields that are ours, with apiVersion, kind and metadata.name.
            dry_run: have the server check and default it without keeping it.

        Raises:
            ApiError: the server refused it, with the fields concerned in `causes`.
        """
        metadata = obj["metadata"]
        resource = self._discovery.resource(obj["apiVersion"], obj["kind"])
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        if dry_run:
            query |= REHEARSAL
        path = resource.path(namespace=metadata.get("namespace"), name=metadata["name"])
        return self._rest.request("PATCH", path, query=query, body=obj, content_type=APPLY)

    def create(self, obj: Object) -> Object:
        """Create an object under a name that nobody else would choose, and return it as it is now.

        Raises:
            ApiError: the server refused it.
        """
        metadata = obj["metadata"]
        resource = self._discovery.resource(obj["apiVersion"], obj["kind"])
        path = resource.path(namespace=metadata.get("namespace"))
        try:
            return self._rest.request("POST", path, body=obj)
        except ApiError as error:
            # the attempt whose answer was lost had made it
            if error.status == HTTPStatus.CONFLICT and error.was_repeated:
                return self._rest.request("GET", f"{path}/{metadata['name']}")
            raise

    def replace(self, obj: Object) -> Object:
        """Replace an object as it was read, and return it as it is now.

        Args:
            obj: all of it, with the `resourceVersion` that it was read with: somebody else's
                change since then is not overwritten.

        Raises:
            ApiError: the server refused it; with 409, since it has changed. That may have been an
                attempt of this very request whose answer was lost (`was_repeated`).
        """
        metadata = obj["metadata"]
        resource = self._discovery.resource(obj["apiVersion"], obj["kind"])
        path = resource.path(namespace=metadata.get("namespace"), name=metadata["name"])
        return self._rest.request("PUT", path, query={"fieldManager": FIELD_MANAGER}, body=obj)

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_period_seconds: int | None = None,
        precondition_uid: str | None = None,
        precondition_version: str | None = None,
        foreground: bool = False,
    ) -> None:
        """Delete an object; one that is not there is as good as deleted.

        Asked again when the API was away, as all else is: without `precondition_uid`, that may
        then be another object of the same name.

        Args:
            api_version: the object's version, such as `apps/v1`.
            kind: its kind.
            name: its name.
            namespace: its namespace, if it has one.
            grace_period_seconds: 0 kills a pod at once; None leaves the object's own.
            precondition_uid: delete only this incarnation; another is refused with 409.
            precondition_version: delete it only as it was read, by its `resourceVersion`.
            foreground: whether it stays until what it owns is gone.
        """
        resource = self._discovery.resource(api_version, kind)
        options: Object = {"propagationPolicy": "Foreground" if foreground else "Background"}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        wanted = {"uid": precondition_uid, "resourceVersion": precondition_version}
        if preconditions := {name: value for name, value in wanted.items() if value is not None}:
            options["preconditions"] = preconditions
        try:
            path = resource.path(namespace=namespace, name=name)
            self._rest.request("DELETE", path, body=options)
        except ApiError as error:
            # an attempt whose answer was lost may be what made way for another incarnation
            was_done = error.status == HTTPStatus.CONFLICT and error.was_repeated
            if error.status != HTTPStatus.NOT_FOUND and not (was_done and precondition_uid):
                raise

    def watch(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        field_selector: str = "",
        deadline: float,
        announce: bool = False,
    ) -> Watch:
        """Return an iterator over the objects that are there and then over their changes.

        Args:
            api_version: the kind's version, such as `v1`.
            kind: the kind.
            namespace: one namespace; None watches all.
            field_selector: only objects with these fields.
            deadline: when to end, in seconds of `time.monotonic`.
            announce: whether `(SYNCED, {})` follows each complete list.
        """
        return Watch(
            self._rest,
            self._discovery,
            api_version,
            kind,
            namespace=namespace,
            selectors=_selectors("", field_selector),
            deadline=deadline,
            announce=announce,
        )

    def exec(
        self,
        pod: PodRef,
        argv: Sequence[str],
        *,
        container: str | None = None,
        stdin: str = "",
        timeout: float = timeouts.EXEC,
        again: command.Again = command.Again.UNLESS_BEGUN,
        is_asking: bool = False,
        heard: Callable[[str], object] | None = None,
    ) -> command.ExecResult:
        """Run a command in a container and return its output and exit status.

        Args:
            pod: the pod.
            argv: the command; no shell is involved.
            container: which; None where the pod has one only.
            stdin: what it may read. Before Kubernetes 1.30 it never sees the end of it, so it
                must know where to stop.
            timeout: seconds for one attempt.
            again: when it may be run again, where the API failed and not the command.
            is_asking: whether the command changes nothing, and so is run where nothing is written.
            heard: is told each line of standard output as soon as it comes, once an attempt.

        Raises:
            UnaskedError: nothing is written through this API, and the command might.
            ProbeError: it could not be run, or gave no exit status.
            ClusterError: the API was away for too long (`is_api_away`).
        """
        if self.is_read_only and not is_asking:
            raise unwritten()
        return command.run(
            self._rest,
            pod,
            argv,
            container=container,
            stdin=stdin,
            timeout=timeout,
            again=again,
            heard=heard,
        )

    def begin(
        self, pod: PodRef, argv: Sequence[str], *, container: str, timeout: float
    ) -> command.Running:
        """Begin a command that changes nothing, and return it while it runs, to be spoken with.

        Args:
            pod: the pod.
            argv: the command; no shell is involved.
            container: which of the pod's.
            timeout: seconds for its beginning.

        Raises:
            ProbeError: it could not be run.
            ClusterError: the API was away (`is_api_away`).
        """
        return command.begin(self._rest, pod, argv, container=container, timeout=timeout)

    def logs(
        self,
        pod: PodRef,
        *,
        container: str | None = None,
        previous: bool = False,
        tail_lines: int = 50,
        since: str = "",
    ) -> str:
        """Return the last lines of a container's log, or of its previous incarnation's.

        Args:
            pod: whose.
            container: which; None where it has one only.
            previous: whether the one before the last restart is meant.
            tail_lines: how many at most.
            since: an instant as the API spells it, before which lines are left out.
        """
        query = {"tailLines": str(tail_lines), "previous": str(previous).lower()}
        if since:
            query["sinceTime"] = since
        if container:
            query["container"] = container
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/log"
        return self._rest.text(path, query=query)

    def forward(self, pod: PodRef, port: int) -> Forward:
        """Return a context manager whose port on 127.0.0.1 leads to the pod's port.

        `with kube.forward(pod, 5432) as local_port:`; what goes wrong behind it is in the
        manager's `error`.
        """
        return Forward(self._rest, pod, port)

    def refused_by(self, pod: PodRef, port: int) -> str:
        """Return the word by which a pod's own address refuses the API at a port.

        It is empty where it does not, or where that cannot be found out.
        """
        return self._rest.refused_by(
            f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}:{port}/proxy/"
        )

    def refuses_eviction(self, pod: PodRef, uid: str) -> str:
        """Return why the API would not evict a pod now; empty where it would, or cannot tell.

        Nothing is evicted: the server only checks it (`dryRun`), budgets and webhooks included.

        Args:
            pod: the pod.
            uid: of which incarnation; another is not asked about.

        Raises:
            ApiError: there is no such pod, or it is another one by now.
        """
        served = self._rest.request("GET", "/api/v1")["resources"]
        found = next((each for each in served if each["name"] == "pods/eviction"), None)
        if found is None:
            return ""
        body: Object = {
            "apiVersion": f"{found['group']}/{found['version']}",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "deleteOptions": {"dryRun": ["All"], "preconditions": {"uid": uid}},
        }
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/eviction"
        try:
            self._rest.request("POST", path, query={"dryRun": "All"}, body=body, patience=0)
        except ApiError as error:
            if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                raise
            if "dry run" in error.detail.lower():
                return ""  # a webhook that has effects of its own is not asked
            return error.detail or error.message
        return ""

    def add_ephemeral_container(self, pod: PodRef, container: Object) -> None:
        """Put an ephemeral container into a pod, where it stays until the pod goes.

        Raises:
            ApiError: the server refused it; with 404, that it does not serve them.
        """
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/ephemeralcontainers"
        body = {"spec": {"ephemeralContainers": [container]}}
        self._rest.request("PATCH", path, body=body, content_type=STRATEGIC_MERGE)

    def can_i(self, verb: str, group: str, resource: str, namespace: str | None = None) -> bool:
        """Whether this user may do that, in one namespace or in all.

        Args:
            verb: `create`, `patch`, `delete`, …
            group: the API group; empty for the core group.
            resource: the plural, with a subresource after a slash: `pods/exec`.
            namespace: the namespace; None asks for all of them.
        """
        plural, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": plural}
        if subresource:
            attributes["subresource"] = subresource
        if namespace:
            attributes["namespace"] = namespace
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        return bool(self._rest.request("POST", ACCESS_REVIEWS, body=review)["status"]["allowed"])


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    given = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: value for name, value in given.items() if value}
