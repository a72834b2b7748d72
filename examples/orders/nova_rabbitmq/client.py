"""RabbitMQ as a test sees it, by pika.

Each question has a connection of its own: what one does to a channel or a connection, a refusal
above all, is not seen by the next.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import (
    AMQPError,
    ChannelClosedByBroker,
    ConnectionBlockedTimeout,
    ConnectionClosedByBroker,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage.retrying import ask_through
from nova_acceptance.vantage.routes import LOOPBACK, Route
from nova_acceptance.vantage.transcript import Transcript
from nova_rabbitmq.answers import (
    BLOCKED,
    NO_ROUTE,
    NOT_CONFIRMED,
    NOT_FOUND,
    RESOURCE_LOCKED,
    Login,
    Refusal,
    RefusedError,
)

T = TypeVar("T")

HEARTBEAT: Final = 2
"""Seconds within which either side shows that it lives, in whatever it was asked."""
SILENCE: Final = 2 * (HEARTBEAT + 5)
"""Seconds after which pika gives up a broker that shows nothing (`pika.heartbeat`)."""
DEFAULT_EXCHANGE: Final = ""
PERSISTENT: Final = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)

_CLOSED: Final = re.compile(r"ConnectionClosedByBroker: \(\d+\) (['\"])(?P<text>.*)\1")
"""How pika quotes the broker's word where it guesses why a connection was closed at its start."""

# What it logs as errors, refusals above all, are answers here.
logging.getLogger("pika").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Server:
    """What a broker says of itself when a connection begins.

    Attributes:
        product: its name, `RabbitMQ`.
        version: such as `3.10.8`.
        platform: what it runs on, such as `Erlang/OTP 25.2.3`.
    """

    product: str
    version: str
    platform: str


class RabbitMQ:
    """One broker behind one route, as one user in one vhost.

    Args:
        route: the way to it.
        login: who asks.
        transcript: who takes down what is asked.
    """

    def __init__(self, route: Route, login: Login, transcript: Transcript) -> None:
        self._route = route
        self._login = login
        self._transcript = transcript

    def login_refusal(self, login: Login | None = None) -> Refusal | None:
        """Return why a user is not let into a vhost; None where they are.

        Args:
            login: somebody else than who asks the other questions.

        Raises:
            ProbeError: nothing answered.
        """
        login = login or self._login
        asked = f"connection.open of vhost {login.vhost} as {login.user}"
        return self._refusal(asked, lambda _: None, login=login)

    def server(self) -> Server:
        """Return what the broker says of itself.

        Raises:
            ProbeError: nothing answered, or it let nobody in.
        """
        return self._wanted("its properties", _server)

    def has_queue(self, queue: str) -> bool:
        """Whether a queue is there, without making one.

        One that another connection has for itself alone is there, too.

        Raises:
            ProbeError: nothing answered, or it let nobody in.
        """
        refusal = self._refusal(
            f"queue.declare {queue}, passive",
            lambda channel: channel.queue_declare(queue, passive=True),
        )
        if refusal is None or refusal.word == RESOURCE_LOCKED:
            return True
        if refusal.word == NOT_FOUND:
            return False
        raise RefusedError(f"queue {queue}", refusal, self._route.target)

    def declare_refusal(
        self, queue: str, *, durable: bool = False, exclusive: bool = False
    ) -> Refusal | None:
        """Return why a queue cannot be declared; None where it is there now.

        Args:
            queue: its name.
            durable: whether it outlives the broker.
            exclusive: whether it is the connection's alone, and ends with it: it is gone when
                this answers.

        Raises:
            UnaskedError: this run only reads.
            ProbeError: nothing answered.
        """
        self._route.require_writing()
        kinds = [
            kind for kind, wanted in (("durable", durable), ("exclusive", exclusive)) if wanted
        ]
        return self._refusal(
            ", ".join([f"queue.declare {queue}", *kinds]),
            lambda channel: channel.queue_declare(queue, durable=durable, exclusive=exclusive),
        )

    def delete_refusal(self, queue: str) -> Refusal | None:
        """Return why a queue cannot be deleted; None where it is gone, or was not there.

        Raises:
            UnaskedError: this run only reads.
            ProbeError: nothing answered.
        """
        self._route.require_writing()
        return self._refusal(f"queue.delete {queue}", lambda channel: channel.queue_delete(queue))

    def publish_refusal(
        self, body: bytes, *, key: str, exchange: str = DEFAULT_EXCHANGE
    ) -> Refusal | None:
        """Return why a message was not taken; None where the broker has confirmed it.

        It is persistent and mandatory: a durable queue has it on disk when it is confirmed, and
        where no queue takes it, it is refused with `NO_ROUTE`.

        Args:
            body: the message.
            key: the routing key; at the default exchange a queue's name.
            exchange: the exchange's name.

        Raises:
            UnaskedError: this run only reads.
            ProbeError: nothing answered; whether the message was taken is not known.
        """
        self._route.require_writing()
        return self._refusal(
            f"basic.publish {exchange or '(default)'} {key}, {len(body)} bytes",
            lambda channel: _publish(channel, exchange, key, body),
            is_safe=False,
        )

    def fetch(self, queue: str) -> bytes | None:
        """Return the first message of a queue and take it out; None where the queue is empty.

        Raises:
            UnaskedError: this run only reads.
            ProbeError: nothing answered, or it refused.
        """
        self._route.require_writing()
        return self._wanted(
            f"basic.get {queue}", lambda channel: _fetched(channel, queue), is_safe=False
        )

    def fetch_refusal(self, queue: str) -> Refusal | None:
        """Return why messages of a queue may not be read; None where they may.

        The message stays in its queue.

        Raises:
            UnaskedError: this run only reads.
            ProbeError: nothing answered.
        """
        self._route.require_writing()
        # What is not acknowledged goes back when the channel ends.
        return self._refusal(f"basic.get {queue}", lambda channel: channel.basic_get(queue))

    def passed_on(self, body: bytes, *, queue: str) -> bytes | Refusal | None:
        """Publish a message through a queue of this question's own, and fetch it from there.

        Args:
            body: the message.
            queue: the queue's name, which nobody else uses; it is gone afterwards.

        Returns:
            What came out of the queue, None where nothing did, or the first refusal.

        Raises:
            UnaskedError: this run only reads.
            ProbeError: nothing answered.
        """
        self._route.require_writing()

        def pass_on(channel: BlockingChannel) -> bytes | None:
            channel.queue_declare(queue, exclusive=True)
            _publish(channel, DEFAULT_EXCHANGE, queue, body)
            return _fetched(channel, queue)

        return self._answer(f"a message through {queue}", pass_on)

    def _wanted(
        self, asked: str, question: Callable[[BlockingChannel], T], *, is_safe: bool = True
    ) -> T:
        """Return an answer where a refusal is none."""
        found = self._answer(asked, question, is_safe=is_safe)
        if isinstance(found, Refusal):
            raise RefusedError(asked, found, self._route.target)
        return found

    def _refusal(
        self,
        asked: str,
        question: Callable[[BlockingChannel], object],
        *,
        login: Login | None = None,
        is_safe: bool = True,
    ) -> Refusal | None:
        def ask(channel: BlockingChannel) -> str:
            question(channel)
            return "ok"

        found = self._answer(asked, ask, login=login, is_safe=is_safe)
        return found if isinstance(found, Refusal) else None

    def _answer(
        self,
        asked: str,
        question: Callable[[BlockingChannel], T],
        *,
        login: Login | None = None,
        is_safe: bool = True,
    ) -> T | Refusal:
        login = login or self._login
        source, target = self._route.source, self._route.target
        with self._transcript.asking(asked, source=source, target=target) as asking:
            try:
                found: T | Refusal = ask_through(
                    self._route,
                    lambda: _asked(self._route.port, login, question),
                    is_silence=lambda error: isinstance(error, AMQPError),
                    is_safe=is_safe,
                )
            except AMQPError as error:
                raise ProbeError(
                    f"RabbitMQ at {target} did not answer {asked} from {source}",
                    hint="`kubectl get pods,endpoints -A` shows what is behind it",
                    evidence=[repr(error)],
                ) from error
            asking.answered("nothing" if found is None else found)
            return found


def _asked(port: int, login: Login, question: Callable[[BlockingChannel], T]) -> T | Refusal:
    """Ask on a connection of its own; a refusal, at the login too, is an answer.

    Raises:
        AMQPError: nothing answered.
    """
    parameters = pika.ConnectionParameters(
        host=LOOPBACK,
        port=port,
        virtual_host=login.vhost,
        credentials=pika.PlainCredentials(login.user, login.password),
        connection_attempts=1,
        socket_timeout=timeouts.CONNECT,
        stack_timeout=timeouts.CONNECT,
        blocked_connection_timeout=timeouts.CONNECT,
        heartbeat=HEARTBEAT,
    )
    blocked: list[str] = []
    try:
        with _connected(parameters) as connection:
            # Not by the method of the same name: it would tell after the wait for a confirm.
            connection._impl.add_on_connection_blocked_callback(
                lambda _, frame: blocked.append(str(frame.method.reason))
            )
            return question(connection.channel())
    except UnroutableError as error:
        return Refusal(NO_ROUTE, f"{NO_ROUTE} - {error}")
    except NackError as error:
        return Refusal(NOT_CONFIRMED, f"{NOT_CONFIRMED} - {error}")
    except ConnectionBlockedTimeout:
        return Refusal(BLOCKED, f"{BLOCKED} - publishers wait: {', '.join(blocked)}")
    except (ChannelClosedByBroker, ConnectionClosedByBroker) as error:
        return Refusal.of(error.reply_text)
    except (ProbableAuthenticationError, ProbableAccessDeniedError) as error:
        if said := _CLOSED.search(str(error)):
            return Refusal.of(said["text"])
        raise


@contextmanager
def _connected(parameters: pika.ConnectionParameters) -> Iterator[BlockingConnection]:
    connection = BlockingConnection(parameters)
    try:
        yield connection
    finally:
        if connection.is_open:
            connection.close()


def _server(channel: BlockingChannel) -> Server:
    # pika keeps them to itself: `connection.start` has them, and no method gives them out.
    properties = channel.connection._impl.server_properties or {}
    product, version, platform = (
        str(properties.get(name, "")) for name in ("product", "version", "platform")
    )
    return Server(product, version, platform)


def _publish(channel: BlockingChannel, exchange: str, key: str, body: bytes) -> None:
    channel.confirm_delivery()
    channel.basic_publish(exchange, key, body, PERSISTENT, mandatory=True)


def _fetched(channel: BlockingChannel, queue: str) -> bytes | None:
    _, _, body = channel.basic_get(queue, auto_ack=True)
    return body
