"""What is seen before the first write."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from nova_acceptance.collect import look
from nova_acceptance.deploy import PreflightError, load_credentials, preflight, render
from nova_acceptance.deploy.preflight import ForeignError, laid_over
from nova_acceptance.errors import RefusedError
from nova_acceptance.kube import ApiError, Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.collect.stub import StubKube
from testing.unit.deploy.custom import config, definition, shop
from testing.unit.diagnosis.rendered import ROOT, cluster, system


@pytest.fixture(scope="module")
def rendered() -> list[Object]:
    manifests = ROOT / "manifests"
    return render(manifests, "multi-node", load_credentials(None, manifests))


@pytest.fixture
def objects(rendered: list[Object]) -> list[Object]:
    return copy.deepcopy(rendered)


@pytest.fixture
def kube() -> StubKube:
    return StubKube(*cluster())


def checked(kube: StubKube, objects: list[Object]) -> list[str]:
    base = look(kube, system().namespaces, system(), logs=False)
    return [str(found.cause) for found in preflight(kube, objects, base)]


def one(objects: list[Object], kind: str, name: str) -> Any:
    (found,) = [it for it in objects if (it["kind"], it["metadata"]["name"]) == (kind, name)]
    return found


def test_nova_passes(kube: StubKube, objects: list[Object]) -> None:
    assert checked(kube, objects) == []


def test_claim_of_a_class_that_the_cluster_lacks(kube: StubKube, objects: list[Object]) -> None:
    template = one(objects, "StatefulSet", "redis")["spec"]["volumeClaimTemplates"][0]
    template["spec"]["storageClassName"] = "quick"

    with pytest.raises(PreflightError) as caught:
        checked(kube, objects)
    first = str(caught.value).splitlines()[0]
    assert first.startswith("STORAGE_CLASS_MISSING: StatefulSet nova-redis/redis")
    assert "→" in first
    assert "nothing has been written" in str(caught.value)
    assert not any(asked.startswith("apply") for asked in kube.asked)


def test_everything_that_is_fatal_is_told_at_once_the_deepest_first(
    kube: StubKube, objects: list[Object]
) -> None:
    template = one(objects, "StatefulSet", "redis")["spec"]["volumeClaimTemplates"][0]
    template["spec"]["storageClassName"] = "quick"
    one(objects, "Service", "user-service")["spec"]["selector"] = {"app": "nobody"}

    with pytest.raises(PreflightError) as caught:
        checked(kube, objects)
    causes = [each.root.cause for each in caught.value.explanation.causes]
    assert causes == ["STORAGE_CLASS_MISSING", "SELECTOR_MATCHES_NOTHING"]
    assert "SELECTOR_MATCHES_NOTHING" in str(caught.value)


def test_what_keeps_nothing_from_becoming_ready_is_a_warning(
    kube: StubKube, objects: list[Object]
) -> None:
    secret = one(objects, "Secret", "user-service-secrets")
    secret.pop("data")
    secret["stringData"] = {"KAFKA_BROKERS": "kafka:9092", "REDIS_URL": "redis://:x@gone:1/0"}

    assert "STALE_ENDPOINT_URL" in checked(kube, objects)


def test_kind_that_the_cluster_does_not_serve(kube: StubKube, objects: list[Object]) -> None:
    kube.unserved = {"RoleBinding"}

    with pytest.raises(PreflightError, match=r"^KIND_NOT_SERVED: .*RoleBinding"):
        checked(kube, objects)


def test_kind_that_comes_with_the_objects_is_served(kube: StubKube, objects: list[Object]) -> None:
    kube.unserved = {"Shop"}

    assert checked(kube, [*objects, definition("Cluster"), shop()]) == []


def test_version_that_the_definition_beside_it_lacks_is_not_served(kube: StubKube) -> None:
    kube.unserved = {"Shop"}

    with pytest.raises(
        PreflightError, match=r"KIND_NOT_SERVED: .*Shop of example.org/v2"
    ) as caught:
        checked(kube, [definition("Cluster", versions=("v1alpha1", "v1")), shop(version="v2")])
    assert "but of example.org/v1alpha1, example.org/v1 (Shop corner)" in str(caught.value)


def test_every_object_of_kinds_that_are_not_served_is_named_with_what_is(
    kube: StubKube, objects: list[Object]
) -> None:
    kube.unserved = {"policy/v1", "Shop"}
    budgets = [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": "nova-redis"},
        }
        for name in ("first", "second")
    ]

    with pytest.raises(PreflightError) as caught:
        checked(kube, [*objects, *budgets, shop(namespace="nova-redis")])
    first_line = str(caught.value).splitlines()[0]
    assert first_line.startswith(
        "KIND_NOT_SERVED: the cluster does not serve PodDisruptionBudget of policy/v1 but of "
        "policy/v1beta1 (PodDisruptionBudget nova-redis/first, "
        "PodDisruptionBudget nova-redis/second), "
        "Shop of example.org/v1 nor of any other (Shop nova-redis/corner)"
    )
    assert not any(asked.startswith("apply") for asked in kube.asked)


def test_what_is_somebody_else_s_is_said_before_the_first_write(kube: StubKube) -> None:
    theirs = config(namespace="kube-system")
    kube.put(theirs)
    kube.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})

    with pytest.raises(
        ForeignError, match=r"^OBJECT_FOREIGN: ConfigMap kube-system/settings"
    ) as it:
        checked(kube, [config(namespace="kube-system"), config("new", namespace="kube-system")])
    assert "try ConfigMap" in kube.asked
    assert kube.asked.count("try ConfigMap") == 1
    # it ends as what the suite refuses to do, and is told by its causes like any other
    assert isinstance(it.value, RefusedError)
    assert isinstance(it.value, PreflightError)
    assert it.value.explanation.causes[0].root.cause == "OBJECT_FOREIGN"


def test_namespace_that_nobody_has_is_said_before_the_first_write(kube: StubKube) -> None:
    with pytest.raises(PreflightError, match=r"^NAMESPACE_UNDEFINED: there is no namespace") as it:
        checked(kube, [config(namespace="web")])
    assert not isinstance(it.value, RefusedError)


def test_right_that_the_user_lacks(kube: StubKube, objects: list[Object]) -> None:
    kube.denied = {"create statefulsets", "watch pods", "watch replicasets"}

    with pytest.raises(PreflightError) as caught:
        checked(kube, objects)
    assert str(caught.value).startswith("RIGHTS_MISSING: the kubeconfig's user may not create")
    assert "not allowed: watch pods in nova-redis" in caught.value.evidence
    assert "not allowed: create statefulsets.apps in nova-database" in caught.value.evidence
    assert "not allowed: watch replicasets.apps in nova-services" in caught.value.evidence


def test_namespace_that_is_there_takes_no_right_over_the_whole_cluster(
    kube: StubKube, objects: list[Object]
) -> None:
    labels = {"app.kubernetes.io/managed-by": "nova-acceptance"}
    there = {"name": "nova-redis", "labels": labels}
    kube.put({"apiVersion": "v1", "kind": "Namespace", "metadata": there})
    kube.denied = {"create namespaces", "patch namespaces", "* *"}

    with pytest.raises(PreflightError) as caught:
        checked(kube, objects)

    said = [line for line in caught.value.evidence if line.endswith("namespaces")]
    assert said == ["not allowed: create namespaces", "not allowed: patch namespaces"]
    assert "not allowed: patch namespaces in nova-redis" in caught.value.evidence
    assert "not allowed: create namespaces in nova-redis" not in caught.value.evidence


def test_administrator_is_asked_about_once(kube: StubKube, objects: list[Object]) -> None:
    checked(kube, objects)

    assert [asked for asked in kube.asked if asked.startswith("can")] == ["can * * None"]


def test_fault_of_something_else_on_the_cluster_is_none_of_the_objects(
    kube: StubKube, objects: list[Object]
) -> None:
    other = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "left-over", "namespace": "nova-redis", "uid": "x"},
        "spec": {"storageClassName": "gone"},
        "status": {"phase": "Pending"},
    }
    kube.put(other)

    assert checked(kube, objects) == []


def test_rendered_objects_take_the_places_and_the_identities_of_what_is_there() -> None:
    live: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "n", "uid": "uid-a"},
        "data": {"old": "1"},
    }
    base = Snapshot.of([live])
    wanted = {**live, "metadata": {"name": "a", "namespace": "n"}, "data": {"new": "2"}}
    found = laid_over(base, [wanted])

    assert found.get("ConfigMap", "n", "a") == {**live, "data": {"new": "2"}}
    assert base.get("ConfigMap", "n", "a") == live
    assert "uid" not in wanted["metadata"]


def test_secrets_are_looked_at_by_their_shapes() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "a", "namespace": "n"},
        "stringData": {"KEY": "correct-horse"},
    }
    found = laid_over(Snapshot(), [secret])

    assert "correct-horse" not in str(found.get("Secret", "n", "a"))


def there(objects: list[Object]) -> list[Object]:
    """Return the namespaces, as an earlier deployment has left them."""
    return [obj for obj in objects if obj["kind"] == "Namespace"]


class Refusing(StubKube):
    """Refuses Services, as it would for good."""

    status = 422
    said = "Invalid value: spec.clusterIP: field is immutable"

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        if obj["kind"] == "Service":
            answer = {"code": self.status, "reason": "Invalid", "message": self.said}
            raise ApiError("PATCH …", self.status, json.dumps(answer))
        return super().apply(obj, dry_run=dry_run)


def test_what_the_api_would_refuse_is_known_before_the_first_write(objects: list[Object]) -> None:
    kube = Refusing(*cluster(), *there(objects))

    with pytest.raises(PreflightError, match=r"API_REFUSED: the API refuses Service .*immutable"):
        checked(kube, objects)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "admission webhook w does not support dry run"),
        (403, "services is forbidden"),
    ],
)
def test_what_is_no_refusal_of_the_object_is_none(
    objects: list[Object], status: int, said: str
) -> None:
    kube = Refusing(*cluster(), *there(objects))
    kube.status, kube.said = status, said

    assert checked(kube, objects) == []
