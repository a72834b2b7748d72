"""What is done where nothing can be asked from inside pods: port-forwards, and no false answer."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.policies import distinguishing
from nova_acceptance.errors import ApplyError, ClusterError, ProbeError, UnaskedError
from nova_acceptance.kube import ApiError, Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.routes import RUNNER, Route
from nova_acceptance.verification.rights import unasked_of

POD: Object = {
    "kind": "Pod",
    "metadata": {"namespace": "shop", "name": "web-0", "labels": {"app": "web"}},
}


def policy(namespace: str, spec: dict[str, Any]) -> Object:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": "rule"},
        "spec": {"podSelector": {}, **spec},
    }


@pytest.mark.parametrize(
    ("there", "tells_apart"),
    [
        (policy("shop", {}), False),
        (policy("shop", {"policyTypes": ["Egress"]}), False),
        (policy("shop", {"podSelector": {"matchLabels": {"app": "web"}}}), False),
        (
            policy(
                "shop",
                {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]},
            ),
            True,
        ),
        (
            policy(
                "shop",
                {"podSelector": {"matchLabels": {"app": "tax"}}, "policyTypes": ["Egress"]},
            ),
            False,
        ),
        (
            policy(
                "shop",
                {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]},
            ),
            True,
        ),
        (
            policy(
                "data",
                {"ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]},
            ),
            False,  # of pods of its own namespace
        ),
        (
            policy(
                "data",
                {
                    "ingress": [
                        {
                            "from": [
                                {
                                    "namespaceSelector": {},
                                    "podSelector": {"matchLabels": {"app": "web"}},
                                }
                            ]
                        }
                    ]
                },
            ),
            True,
        ),
        (policy("data", {"ingress": [{"from": [{"namespaceSelector": {}}]}]}), False),
        (policy("data", {"ingress": [{}]}), False),
    ],
)
def test_policies_that_tell_a_probe_pod_from_the_pod(there: Object, *, tells_apart: bool) -> None:
    snapshot = Snapshot()
    snapshot.update("ADDED", there)

    assert distinguishing(snapshot, POD) == ([there] if tells_apart else [])


def test_who_is_let_in_is_not_asked_through_a_port_forward() -> None:
    instead = UnaskedError("no place")
    with pytest.raises(UnaskedError, match="no place"):
        Route(1, RUNNER, "data/cache-0:6379", instead_of=instead).require_network()

    Route(1, "shop/web-0", "cache:6379").require_network()


REFUSED = ApiError("GET /api/v1/nodes", 403, '{"message": "cannot list resource \\"nodes\\""}')


def because(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error", [REFUSED, because(ProbeError("not run"), REFUSED), because(ClusterError("?"), REFUSED)]
)
def test_question_that_the_api_forbids_is_not_asked(error: Exception) -> None:
    found = unasked_of(error)

    assert found
    assert found.message == "this user may not list nodes"
    assert REFUSED.message in found.evidence


@pytest.mark.parametrize(
    "error",
    [
        ApiError("GET /api/v1/nodes", 500, b""),
        ProbeError("not run"),
        because(ApplyError("not deployed"), REFUSED),
        because(AssertionError("wrong"), REFUSED),
    ],
)
def test_what_shows_something_else_stands(error: Exception) -> None:
    assert unasked_of(error) is None


def test_what_says_itself_that_it_was_not_asked_is_taken_as_it_is() -> None:
    said = UnaskedError("nowhere to ask from")

    assert unasked_of(said) is said
