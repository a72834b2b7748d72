"""`nova-cluster draft` recognises the kind that this package brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.components.registry import kinds
from nova_acceptance.draft import document, from_manifests
from nova_acceptance.draft.document import describe
from nova_rabbitmq import KIND
from nova_rabbitmq.spec import RabbitMQ

EXAMPLE = Path(__file__).parents[1]


def test_draft_says_who_connects_to_which_virtual_host(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [each for each in kinds() if each.name != KIND.name]
    monkeypatch.setattr(document, "kinds", lambda: (*known, KIND))
    made = describe(from_manifests(EXAMPLE / "manifests"), None)
    (found,) = [each for each in made.data["components"] if each["kind"] == "rabbitmq"]
    (user,) = [each for each in made.data["components"] if each["name"] == "orders"]

    assert (found["user"], found["vhost"]) == ("orders", "orders")
    assert found["password"] == {"secret": "rabbitmq-credentials", "key": "ORDERS_PASSWORD"}
    assert user["uses"] == ["rabbitmq"]
    assert RabbitMQ.model_validate({key: _frozen(it) for key, it in found.items()})


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return {key: _frozen(it) for key, it in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
