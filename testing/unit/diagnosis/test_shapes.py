"""Nothing secret is left in the shape of a Secret's value."""

from __future__ import annotations

import base64

import pytest

from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.shapes import shape, without_values


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
        ("postgresql://app_user:hid@den@db:5432/nova_auth", "hid@den", "hid@den"),
        ("redis://:hid@den@cache:6379/0", "hid@den", "hid@den"),
        ("redis://:hid://den@cache:6379", "hid://den", "hid://den"),
        ("postgres://user@tenant:hidden@db.example.com/nova", "hidden", "hidden"),
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


def test_every_url_of_a_list_keeps_where_it_leads() -> None:
    kept = shape(b"redis://:one@here:1,redis://:other@there:2")

    assert kept == f"redis://:{mark('one')}@here:1,redis://:{mark('other')}@there:2"


def test_urls_of_a_file_keep_where_they_lead() -> None:
    kept = shape(b'{"a": "http://user@here:1","b":"redis://:hidden@there:2"}')

    assert "here:1" in kept
    assert kept.endswith(f"redis://:{mark('hidden')}@there:2")


def of_secret(key: str, value: str) -> str:
    data = {key: base64.b64encode(value.encode()).decode()}
    shown = without_values({"kind": "Secret", "metadata": {"name": "one"}, "data": data})
    return str(shown["data"][key])


@pytest.mark.parametrize("key", ["REDIS_AUTH", "users", "api-key", "DB_CREDENTIALS"])
def test_name_and_password_under_a_key_of_credentials_are_no_address(key: str) -> None:
    assert of_secret(key, "default:12345") == mark("default:12345")


@pytest.mark.parametrize("key", ["REDIS", "AUTH_HOST", "USER_SERVICE_ADDR", "keyspace"])
def test_address_under_any_other_key_stays(key: str) -> None:
    assert of_secret(key, "cache:6379") == "cache:6379"


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\nAQ==\n-----END CERTIFICATE-----"


@pytest.mark.parametrize("around", ["", "Bag Attributes\n    friendlyName: hidden\n"])
def test_certificates_stay_without_what_is_written_around_them(around: str) -> None:
    text = f"{around}{CERTIFICATE}\n{around}{CERTIFICATE}\n"

    assert shape(text.encode()) == f"{CERTIFICATE}\n{CERTIFICATE}\n"


def test_equal_values_have_equal_shapes() -> None:
    assert shape(b"one") == shape(b"one") != shape(b"other")
