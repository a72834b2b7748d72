"""What the client takes for an answer, and what for no answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from pika import spec

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from nova_rabbitmq.answers import Login, Refusal, RefusedError
from nova_rabbitmq.client import SILENCE, RabbitMQ, Server
from tests.scripted_broker import Broker, Replies, Reply, refused, shut_out

LOGIN = Login("orders", "a-password-of-nobody", "orders")
LOGIN_REFUSED = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN."
NO_VHOST = "NOT_ALLOWED - vhost none not found"
NO_PERMISSION = "NOT_ALLOWED - access to vhost 'orders' refused for user 'orders'"
NO_QUEUE = "NOT_FOUND - no queue 'q' in vhost 'orders'"
LOCKED = "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost 'orders'."
FORBIDDEN = "ACCESS_REFUSED - access to queue 'q' in vhost 'orders' refused for user 'orders'"


def asking(broker: Broker, transcript: Transcript | None = None) -> RabbitMQ:
    return RabbitMQ(
        Route(broker.port, "runner", "queue/q-0:5672"), LOGIN, transcript or Transcript()
    )


def test_login_that_is_taken_is_no_refusal() -> None:
    with Broker() as broker:
        assert asking(broker).login_refusal() is None


@pytest.mark.parametrize(
    ("replies", "text"),
    [
        ({spec.Connection.StartOk: shut_out(403, LOGIN_REFUSED)}, LOGIN_REFUSED),
        ({spec.Connection.Open: shut_out(530, NO_VHOST)}, NO_VHOST),
        ({spec.Connection.Open: shut_out(530, NO_PERMISSION)}, NO_PERMISSION),
    ],
)
def test_login_is_refused_in_the_brokers_words(replies: Replies, text: str) -> None:
    with Broker(replies) as broker:
        refusal = asking(broker).login_refusal()

    assert refusal == Refusal(text.partition(" - ")[0], text)


@pytest.mark.parametrize("method", [spec.Connection.StartOk, spec.Connection.Open])
def test_connection_that_is_cut_at_the_login_is_no_answer(method: type) -> None:
    """The library takes it for a refusal, too, and would have the password be wrong."""
    with Broker({method: None}) as broker, pytest.raises(ProbeError) as error:
        asking(broker).login_refusal()

    assert not isinstance(error.value, RefusedError)


def test_closed_port_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    route = Route(port, "runner", "queue/q-0:5672")

    with pytest.raises(ProbeError, match="did not answer") as error:
        RabbitMQ(route, LOGIN, Transcript()).login_refusal()
    assert "Connection refused" in str(error.value)


def test_broker_that_falls_silent_is_given_up() -> None:
    started = time.monotonic()

    with Broker({spec.Queue.Declare: []}) as broker, pytest.raises(ProbeError, match="heartbeat"):
        asking(broker).has_queue("q")
    assert time.monotonic() - started < SILENCE + 1


def test_server_says_its_version() -> None:
    with Broker() as broker:
        assert asking(broker).server() == Server("RabbitMQ", "3.10.8", "")


def test_version_is_no_answer_where_nobody_is_let_in() -> None:
    replies = {spec.Connection.StartOk: shut_out(403, LOGIN_REFUSED)}
    with Broker(replies) as broker, pytest.raises(RefusedError) as error:
        asking(broker).server()

    assert error.value.refusal.text == LOGIN_REFUSED


@pytest.mark.parametrize(
    ("reply", "is_there"),
    [
        ([spec.Queue.DeclareOk("q", 0, 0)], True),
        (refused(405, LOCKED), True),
        (refused(404, NO_QUEUE), False),
    ],
)
def test_queue_is_looked_for_without_making_it(reply: Reply, is_there: bool) -> None:
    with Broker({spec.Queue.Declare: reply}) as broker:
        assert asking(broker).has_queue("q") is is_there
        (declared,) = [each for each in broker.asked if isinstance(each, spec.Queue.Declare)]
    assert declared.passive


def test_queue_that_may_not_be_looked_for_is_neither_there_nor_away() -> None:
    replies = {spec.Queue.Declare: refused(403, FORBIDDEN)}
    with Broker(replies) as broker, pytest.raises(RefusedError):
        asking(broker).has_queue("q")


def test_declaration_that_is_forbidden_is_an_answer() -> None:
    with Broker({spec.Queue.Declare: refused(403, FORBIDDEN)}) as broker:
        assert asking(broker).declare_refusal("q") == Refusal("ACCESS_REFUSED", FORBIDDEN)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ([spec.Basic.Ack(1)], None),
        ([spec.Basic.Nack(1)], "NOT_CONFIRMED"),
        ([(spec.Basic.Return(312, "NO_ROUTE", "", "q"), b"m"), spec.Basic.Ack(1)], "NO_ROUTE"),
        (refused(403, FORBIDDEN), "ACCESS_REFUSED"),
    ],
)
def test_message_is_taken_once_it_is_confirmed(reply: Reply, word: str | None) -> None:
    with Broker({spec.Basic.Publish: reply}) as broker:
        refusal = asking(broker).publish_refusal(b"m", key="q")

    assert (refusal.word if refusal else None) == word


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("low on memory", "AMQP_MEMORY_ALARM"), ("low on disk", "AMQP_DISK_ALARM")],
)
def test_publisher_that_is_held_up_hears_why(
    reason: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "CONNECT", 0.5)
    with Broker({spec.Basic.Publish: [spec.Connection.Blocked(reason)]}) as broker:
        refusal = asking(broker).publish_refusal(b"m", key="q")

    assert refusal is not None
    assert (refusal.word, refusal.cause) == ("BLOCKED", cause)
    assert reason in refusal.text


def test_message_comes_out_of_the_queue_that_it_went_into() -> None:
    replies: Replies = {
        spec.Basic.Publish: [spec.Basic.Ack(1)],
        spec.Basic.Get: [(spec.Basic.GetOk(1, False, "", "q", 0), b"m")],
    }
    with Broker(replies) as broker:
        assert asking(broker).passed_on(b"m", queue="q") == b"m"
        (declared,) = [each for each in broker.asked if isinstance(each, spec.Queue.Declare)]
    assert declared.exclusive


def test_empty_queue_gives_nothing() -> None:
    with Broker({spec.Basic.Get: [spec.Basic.GetEmpty()]}) as broker:
        assert asking(broker).fetch("q") is None


def test_evidence_has_the_question_and_the_answer_and_no_password() -> None:
    transcript = Transcript()
    kept: list[Evidence] = []
    replies = {spec.Connection.StartOk: shut_out(403, LOGIN_REFUSED)}
    with Broker(replies) as broker, transcript.listening(kept.append):
        asking(broker, transcript).login_refusal()

    (evidence,) = kept
    assert evidence.asked == "connection.open of vhost orders as orders"
    assert evidence.answer == LOGIN_REFUSED
    assert LOGIN.password not in f"{evidence} {LOGIN}"


@pytest.mark.parametrize(
    "changing",
    [
        lambda it: it.declare_refusal("q"),
        lambda it: it.delete_refusal("q"),
        lambda it: it.publish_refusal(b"it", key="q"),
        lambda it: it.fetch("q"),
        lambda it: it.fetch_refusal("q"),
        lambda it: it.passed_on(b"it", queue="q"),
    ],
)
def test_nothing_is_changed_along_a_route_that_is_for_reading(
    changing: Callable[[RabbitMQ], object],
) -> None:
    with Broker() as broker:
        route = Route(broker.port, "runner", "queue/q-0:5672", is_read_only=True)
        reading = RabbitMQ(route, LOGIN, Transcript())
        assert reading.has_queue("q")
        with pytest.raises(UnaskedError, match="--read-only"):
            changing(reading)
