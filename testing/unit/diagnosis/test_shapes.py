"""Nothing secret is left in the shape of a Secret's value."""

from __future__ import annotations

import pytest

from nova_acceptance.diagnosis.shapes import mark, shape


@pytest.mark.parametrize(
    "value",
    [
        "kafka://one:9092,two:9092",
        "http://auth-service:8084",
        "one:9092,two:9092",
    ],
)
def test_what_leads_somewhere_stays(value: str) -> None:
    assert shape(value.encode()) == value


# A mark is another in every process, so it can be no part of a test's name.
@pytest.mark.parametrize(
    ("value", "written", "password"),
    [
        ("postgresql://app_user:hidden@db.here.svc:5432/nova_auth", "hidden", "hidden"),
        ("redis://:hid%2Fden@cache:6379/0", "hid%2Fden", "hid/den"),
    ],
)
def test_only_the_password_of_a_url_goes(value: str, written: str, password: str) -> None:
    assert shape(value.encode()) == value.replace(written, mark(password))


@pytest.mark.parametrize(
    "value",
    [
        "hidden",
        "https://hooks.example.com/services/hidden",
        "https://hidden@git.example.com/",
        "https://user:hidden@git.example.com",
        "postgresql://db:5432/nova?user=app&password=hidden",
        "postgresql://db:5432/nova?sslpassword=hidden#hidden",
        "https://api.example.com/#hidden",
        '{"url": "http://cache:6379", "key": "hidden"}',
        "url=http://cache:6379\ntoken=hidden\n",
        "hidden http://cache:6379",
        "host=db password=hidden",
        "amqp://queue:5672/a/hidden",
    ],
)
def test_what_may_be_a_secret_goes(value: str) -> None:
    assert "hidden" not in shape(value.encode())


def test_url_among_other_text_can_still_be_looked_at() -> None:
    kept = shape(b'{"url": "http://cache:6379", "key": "hidden"}')

    assert kept.endswith(" http://cache:6379")


def test_equal_values_have_equal_shapes() -> None:
    assert shape(b"one") == shape(b"one") != shape(b"other")
