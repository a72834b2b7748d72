"""What a draft says of small systems, and what it leaves for a person to say."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.components import registry
from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access, Drafting, Kind
from nova_acceptance.draft import document
from nova_acceptance.draft.sources import from_manifests
from nova_acceptance.errors import RenderError, UsageError
from nova_acceptance.kube import Object
from nova_acceptance.system import Component, KubeService
from testing.unit.draft.systems import (
    ROOT,
    config_map,
    drafted,
    given,
    loaded,
    part,
    secret,
    service,
    source_of,
    system_of,
    workload,
)

PASSWORD = "not-a-secret-of-anybody"


def cache() -> list[Object]:
    """Return a Redis with a password."""
    return [
        workload(
            "cache",
            "docker.io/library/redis:7.2-alpine",
            6379,
            container=given("cache", "password"),
        ),
        service("cache", 6379),
        secret("cache", password=PASSWORD),
    ]


def web(**values: str) -> list[Object]:
    """Return a service that gets each key of a Secret as a variable."""
    return [
        workload("web", "example.org/web:1", 8080, container=given("web-secret", *values)),
        service("web", 8080),
        secret("web-secret", **values),
    ]


def uses(component: Component) -> set[str]:
    return {use.name for use in component.uses}


def test_component_is_recognised_by_image_and_port(tmp_path: Path) -> None:
    system = system_of(
        tmp_path,
        *cache(),
        workload("db", "bitnami/postgresql:15", 5432, kind="StatefulSet"),
        service("db", 5432),
        workload("kv", "quay.io/coreos/etcd:v3.5.9", 2379, kind="StatefulSet"),
        service("kv", 2379, clusterIP="None"),
        *web(),
    )

    kinds = {each.name: each.kind for each in system.components}
    assert kinds == {"cache": "redis", "db": "postgres", "kv": "etcd", "web": "http"}


@pytest.mark.parametrize(
    "image", ["oliver006/redis_exporter:1", "prometheuscommunity/postgres-exporter:1"]
)
def test_exporter_is_not_what_it_exports(image: str, tmp_path: Path) -> None:
    system = system_of(tmp_path, workload("metrics", image, 9121), service("metrics", 9121))

    assert [each.kind for each in system.components] == ["http"]


@pytest.mark.parametrize(
    ("image", "version"),
    [("redis:7.2-alpine", "7."), ("redis:latest", None), ("shop/redis:1", None), ("redis", None)],
)
def test_version_is_that_of_the_tag(image: str, version: str | None, tmp_path: Path) -> None:
    objects = workload("cache", image, 6379), service("cache", 6379)

    assert part(system_of(tmp_path, *objects), "cache").version == version


def test_sentinel_is_no_redis(tmp_path: Path) -> None:
    system = system_of(tmp_path, workload("watch", "redis:7", 26379), service("watch", 26379))

    found = part(system, "watch")
    assert (found.kind, found.protocol) == ("http", "tcp")


def test_password_is_where_the_container_gets_it(tmp_path: Path) -> None:
    (found,) = system_of(tmp_path, *cache()).components

    assert [(it.secret, it.key) for it in found.secrets] == [("cache", "password")]


def test_password_is_what_urls_hold_where_several_would_do(tmp_path: Path) -> None:
    objects = cache()
    objects[0]["spec"]["template"]["spec"]["containers"][0] |= given("cache", "other", "password")
    objects[2] = secret("cache", other=secrets.token_urlsafe(), password=PASSWORD)
    url = f"redis://:{PASSWORD}@cache:6379/0"
    found = system_of(tmp_path, *objects, *web(redis_url=url)).component("cache")

    assert [(it.secret, it.key) for it in found.secrets] == [("cache", "password")]


def test_use_says_which_key_of_which_secret_and_which_variable(tmp_path: Path) -> None:
    url = f"redis://:{PASSWORD}@cache.shop.svc.cluster.local:6379/0"
    system = system_of(tmp_path, *cache(), *web(redis_url=url))
    component = system.component("web")
    (use,) = component.uses

    assert use.name == "cache"
    assert system.holder_of(component, use).name == "web-secret"
    assert (system.key_of(component, use), system.env_of(component, use)) == (
        "redis_url",
        "REDIS_URL",
    )


def test_what_all_services_do_alike_is_said_once(tmp_path: Path) -> None:
    url = f"redis://:{PASSWORD}@cache:6379/0"
    objects = list(cache())
    for name in ("one", "two"):
        objects += [
            workload(name, "example.org/any:1", 80, container=given(f"{name}-conf")),
            service(name, 80),
            secret(f"{name}-conf", CACHE_URL=url),
        ]
    system = system_of(tmp_path, *objects)

    assert system.conventions.secret == "{name}-conf"
    assert system.conventions.keys == {"redis": "CACHE_URL"}
    assert system.conventions.env
    assert all(not use.key for each in system.services for use in each.uses)
    assert not system.configuration or all(it.name == "cache" for it in system.configuration)


def test_url_that_a_workload_spells_out_is_a_use_without_a_key(tmp_path: Path) -> None:
    spelled = {"env": [{"name": "REDIS_URL", "value": f"redis://:{PASSWORD}@cache:6379"}]}
    system = system_of(
        tmp_path, *cache(), workload("web", "web:1", 80, container=spelled), service("web", 80)
    )
    (use,) = system.component("web").uses

    assert (use.name, use.key, system.key_of(system.component("web"), use)) == ("cache", None, None)


def test_url_that_is_mounted_is_a_use_without_a_variable(tmp_path: Path) -> None:
    mounted = workload("web", "web:1", 80)
    mounted["spec"]["template"]["spec"]["volumes"] = [
        {"name": "urls", "secret": {"secretName": "urls"}}
    ]
    url = f"redis://:{PASSWORD}@cache:6379/0"
    system = system_of(tmp_path, *cache(), mounted, service("web", 80), secret("urls", cache=url))
    component = system.component("web")
    (use,) = component.uses

    assert system.holder_of(component, use).name == "urls"
    assert (system.key_of(component, use), system.env_of(component, use)) == ("cache", None)


def test_host_that_no_service_has_is_outside(tmp_path: Path) -> None:
    text = drafted(tmp_path, *web(kafka_brokers="broker-7.example.net:9092"))
    system = loaded(tmp_path, text)

    assert [each.name for each in system.external] == ["kafka"]
    assert uses(system.component("web")) == {"kafka"}
    assert "broker-7" not in text


def test_level_that_pods_keep_to_is_said(tmp_path: Path) -> None:
    found = part(system_of(tmp_path, *web()), "web")

    assert found.workload.pod_security == "baseline"


def test_posture_that_a_verification_will_find_is_said_to_be_wrong(tmp_path: Path) -> None:
    objects = web()
    (container,) = objects[0]["spec"]["template"]["spec"]["containers"]
    container["securityContext"] = {"privileged": True}
    head = drafted(tmp_path, *objects).partition("components:")[0]

    assert "SECURITY_CONTEXT_WEAK" in head
    assert "RESOURCES_UNSET" in head


def test_service_that_does_not_exist_is_said_to_be_wrong(tmp_path: Path) -> None:
    text = drafted(tmp_path, *web(redis_url="redis://gone.shop.svc.cluster.local:6379/0"))

    assert "STALE_ENDPOINT_URL" in text
    assert not loaded(tmp_path, text).external


def test_key_that_leads_to_two_components_is_the_key_of_neither(tmp_path: Path) -> None:
    other = [workload("store", "redis:7", 6379), service("store", 6379)]
    system = system_of(tmp_path, *cache(), *other, *web(redis_nodes="cache:6379,store:6379"))

    assert uses(system.component("web")) == {"cache", "store"}


def test_keys_are_told_by_what_they_hold(tmp_path: Path) -> None:
    url = f"redis://:{PASSWORD}@cache:6379/0"
    text = drafted(tmp_path, *cache(), *web(redis_url=url, jwt_secret="s", copy=PASSWORD))
    system = loaded(tmp_path, text)
    (held,) = [it for it in system.every_configuration if it.name == "web-secret"]

    assert {key: it.holds for key, it in held.keys.items()} == {
        "redis_url": "something",
        "jwt_secret": "something",
        "copy": "password",
    }
    assert held.keys["redis_url"].url == "cache"


def test_address_of_a_service_is_told_as_such(tmp_path: Path) -> None:
    address = "http://web.shop.svc.cluster.local:8080"
    reader = workload("reader", "reader:1", 80, container=given("places", kind="ConfigMap"))
    system = system_of(
        tmp_path,
        *web(),
        reader,
        service("reader", 80),
        config_map("places", WEB=address, LOG_LEVEL="info"),
    )
    (held,) = [it for it in system.every_configuration if it.name == "places"]

    assert held.keys["LOG_LEVEL"].holds == "something"
    assert (held.keys["WEB"].address or held.keys["WEB"].url) == "web"


def test_health_is_the_page_of_a_probe(tmp_path: Path) -> None:
    probe = {"readinessProbe": {"httpGet": {"path": "/ready", "port": 80}}}
    objects = workload("web", "nginx:1", 80, container=probe), service("web", 80)

    assert part(system_of(tmp_path, *objects), "web").health.path == "/ready"


def test_service_may_have_another_name_than_what_it_leads_to(tmp_path: Path) -> None:
    (found,) = system_of(
        tmp_path, workload("web", "nginx:1", 80), service("front", 8080, selects="web")
    ).components

    assert found.name == "web"
    assert found.every_service == (KubeService(name="front", ports={"http": 8080}),)


def test_type_of_a_service_is_said_where_it_is_open_to_the_outside(tmp_path: Path) -> None:
    system = system_of(
        tmp_path,
        workload("web", "nginx:1", 80),
        service("web", 80, type="LoadBalancer"),
        workload("cache", "redis:7", 6379, kind="StatefulSet"),
        service("cache", 6379, type="NodePort"),
    )

    types = {name: part(system, name).every_service[0].type for name in ("web", "cache")}
    assert types == {"web": "LoadBalancer", "cache": "NodePort"}


def test_what_the_file_cannot_name_is_allowed_and_said(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        *web(),
        workload("worker", "worker:1"),
        workload("agent", "agent:1", kind="DaemonSet"),
        workload("asleep", "asleep:1", 80, replicas=0),
        service("asleep", 80),
    )

    assert loaded(tmp_path, text).undeclared == "allowed"
    assert all(f"shop/{name}" in text for name in ("worker", "agent", "asleep"))


def test_all_that_is_there_being_named_nothing_else_is_allowed(tmp_path: Path) -> None:
    assert system_of(tmp_path, *web()).undeclared == "refused"


def test_components_of_one_name_in_two_namespaces_are_told_apart(tmp_path: Path) -> None:
    both = [
        each
        for place in ("one", "two")
        for each in (
            workload("web", "web:1", 80, namespace=place),
            service("web", 80, namespace=place),
        )
    ]
    system = system_of(tmp_path, *both)

    assert {each.name for each in system.components} == {"one-web", "two-web"}
    assert {each.workload.name for each in system.components} == {"web"}


def test_name_that_kustomize_makes_of_contents_is_left_out(tmp_path: Path) -> None:
    name = "settings-gt688t2t8h"
    text = drafted(
        tmp_path,
        workload("web", "web:1", 80, container=given(name, kind="ConfigMap")),
        service("web", 80),
        config_map(name, LOG_LEVEL="info"),
    )

    assert not loaded(tmp_path, text).configuration
    assert name in text


STRANGE: list[list[Object]] = [
    [],
    [service("lonely", 80)],
    [workload("web", "web", 80), service("web", 80, type="NodePort")],
    [workload("a.b", "web:1", 80), service("web", 80, selects="a.b")],
    [workload("web", "web:1", 80), service("web", 80, clusterIP="None")],
    [*web(redis_url="redis://:pa%20ss@cache:6379/0"), workload("cache", "redis", 6379)],
    [*cache(), *web(redis_url="redis://:x@cache:1/0", again="redis://:y@cache:6379/0")],
    [*cache()[:2], *web(redis_url="redis://:x@cache:6379/0")],  # whose Secret is missing
    [
        workload("db", "postgres:15", 5432, kind="StatefulSet"),
        service("db", 5432),
        *web(database_url="postgresql://App-User:x@db:5432/My-Database"),
    ],
    [
        workload("db", "postgres", 5432, kind="StatefulSet", container=given("db", "password")),
        service("db", 5432),
        secret("db", password="x"),
        *web(one="postgres://a:x@db/postgres", two="postgres://b:x@db/web", three="db:5432"),
    ],
    [
        workload(
            "cache",
            "redis:7",
            6379,
            kind="StatefulSet",
            volumeClaimTemplates=[
                {
                    "metadata": {"name": "data"},
                    "spec": {"resources": {"requests": {"storage": "0.5Gi"}}},
                }
            ],
        ),
        service("cache", 6379),
    ],
    [
        workload("web", "web:1", 80, container=given("odd", kind="ConfigMap")),
        service("web", 80),
        config_map("odd", EMPTY="", YES="yes", NUMBER="1"),
    ],
]


@pytest.mark.parametrize("objects", STRANGE, ids=range(len(STRANGE)))
def test_draft_is_accepted_whatever_there_is(objects: list[Object], tmp_path: Path) -> None:
    anything = objects or [config_map("only", A="b")]

    loaded(tmp_path, drafted(tmp_path, *anything))


def test_postgres_without_a_known_password_says_what_to_fill_in(tmp_path: Path) -> None:
    text = drafted(
        tmp_path, workload("db", "postgres:15", 5432, kind="StatefulSet"), service("db", 5432)
    )

    assert "say where it is" in text
    assert loaded(tmp_path, text).component("db").kind == "postgres"


class Oracle(Component):
    """A kind of another package."""

    kind: Any = "oracle"


def test_kind_of_another_package_recognises_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draft(candidate: Candidate, access: Access | None) -> Drafted:
        assert access is None
        return Drafted({"services": candidate.service_fields("tns"), "version": "23"})

    foreign = Kind(
        name="oracle",
        spec=Oracle,
        drafting=Drafting(lambda candidate: 3 * (1521 in candidate.ports), draft),
    )
    monkeypatch.setattr(document, "kinds", lambda: (*registry.kinds(), foreign))
    made = document.describe(
        source_of(tmp_path, workload("db", "any:1", 1521), service("db", 1521)), None
    )

    (component,) = made.data["components"]
    assert (component["kind"], component["version"]) == ("oracle", "23")


def test_namespace_that_no_manifest_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    source_of(tmp_path, *web())
    path.write_text((tmp_path / "objects.yaml").read_text())

    with pytest.raises(UsageError, match="elsewhere") as caught:
        from_manifests(path, ["elsewhere"])
    assert "shop" in caught.value.evidence[0]


def test_directory_of_kustomizations_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(RenderError, match="is no kustomization, and holds some") as caught:
        from_manifests(ROOT / "examples")
    assert "two-redis/manifests" in caught.value.message


@pytest.mark.parametrize("place", [".", "overlays/single-node"])
def test_manifests_like_ours_are_filled_with_credentials(place: str) -> None:
    source = from_manifests(ROOT / "manifests" / place)

    assert "nova-services" in source.namespaces
    assert source.snapshot.get("Secret", "nova-redis", "redis-credentials")


def test_patch_is_refused_by_its_name(tmp_path: Path) -> None:
    patch = workload("web", "web:1")
    del patch["spec"]["template"]

    with pytest.raises(RenderError, match="Deployment shop/web is not a whole object"):
        source_of(tmp_path, patch)


def test_what_is_no_yaml_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(f"data: {{password: {PASSWORD}\n")

    with pytest.raises(RenderError) as caught:
        from_manifests(path)
    assert PASSWORD not in str(caught.value)
