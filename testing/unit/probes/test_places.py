"""From where a pod's network is asked: what is tried, in which order, and what is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from nova_acceptance.errors import ClusterError, PodProbeError, ProbeError, UnaskedError
from nova_acceptance.kube import ApiError, ExecResult, Object, PodRef
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.vantage.left_over import remove_left_over
from nova_acceptance.vantage.places import PlaceKind, Places, own_container
from nova_acceptance.vantage.probe_pods import IMAGE, Settings

WEB, TAX = PodRef("shop", "web-0"), PodRef("shop", "tax-0")
NO_PYTHON = 'exec: "python3": executable file not found in $PATH: unknown'
RIGHTS = [("create", "pods"), ("delete", "pods"), ("watch", "pods"), ("get", "pods/exec")]
FORBIDDEN = json.dumps({"reason": "Forbidden", "message": 'cannot create resource "pods/exec"'})


def pod(ref: PodRef, *containers: str, **spec: Any) -> Object:
    return {
        "metadata": {"namespace": ref.namespace, "name": ref.name},
        "spec": {"containers": [{"name": name} for name in containers or ("main",)], **spec},
        "status": {"phase": "Running"},
    }


class Cluster:
    """A stand-in for the API: which containers have Python, and what may be done.

    Attributes:
        with_python: pairs of a pod's name and a container; a probe pod is called `probe`.
        forbidden: pairs of a verb and a resource.
        pods: what there is, by namespace and name.
        asked: in which pod and container something was run, in this order.
    """

    def __init__(self, *there: Object) -> None:
        self.pods = {(it["metadata"]["namespace"], it["metadata"]["name"]): it for it in there}
        self.with_python: set[tuple[str, str]] = {("probe", "probe")}
        self.forbidden: set[tuple[str, str]] = set()
        self.asked: list[tuple[str, str]] = []
        self.refusal: ApiError | None = None
        self.policy = ""
        self.server_version = "v1.20.2"
        self.on_create: Callable[[], None] = lambda: None
        self.probe_status: Object = {"phase": "Running"}

    def get(self, _version: str, _kind: str, name: str, namespace: str) -> Object | None:
        return self.pods.get((namespace, name))

    def list(self, *_: str, namespace: str, label_selector: str) -> Sequence[Object]:
        return [
            it
            for (home, _), it in self.pods.items()
            if home == namespace and label_selector in it["metadata"].get("labels", {})
        ]

    server_version = "v1.30.0"

    def can_i(self, verb: str, _group: str, resource: str, _namespace: str) -> bool:
        return (verb, resource) not in self.forbidden

    def exec(self, ref: PodRef, _argv: Any, *, container: str, **_: Any) -> ExecResult:
        name = "probe" if ref.name.startswith("nova-acceptance-probe-") else ref.name
        self.asked.append((name, container))
        where = {"namespace": ref.namespace, "pod": ref.name}
        if (ref.namespace, ref.name) not in self.pods:
            raise PodProbeError("not run", **where) from ApiError("exec", 404, b"")
        if ("get", "pods/exec") in self.forbidden:
            raise PodProbeError("not run", **where) from ApiError("exec", 403, FORBIDDEN)
        if self.policy:
            path = f"GET /api/v1/namespaces/{ref.namespace}/pods/{ref.name}/exec"
            said = json.dumps({"message": f"{self.policy} ({ref.name})"})
            raise PodProbeError("not run", **where) from ApiError(path, 403, said)
        if (name, container) not in self.with_python:
            raise PodProbeError("not run", **where, evidence=[NO_PYTHON])
        return ExecResult("[]\n", "", 0, 0.0)

    def create(self, made: Object) -> Object:
        if self.refusal:
            raise self.refusal
        metadata = made["metadata"]
        self.pods[metadata["namespace"], metadata["name"]] = {**made, "status": self.probe_status}
        self.on_create()
        return made

    def delete(self, _version: str, _kind: str, name: str, namespace: str, **_: Any) -> None:
        if ("delete", "pods") in self.forbidden:
            raise ApiError("DELETE /api/v1/namespaces/shop/pods/probe", 403, FORBIDDEN)
        self.pods.pop((namespace, name), None)

    def watch(self, *_: str, namespace: str, field_selector: str, **__: Any) -> Iterator[Any]:
        name = field_selector.partition("=")[2]
        if (namespace, name) in self.pods:
            yield "ADDED", self.pods[namespace, name]

    def add_ephemeral_container(self, ref: PodRef, container: Object) -> None:
        if self.refusal:
            raise self.refusal
        self.with_python.add((ref.name, container["name"]))
        there = self.pods[ref.namespace, ref.name]["status"]
        running = {"name": container["name"], "state": {"running": {}}}
        there.setdefault("ephemeralContainerStatuses", []).append(running)

    @property
    def probes(self) -> Sequence[Object]:
        return [it for (_, name), it in self.pods.items() if name.startswith("nova-acceptance-")]


def places(cluster: Any, **settings: Any) -> Places:
    return Places(cluster, Settings(run="this", **settings))


def test_container_with_python_is_asked_and_nothing_is_made() -> None:
    cluster = Cluster(pod(WEB))
    cluster.with_python.add(("web-0", "main"))
    with places(cluster) as asked:
        assert asked.proven(WEB) is None
        place = asked.of(WEB)
        assert asked.proven(WEB) is place

    assert (place.kind, str(place)) == (PlaceKind.CONTAINER, "shop/web-0")
    assert cluster.asked == [("web-0", "main")]


@pytest.mark.parametrize(
    ("metadata", "own"),
    [
        ({}, None),
        ({"annotations": {"kubectl.kubernetes.io/default-container": "web"}}, "web"),
        ({"annotations": {"kubectl.kubernetes.io/default-container": "gone"}}, None),
        ({"ownerReferences": [{"kind": "StatefulSet", "name": "web"}]}, "web"),
        (
            {
                "labels": {"pod-template-hash": "5d4f"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d4f"}],
            },
            "web",
        ),
        ({"labels": {"app": "web"}}, "web"),
    ],
)
def test_own_container_is_never_the_first_that_there_is(metadata: Object, own: str | None) -> None:
    seen = pod(WEB, "proxy", "web")
    seen["metadata"] |= metadata

    assert own_container(seen) == own


def test_pod_without_python_is_asked_by_a_probe_pod_that_is_gone_at_the_end() -> None:
    cluster = Cluster(pod(WEB))
    with places(cluster) as asked:
        place = asked.of(WEB)
        assert str(place) == f"shop/web-0 (probe pod {place.inside.name})"
        assert asked.used()[PlaceKind.PROBE_POD] == [WEB]

    assert cluster.asked == [("web-0", "main"), ("probe", "probe")]
    assert cluster.probes == []


def test_pods_that_are_alike_share_a_probe_pod_and_others_do_not() -> None:
    other = pod(PodRef("shop", "far-0"), nodeName="two")
    cluster = Cluster(pod(WEB, nodeName="one"), pod(TAX, nodeName="one"), other)
    asked = places(cluster)
    found = [asked.of(each).inside for each in (WEB, TAX, PodRef("shop", "far-0"))]

    assert found[0] == found[1] != found[2]
    assert len(cluster.probes) == 2


def test_probe_pod_is_like_the_pod_and_no_part_of_the_system() -> None:
    theirs: dict[str, Any] = {
        "nodeName": "two",
        "serviceAccountName": "web",
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"]},
        "tolerations": [{"operator": "Exists"}],
    }
    seen = pod(WEB, **theirs)
    seen["metadata"]["labels"] = {"app": "web"}
    cluster = Cluster(seen)
    places(cluster).of(WEB)
    (probe,) = cluster.probes
    spec, container = probe["spec"], probe["spec"]["containers"][0]

    assert probe["metadata"]["labels"] == {RUN_LABEL: "this"}
    assert {name: spec[name] for name in theirs if name != "nodeName"} == {
        name: it for name, it in theirs.items() if name != "nodeName"
    }
    assert spec["automountServiceAccountToken"] is False
    assert "two" in json.dumps(spec["affinity"])
    assert container["imagePullPolicy"] == "Never"
    assert container["resources"].keys() == {"requests", "limits"}


@pytest.mark.parametrize("spec_of", ["pod", "container"])
def test_probe_pod_passes_the_restricted_level(spec_of: str) -> None:
    # Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    cluster = Cluster(pod(WEB))
    places(cluster).of(WEB)
    spec = cluster.probes[0]["spec"]
    held = spec["securityContext"] if spec_of == "pod" else spec["containers"][0]["securityContext"]

    assert held["runAsNonRoot"] is True
    assert held["seccompProfile"] == {"type": "RuntimeDefault"}
    if spec_of == "container":
        assert held["allowPrivilegeEscalation"] is False
        assert held["capabilities"] == {"drop": ["ALL"]}
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "volumes"}


def test_ephemeral_container_comes_before_a_probe_pod_where_it_is_allowed() -> None:
    cluster = Cluster(pod(WEB))
    with places(cluster, is_ephemeral=True) as asked:
        place = asked.of(WEB)

    assert place.kind is PlaceKind.EPHEMERAL
    assert place.inside == WEB
    assert cluster.probes == []


def test_ephemeral_container_of_an_earlier_run_is_used_again() -> None:
    cluster = Cluster(pod(WEB))
    first = places(cluster, is_ephemeral=True).of(WEB).container

    assert places(cluster, is_ephemeral=True).of(WEB).container == first


def test_ephemeral_container_that_the_api_does_not_serve_makes_way_for_a_probe_pod() -> None:
    cluster = Cluster(pod(WEB))
    cluster.refusal = ApiError("PATCH", 404, b"")
    asked = places(cluster, is_ephemeral=True)
    with pytest.raises(UnaskedError, match="refuses a probe pod"):
        asked.of(WEB)


def test_nothing_of_the_system_is_entered_where_only_probe_pods_are_wanted() -> None:
    cluster = Cluster(pod(WEB))
    cluster.with_python.add(("web-0", "main"))
    places(cluster, is_own=False).of(WEB)

    assert cluster.asked == [("probe", "probe")]


@pytest.mark.parametrize("right", RIGHTS)
def test_without_a_right_nothing_is_made_and_the_right_is_named(right: tuple[str, str]) -> None:
    cluster = Cluster(pod(WEB), pod(TAX))
    cluster.forbidden.add(right)
    asked = places(cluster)
    for each in (WEB, WEB, TAX):
        with pytest.raises(UnaskedError, match=" ".join(right)):
            asked.of(each)

    assert cluster.probes == []


def test_image_that_cannot_be_had_ends_the_wait_and_names_the_option() -> None:
    cluster = Cluster(pod(WEB))
    waiting = {"reason": "ErrImageNeverPull", "message": "not present"}
    cluster.probe_status = {
        "phase": "Pending",
        "containerStatuses": [{"name": "probe", "state": {"waiting": waiting}}],
    }
    with pytest.raises(UnaskedError, match="ErrImageNeverPull") as caught:
        places(cluster).of(WEB)

    assert IMAGE in caught.value.message
    assert "--probe-image" in caught.value.hint
    assert cluster.probes == []


def test_probe_pod_that_is_gone_is_made_again() -> None:
    cluster = Cluster(pod(WEB))
    asked = places(cluster)
    first = asked.of(WEB).inside
    del cluster.pods[first.namespace, first.name]
    place, _ = asked.run(WEB, "in_pod_agent", "[]", timeout=1)

    assert place.inside != first
    assert len(cluster.probes) == 1


def test_nothing_is_made_by_who_only_reads() -> None:
    cluster: Any = Cluster(pod(WEB))
    with pytest.raises(UnaskedError, match="only reads"):
        Places(cluster).of(WEB)

    assert cluster.probes == []


def test_left_over_probe_pods_of_runs_that_are_no_more_are_removed() -> None:
    def probe(run: str, phase: str) -> Object:
        it = pod(PodRef("shop", f"nova-acceptance-probe-{run}"))
        it["metadata"]["labels"] = {RUN_LABEL: run}
        return {**it, "status": {"phase": phase}}

    alive, killed, ended = (
        probe("alive", "Running"),
        probe("killed", "Running"),
        probe("ended", "Failed"),
    )
    cluster: Any = Cluster(pod(WEB), alive, killed, ended)
    removed = remove_left_over(cluster, ["shop"], lambda run: run != "killed")

    assert sorted(removed) == [
        "shop/nova-acceptance-probe-ended",
        "shop/nova-acceptance-probe-killed",
    ]
    assert cluster.probes == [alive]
    assert ("shop", "web-0") in cluster.pods


def test_left_over_probe_pod_that_may_not_be_removed_is_not_said_to_be() -> None:
    left = pod(PodRef("shop", "nova-acceptance-probe-x"))
    left["metadata"]["labels"] = {RUN_LABEL: "killed"}
    cluster: Any = Cluster(left)
    cluster.forbidden.add(("delete", "pods"))

    assert remove_left_over(cluster, ["shop"], lambda _run: False) == []
    assert cluster.probes == [left]


def test_exec_that_a_policy_forbids_is_told_without_the_name_of_a_pod() -> None:
    cluster = Cluster(pod(WEB), pod(TAX, dnsPolicy="None"))
    cluster.policy = "admission webhook denied the request: not into this pod"
    reasons = set()
    with places(cluster) as asked:
        for each in (WEB, TAX):
            with pytest.raises(UnaskedError) as caught:
                asked.of(each)
            reasons.add(caught.value.message)

    assert reasons == {"a policy of the cluster does not let this user get pods/exec"}
    assert cluster.probes == []


def test_every_probe_pod_that_cannot_be_removed_is_listed() -> None:
    one, other = PodRef("nova-redis", "one"), PodRef("nova-services", "other")
    cluster = Cluster(pod(one, "plain"), pod(other, "plain"))
    asked = places(cluster)
    asked.of(one)
    asked.of(other)
    made = sorted(
        f"{it['metadata']['namespace']}/{it['metadata']['name']}" for it in cluster.probes
    )
    cluster.forbidden.add(("delete", "pods"))

    with pytest.raises(ClusterError, match="2 probe pods are left") as error:
        asked.close()

    assert sorted(line.partition(":")[0] for line in error.value.evidence) == made
    assert "nova-cluster clean" in error.value.hint


def test_nothing_is_made_once_the_run_has_ended() -> None:
    cluster = Cluster(pod(WEB))
    with places(cluster) as asked:
        pass
    with pytest.raises(ProbeError, match="the run has ended"):
        asked.of(WEB)

    assert cluster.probes == []


def test_probe_pod_that_is_made_while_the_run_ends_is_removed() -> None:
    cluster = Cluster(pod(WEB))
    asked = places(cluster)
    cluster.on_create = asked.close
    with pytest.raises(ProbeError, match="the run has ended"):
        asked.of(WEB)

    assert cluster.probes == []
