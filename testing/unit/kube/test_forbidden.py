"""What the API does not let a user do, said without the name of any one object."""

from __future__ import annotations

import json

import pytest

from nova_acceptance.errors import PodProbeError
from nova_acceptance.kube import ApiError, forbidden

USER = 'User "system:serviceaccount:default:verifier" cannot'
HOOK = 'admission webhook "no-exec.shop" denied the request: not into web-0'


def refused(asked: str, message: str, status: int = 403) -> ApiError:
    return ApiError(asked, status, json.dumps({"reason": "Forbidden", "message": message}))


@pytest.mark.parametrize(
    ("asked", "message", "said"),
    [
        (
            "GET /api/v1/nodes",
            f'nodes is forbidden: {USER} list resource "nodes" in API group ""',
            "this user may not list nodes",
        ),
        (
            "GET /api/v1/namespaces/shop/pods/web-0/exec",
            f'pods "web-0" is forbidden: {USER} create resource "pods/exec" in API group "" in the '
            'namespace "shop"',
            "this user may not create pods/exec",
        ),
        (
            "GET /api/v1/namespaces/shop/pods/web-0/exec",
            HOOK,
            "a policy of the cluster does not let this user get pods/exec",
        ),
        (
            "POST /apis/apps/v1/namespaces/shop/deployments",
            HOOK,
            "a policy of the cluster does not let this user create deployments",
        ),
        (
            "DELETE /api/v1/namespaces/shop",
            HOOK,
            "a policy of the cluster does not let this user delete namespaces",
        ),
        (
            "GET /api/v1/namespaces/shop/secrets",
            "",
            "a policy of the cluster does not let this user list secrets",
        ),
    ],
)
def test_refusal_names_verb_and_resource_alone(asked: str, message: str, said: str) -> None:
    assert refused(asked, message).forbidden == said


@pytest.mark.parametrize("status", [401, 404, 422, 500])
def test_other_answers_forbid_nothing(status: int) -> None:
    assert refused("GET /api/v1/nodes", f'{USER} list resource "nodes"', status).forbidden is None


def test_refusal_is_found_behind_what_it_led_to() -> None:
    refusal = refused("GET /api/v1/namespaces/shop/pods/web-0/exec", HOOK)
    led_to = PodProbeError("could not be run", namespace="shop", pod="web-0")
    led_to.__cause__ = refusal

    assert forbidden(led_to) is refusal
    assert forbidden(PodProbeError("not run", namespace="shop", pod="web-0")) is None
    assert forbidden(None) is None
