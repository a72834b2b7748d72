"""The kinds of components, a room each: all that is known of Redis is in `redis`.

`kubernetes`, `network` and `dns` are what every system stands on.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Final

from nova_acceptance.components.dns import rules as dns
from nova_acceptance.components.etcd import rules as etcd
from nova_acceptance.components.kubernetes import (
    admission,
    api,
    certificates,
    configuration,
    control_plane,
    endpoints,
    images,
    leftovers,
    nodes,
    presence,
    programs,
    references,
    scheduling,
    selection,
    services,
    startup,
    storage,
    urls,
)
from nova_acceptance.components.network import rules as network
from nova_acceptance.components.postgres import answers as postgres_answers
from nova_acceptance.components.postgres import rules as postgres
from nova_acceptance.components.redis import answers as redis_answers
from nova_acceptance.components.redis import rules as redis
from nova_acceptance.findings import Finding
from nova_acceptance.vantage import answers as connections

RULES: Final[tuple[ModuleType, ...]] = (
    presence,
    nodes,
    control_plane,
    storage,
    scheduling,
    admission,
    images,
    references,
    startup,
    programs,
    configuration,
    urls,
    certificates,
    services,
    selection,
    endpoints,
    network,
    dns,
    etcd,
    postgres,
    redis,
    leftovers,
)
"""The modules whose rules look at a snapshot of the API."""

ANSWERS: Final[tuple[Callable[[BaseException], Finding | None], ...]] = (
    postgres_answers.of_error,
    redis_answers.of_error,
    api.of_error,
    connections.of_error,
)
"""What an error shows; None where it is of another kind."""
