"""What RabbitMQ's words are taken for, and what is told of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nova_rabbitmq import answers
from nova_rabbitmq.answers import Refusal

CAUSES = tomllib.loads((Path(answers.__file__).parent / "causes.toml").read_text(encoding="utf-8"))
TEXTS = ("title", "symptom", "cure")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details "
            "see the broker logfile.",
            "AMQP_PASSWORD_REFUSED",
        ),
        ("NOT_ALLOWED - vhost none not found", "AMQP_VHOST_MISSING"),
        (
            "NOT_ALLOWED - access to vhost 'orders' refused for user 'orders'",
            "AMQP_PERMISSION_MISSING",
        ),
        (
            "ACCESS_REFUSED - access to exchange 'amq.topic' in vhost 'orders' refused for user "
            "'orders'",
            "AMQP_PERMISSION_MISSING",
        ),
        ("NOT_FOUND - no queue 'orders' in vhost 'orders'", "AMQP_QUEUE_MISSING"),
        ("NO_ROUTE - 1 unroutable message(s) returned", "AMQP_QUEUE_MISSING"),
        ("BLOCKED - publishers wait: low on memory", "AMQP_MEMORY_ALARM"),
        ("BLOCKED - publishers wait: low on disk", "AMQP_DISK_ALARM"),
        ("NOT_FOUND - no exchange 'x' in vhost 'orders'", None),
        ("PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'orders'", None),
    ],
)
def test_words_name_their_cause(text: str, cause: str | None) -> None:
    assert Refusal.of(text).cause == cause


def test_every_cause_that_words_name_is_described() -> None:
    assert {cause for cause, _ in answers._CAUSES} <= CAUSES.keys()


@pytest.mark.parametrize("name", sorted(CAUSES.keys() - {"heading", "depth"}))
def test_cause_is_told_in_both_languages(name: str) -> None:
    cause = CAUSES[name]
    assert cause["proof"]
    for text in TEXTS:
        english, chinese = cause[text], cause["zh-Hant"][text]
        assert english.isascii()
        assert not english.endswith(".")
        assert not chinese.endswith("。")
        assert not chinese.isascii()
