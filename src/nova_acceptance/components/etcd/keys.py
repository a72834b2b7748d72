"""The keys that tests write, by a name that is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from nova_acceptance.components.etcd.checks import disunity
from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.findings import FindingError

_PREFIX: Final = "/nova-acceptance/"


def new_key(members: Mapping[str, Member], spec: Etcd) -> str:
    """Return a key of nobody's, for members that agree.

    Raises:
        FindingError: they do not; then nothing is written through them.
    """
    for found in disunity(members, spec):
        raise FindingError(found)
    return f"{_PREFIX}{uuid4()}"


@contextmanager
def own_key(members: Mapping[str, Member], spec: Etcd) -> Iterator[str]:
    """Have such a key, which is gone at the end."""
    key = new_key(members, spec)
    try:
        yield key
    finally:
        next(iter(members.values())).delete(key)


def clear(members: Mapping[str, Member], _spec: Etcd) -> list[str]:
    """Remove what tests have left that were killed, and return the names."""
    member, *_ = members.values()
    removed = member.keys(_PREFIX)
    for key in removed:
        member.delete(key)
    return [f"key {key}" for key in removed]
