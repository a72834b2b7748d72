"""The keys that tests write, by a name that is nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.etcd.spec import Etcd

_PREFIX: Final = "/nova-acceptance/"


def new_key() -> str:
    """Return a key of nobody's."""
    return f"{_PREFIX}{uuid4()}"


def clear(members: Mapping[str, Member], _spec: Etcd) -> list[str]:
    """Remove what tests have left that were killed, and return the names."""
    member, *_ = members.values()
    removed = member.keys(_PREFIX)
    for key in removed:
        member.delete(key)
    return [f"key {key}" for key in removed]
