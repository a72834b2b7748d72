"""What the manifests say twice, they say alike."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

EXAMPLE = Path(__file__).parents[1]
QUEUE = EXAMPLE / "manifests" / "queue"
DEFINITIONS = json.loads((QUEUE / "definitions.json").read_text())


def literals(kustomization: str) -> dict[str, str]:
    """Return the literals of all Secrets of a kustomization."""
    content = yaml.safe_load((EXAMPLE / "manifests" / kustomization).read_text())
    return dict(
        literal.split("=", 1) for each in content["secretGenerator"] for literal in each["literals"]
    )


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((QUEUE / "statefulset.yaml").read_text())["spec"]
    template: dict[str, Any] = spec["template"]["spec"]
    return template


def test_url_logs_in_where_the_definitions_let_it() -> None:
    url = urlsplit(literals("orders/kustomization.yaml")["AMQP_URL"])
    vhost = url.path.removeprefix("/")

    assert url.password == literals("queue/kustomization.yaml")["ORDERS_PASSWORD"]
    assert [(url.username, vhost)] == [
        (each["user"], each["vhost"]) for each in DEFINITIONS["permissions"]
    ]
    assert vhost in [each["name"] for each in DEFINITIONS["vhosts"]]


def test_each_user_has_a_password_and_guest_is_none_of_them() -> None:
    (secret,) = [each["secret"] for each in pod()["volumes"] if "secret" in each]
    users = [each["name"] for each in DEFINITIONS["users"]]

    assert [item["path"] for item in secret["items"]] == users
    assert "guest" not in users


def test_user_may_use_its_own_queues_and_no_others() -> None:
    (permission,) = DEFINITIONS["permissions"]
    for right in ("configure", "write", "read"):
        assert re.search(permission[right], "orders")
        assert re.search(permission[right], "orders.acceptance")
        assert not re.search(permission[right], "invoices")
        assert not re.search(permission[right], "ordersx")


def test_pod_runs_as_the_user_of_the_image() -> None:
    containerfile = (EXAMPLE / "images" / "rabbitmq" / "Containerfile").read_text()
    security = pod()["securityContext"]

    assert f"USER {security['runAsUser']}:{security['runAsGroup']}\n" in containerfile


def test_container_starts_the_image_that_is_built_here() -> None:
    (container,) = pod()["containers"]

    assert container["image"] == f"docker.io/{EXAMPLE.name}/rabbitmq:1"
