"""What is wrong with a RabbitMQ, by what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import uuid4

from nova_acceptance.checks import check
from nova_acceptance.components.kind import Check
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase
from nova_rabbitmq.answers import ACCESS_REFUSED, Login, Refusal
from nova_rabbitmq.client import RabbitMQ
from nova_rabbitmq.spec import RabbitMQ as Spec

WRONG: Final = "not-the-password"
SENT: Final = b"kept"


@check
def refused_login(rabbitmq: RabbitMQ, spec: Spec) -> Iterator[Finding]:
    """Find a RabbitMQ that does not let its user into the virtual host."""
    if refusal := rabbitmq.login_refusal():
        sentence = Phrase(
            "{user} is not let into the virtual host {vhost}: {said}",
            user=spec.user,
            vhost=spec.vhost,
            said=refusal.text,
        )
        yield _of(refusal, sentence)


@check
def accepted_wrong_password(rabbitmq: RabbitMQ, spec: Spec) -> Iterator[Finding]:
    """Find a RabbitMQ that lets its user in with another password, too."""
    yield from refused_login(rabbitmq, spec)
    refusal = rabbitmq.login_refusal(Login(spec.user, WRONG, spec.vhost))
    if refusal is None or refusal.word != ACCESS_REFUSED:
        said = refusal.text if refusal else "connection.open-ok"
        sentence = Phrase(
            "to {user} with a wrong password RabbitMQ says {said}", user=spec.user, said=said
        )
        yield Finding("AMQP_ANY_PASSWORD", NOWHERE, sentence)


@check
def wrong_version(rabbitmq: RabbitMQ, spec: Spec) -> Iterator[Finding]:
    """Find a RabbitMQ of another version than nova.yaml says."""
    found = rabbitmq.server().version
    if spec.version and not found.startswith(spec.version):
        sentence = Phrase(
            "RabbitMQ is version {found}, where nova.yaml says {wanted}",
            found=found,
            wanted=spec.version,
        )
        yield Finding("RABBITMQ_VERSION_WRONG", NOWHERE, sentence)


@check
def missing_queue(rabbitmq: RabbitMQ, queue: str) -> Iterator[Finding]:
    """Find a queue that applications use and that RabbitMQ does not have."""
    if not rabbitmq.has_queue(queue):
        sentence = Phrase("there is no queue {queue}", queue=queue)
        yield Finding("AMQP_QUEUE_MISSING", NOWHERE, sentence)


@check
def lost_message(rabbitmq: RabbitMQ, spec: Spec) -> Iterator[Finding]:
    """Find a RabbitMQ in which a message that is sent is not the one that is received."""
    queue = _new_name(spec.prefix)
    received = rabbitmq.passed_on(SENT, queue=queue)
    if isinstance(received, Refusal):
        sentence = Phrase(
            "{user} may not send and receive a message through the queue {queue}: {said}",
            user=spec.user,
            queue=queue,
            said=received.text,
        )
        yield _of(received, sentence)
    elif received != SENT:
        sentence = Phrase(
            "{sent} was sent through the queue {queue}, and {received} was received",
            sent=SENT.decode(),
            queue=queue,
            received=repr(received),
        )
        yield Finding("AMQP_MESSAGE_LOST", NOWHERE, sentence)


@check
def needless_permission(rabbitmq: RabbitMQ, spec: Spec) -> Iterator[Finding]:
    """Find a user who may declare a queue that does not begin with the prefix in nova.yaml."""
    yield from refused_login(rabbitmq, spec)
    queue = _new_name("")
    refusal = rabbitmq.declare_refusal(queue, exclusive=True)
    if refusal is None or refusal.word != ACCESS_REFUSED:
        said = refusal.text if refusal else "queue.declare-ok"
        sentence = Phrase(
            "RabbitMQ says {said} where {user} declares the queue {queue}, which does not begin"
            " with {prefix}",
            said=said,
            user=spec.user,
            queue=queue,
            prefix=spec.prefix,
        )
        yield Finding("AMQP_PERMISSION_EXCESS", NOWHERE, sentence)


CHECKS: Final = (
    Check(refused_login),
    Check(accepted_wrong_password),
    Check(wrong_version, parts=lambda spec: (spec,) if spec.version else ()),
    Check(missing_queue, parts=lambda spec: spec.queues),
    # An exclusive queue is its connection's alone, and gone with it.
    Check(lost_message, writes=True),
    Check(needless_permission, parts=lambda spec: (spec,) if spec.prefix else (), writes=True),
)


def _new_name(prefix: str | None) -> str:
    """Return the name of a queue that nobody else has."""
    return f"{prefix or ''}nova-acceptance-{uuid4().hex[:8]}"


def _of(refusal: Refusal, sentence: Phrase) -> Finding:
    return Finding(refusal.cause or "AMQP_PERMISSION_MISSING", NOWHERE, sentence)
