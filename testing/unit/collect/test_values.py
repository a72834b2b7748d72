"""Which parts of a text and of a Secret are masked."""

from __future__ import annotations

import base64

import pytest

from nova_acceptance import masking
from nova_acceptance.collect.values import to_mask, values_of, without_passwords

HIDDEN = masking.REPLACEMENT


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:one-pw@here:6379/0", f"redis://:{HIDDEN}@here:6379/0"),
        ("postgres://u:p@ss@here/db?x=a@b", f"postgres://u:{HIDDEN}@here/db?x=a@b"),
        (
            "redis://:one-pw@here:1,redis://:two-pw@there:2",
            f"redis://:{HIDDEN}@here:1,redis://:{HIDDEN}@there:2",
        ),
        ("postgres://u@tenant:one-pw@here/db", f"postgres://u@tenant:{HIDDEN}@here/db"),
        (
            "https://u@here:1,redis://:two-pw@there:2",
            f"https://u@here:1,redis://:{HIDDEN}@there:2",
        ),
        ("redis://:one://pw@here", f"redis://:{HIDDEN}@here"),
        ("see http://here:8080/, or mail a@b", "see http://here:8080/, or mail a@b"),
        ("redis://u:‹0123›@here", "redis://u:‹0123›@here"),  # noqa: RUF001 - a password's shape
    ],
)
def test_passwords_of_urls_are_replaced_in_any_text(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


def test_password_after_a_name_with_an_at_sign_is_secret() -> None:
    url = base64.b64encode(b"postgres://u@tenant:one-password@here/db").decode()

    assert "one-password" in set(to_mask({"data": {"URL": url}}))


def test_password_with_an_at_sign_is_secret_as_a_whole() -> None:
    url = base64.b64encode(b"postgres://u:p@ss-word@here/db").decode()

    assert "p@ss-word" in set(to_mask({"data": {"URL": url}}))


def test_every_value_of_a_rendered_secret_is_hidden_however_it_is_written() -> None:
    encoded = base64.b64encode(b"correct-horse\n").decode()
    url = "postgres://u:p%40ss-word@here/db"
    secret = {"kind": "Secret", "data": {"A": encoded}, "stringData": {"B": "staple", "URL": url}}
    config = {"kind": "ConfigMap", "data": {"C": "not a secret"}}

    assert set(values_of([secret, config])) == {
        *("correct-horse\n", "correct-horse", "staple", url, "p%40ss-word", "p@ss-word"),
    }


def test_what_everybody_may_see_of_a_rendered_secret_stays_legible() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    key = "-----BEGIN PRIVATE KEY-----\nMIIC\n-----END PRIVATE KEY-----"
    strings = {"tls.crt": certificate, "tls.key": key, "KAFKA": "kafka:9092"}

    found = set(values_of([{"kind": "Secret", "stringData": strings}], plain={"KAFKA"}))

    assert found == {key}
