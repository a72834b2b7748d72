"""When a cluster that is there is taken, and when it is made anew."""

from __future__ import annotations

import pytest

from nova_acceptance.cluster.kind.cluster import Node
from nova_acceptance.cluster.kind.provider import _is_wanted
from nova_acceptance.cluster.model import Request

NOW = "nova/kind:v1.20.2-0123456789ab"
BEFORE = "nova/kind:v1.20.2-ba9876543210"
BROUGHT = "kindest/node:v1.36.2"


@pytest.mark.parametrize(
    ("request_", "there", "taken"),
    [
        (Request(), [NOW] * 3, True),
        (Request(), [NOW], True),  # as many nodes as it has, unless told otherwise
        (Request(nodes=3), [NOW], False),
        (Request(nodes=3), [NOW] * 3, True),
        (Request(), [BEFORE] * 3, False),  # images/ has changed since
        (Request(), [BROUGHT] * 3, True),  # somebody brought it along on purpose
        (Request(node_image=BROUGHT), [BROUGHT] * 3, True),
        (Request(node_image=BROUGHT), [NOW] * 3, False),
    ],
)
def test_cluster_is_taken_as_it_is_unless_something_else_is_asked_for(
    request_: Request, there: list[str], taken: bool
) -> None:
    nodes = [Node(f"nova-{number}", image, "running") for number, image in enumerate(there)]

    assert _is_wanted(nodes, request_, request_.node_image or NOW) is taken
