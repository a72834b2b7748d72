"""Redis as a test sees it, by redis-py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from nova_acceptance import timeouts
from nova_acceptance.components.redis.answers import of_error
from nova_acceptance.errors import ProbeError
from nova_acceptance.libraries import redis
from nova_acceptance.vantage.background import Answers, Background, answering
from nova_acceptance.vantage.retrying import ask_through
from nova_acceptance.vantage.routes import LOOPBACK, Route
from nova_acceptance.vantage.transcript import Transcript

Word = str | int
RETRY = 0.2
CUT = "CONNECTION_CUT"
ASKED_FOR_THE_WORD = 3
"""Times that a connection which was cut is tried again, to hear why."""
READING = frozenset(
    {
        "PING",
        "GET",
        "EXISTS",
        "INFO",
        "CONFIG GET",
        "ROLE",
        "DBSIZE",
        "SCAN",
        "ACL WHOAMI",
        "ACL USERS",
        "SENTINEL GET-MASTER-ADDR-BY-NAME",
        "SENTINEL CKQUORUM",
    }
)
"""Commands that change nothing, and so are all that a run takes which only reads."""
REPEATABLE = READING | {"SET", "DEL"}
"""Commands whose second execution changes nothing more."""


class Redis:
    """One Redis behind one route.

    Args:
        route: leads to it.
        password: what it should accept; None where it demands none.
        transcript: who takes down what is asked.
        user: of its ACL, whose password it is; None for the one that has no name.
        speaks_tls: whether it is asked by TLS; whose its certificate is, is not judged here.
        number: of the database.
    """

    def __init__(
        self,
        route: Route,
        password: str | None,
        transcript: Transcript,
        *,
        user: str | None = None,
        speaks_tls: bool = False,
        number: int = 0,
    ) -> None:
        self._route = route
        self._transcript = transcript
        self._asked_as: dict[str, Any] = {"username": user, "db": number}
        if speaks_tls:
            self._asked_as |= {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False}
        self._client = self._connected(password)
        self._refusals = Answers[str | None, str](transcript, answering(self.refusal))

    @property
    def answers_ping(self) -> bool:
        """Whether it answers PING, with its password given."""
        return self.ask("PING") is True

    def ask(self, *command: Word) -> Any:
        """Return the reply to a command.

        Raises:
            redis.RedisError: Redis refused it.
            UnaskedError: it may change something, in a run that only reads.
            ProbeError: nothing answered.
        """
        return self._ask(self._client, *command)

    def once_back(self, *command: Word, within: float = timeouts.ENDPOINT_FOLLOWS) -> Any:
        """Return the reply to a command; ask again until Redis answers.

        Args:
            command: the command and its arguments.
            within: seconds after which it is not asked again.

        Raises:
            redis.RedisError: Redis refused it.
            ProbeError: nothing answered in time.
        """
        return Retrying(
            retry=retry_if_exception_type(ProbeError),
            stop=stop_after_delay(within),
            wait=wait_fixed(RETRY),
            reraise=True,
        )(self.ask, *command)

    def info(self, section: str) -> dict[str, Any]:
        """Return a section of INFO."""
        found: dict[str, Any] = self.ask("INFO", section)
        return found

    def refusal_over_the_network(self, password: str | None) -> str:
        """Return the same of who connects as the system's own clients do, asked once.

        Raises:
            UnaskedError: the way there ends on the loopback of Redis' pod.
        """
        self._route.require_network()
        return self._refusals.told(password)

    def foresee_refusals(self, background: Background, passwords: Iterable[str | None]) -> None:
        """Try passwords over the network, in the background, that tests are going to ask about."""
        if not self._route.instead_of:
            self._refusals.foresee(background, passwords)

    def refusal(self, password: str | None) -> str:
        """Return the error with which PING is refused under this password; empty if it is not."""
        client = self._connected(password)
        try:
            self._ask(client, "PING")
        except redis.RedisError as error:
            return str(error)
        finally:
            client.close()
        return ""

    def close(self) -> None:
        """Close what is open."""
        self._client.close()

    def _connected(self, password: str | None) -> redis.Redis:
        return redis.Redis(
            host=LOOPBACK,
            port=self._route.port,
            password=password,
            socket_timeout=timeouts.CONNECT,
            socket_connect_timeout=timeouts.CONNECT,
            decode_responses=True,
            # Nothing but what is asked: no greeting before it, no second try after it.
            protocol=2,
            driver_info=None,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), retries=0),
            **self._asked_as,
        )

    def _ask(self, client: redis.Redis, *command: Word) -> Any:
        words = [str(word) for word in command]
        named = {words[0], " ".join(words[:2])}
        if READING.isdisjoint(named):
            self._route.require_writing()
        spelled = " ".join(words)
        source, target = self._route.source, self._route.target
        with self._transcript.asking(spelled, source=source, target=target) as asking:
            try:
                reply = ask_through(
                    self._route,
                    lambda: _executed(client, *command),
                    is_silence=_is_silence,
                    is_safe=not REPEATABLE.isdisjoint(named),
                )
            except redis.AuthenticationError:
                raise
            except (redis.ConnectionError, redis.TimeoutError) as error:
                raise ProbeError(
                    f"Redis at {target} did not answer {command[0]} from {source}",
                    hint="`kubectl get pods,endpointslices -A` shows what is behind it",
                    evidence=[str(error)],
                ) from error
            asking.answered(reply)
            return reply


def _executed(client: redis.Redis, *command: Word) -> Any:
    try:
        return client.execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.ConnectionError as error:
        # To one client too many Redis says why and closes at once: whether the word arrives before
        # the reset is chance. What was cut stays cut; it is asked again only for that word.
        if _cause(error) == CUT:
            for _ in range(ASKED_FOR_THE_WORD):
                _raise_the_word(client, error)
        raise


def _raise_the_word(client: redis.Redis, error: redis.ConnectionError) -> None:
    try:
        client.execute_command("PING")  # type: ignore[no-untyped-call]
    except redis.RedisError as told:
        if _cause(told) not in (None, CUT):
            raise told from error


def _cause(error: redis.RedisError) -> str | None:
    shown = of_error(error)
    return shown.cause if shown else None


def _is_silence(error: Exception) -> bool:
    is_refusal = isinstance(error, redis.AuthenticationError)
    return isinstance(error, redis.ConnectionError | redis.TimeoutError) and not is_refusal
