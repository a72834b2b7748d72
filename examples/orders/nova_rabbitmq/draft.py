"""Recognising a RabbitMQ that no nova.yaml names."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access

PORT: Final = 5672
_IMAGE: Final = re.compile(r"(^|[-_.])rabbitmq([-_.]|$)")
_PASSWORD: Final = ("RABBITMQ_DEFAULT_PASS", "RABBITMQ_PASSWORD")
_USER: Final = ("RABBITMQ_DEFAULT_USER", "RABBITMQ_USERNAME")


def recognises(candidate: Candidate) -> int:
    """Return how sure it is that a workload runs a RabbitMQ: by its image and its port."""
    if PORT in candidate.ports:
        return 3 if candidate.is_of_image(_IMAGE) else 2
    return 2 if "rabbitmq" in candidate.images else 0


def draft(candidate: Candidate, access: Access | None) -> Drafted:  # noqa: ARG001 - of all kinds
    """Return what nova.yaml says of it: who connects to which virtual host, as URLs say."""
    drafted = Drafted({"services": candidate.service_fields("amqp", PORT)})
    drafted.fields |= _login(candidate)
    homes = candidate.password_homes(*_PASSWORD)
    if homes:
        drafted.fields["password"] = homes[0]
    else:
        drafted.fields["password"] = {"secret": "secret-to-be-named", "key": _PASSWORD[0]}
        drafted.remark("No Secret that it is given holds its password.", is_unknown=True)
    drafted.remark("Which queues there must be, and what may be declared, is for `queues`.")
    return drafted


def _login(candidate: Candidate) -> dict[str, Any]:
    """Return the user and the virtual host of the first URL that leads to it."""
    for link in candidate.incoming:
        if link.address.scheme in ("amqp", "amqps") and link.address.user:
            vhost = unquote(link.address.path.removeprefix("/"))
            return {"user": unquote(link.address.user), **({"vhost": vhost} if vhost else {})}
    named = candidate.variable(*_USER)
    return {"user": named.shape if named and named.holder.kind != "Secret" else "guest"}
