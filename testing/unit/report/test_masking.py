"""Secrets are recognised in every form in which they may be written."""

from __future__ import annotations

import base64
import html
import json
import logging
import sys
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from nova_acceptance.masking import REPLACEMENT, Masker, MaskingFilter, register

SECRET = "pässw0rd/with+all\"of'it\\&<more>"
PLAIN = "Kx81-hQz_pT4vWm0"


@pytest.fixture
def masker() -> Masker:
    made = Masker()
    made.register([SECRET, PLAIN])
    return made


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET)[1:-1],
        repr(json.dumps(SECRET)[1:-1])[1:-1],
        html.escape(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        SECRET.encode().hex(),
    ],
)
def test_secret_is_masked_in_every_form(masker: Masker, form: str) -> None:
    assert masker.mask(f"before {form} after") == f"before {REPLACEMENT} after"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:", "postgresql://app_user:"])
@pytest.mark.parametrize("after", ["", "!", "@h", "@host:5432/nova_auth"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_secret_inside_a_longer_base64_text_cannot_be_decoded(
    masker: Masker, before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{PLAIN}{after}".encode()).decode()

    masked = masker.mask(encoded)

    assert REPLACEMENT in masked
    # At most the neighbours and the bits that share a character with them are left.
    assert len(masked.replace(REPLACEMENT, "")) <= -(-len(before) * 8 // 6) + len(after) * 2 + 4


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"'xx{PLAIN[:9]}...yy'", f"'xx{REPLACEMENT}...yy'"),
        (f"'xx...{PLAIN[5:]}yy'", f"'xx...{REPLACEMENT}yy'"),
        (f"xx{PLAIN[:4]} [cut]", f"xx{REPLACEMENT} [cut]"),
        (f"xx{PLAIN[:4]}…{PLAIN[-4:]}yy", f"xx{REPLACEMENT}…{REPLACEMENT}yy"),
        ("waiting ... for pods…", "waiting ... for pods…"),
    ],
)
def test_secret_cut_by_an_ellipsis_is_masked(masker: Masker, text: str, masked: str) -> None:
    assert masker.mask(text) == masked


def test_longer_secret_is_masked_as_a_whole_when_it_holds_a_shorter_one() -> None:
    masker = Masker()
    masker.register(["secret", "my-secret-sauce"])

    assert masker.mask("my-secret-sauce, secret") == f"{REPLACEMENT}, {REPLACEMENT}"


def test_value_of_ordinary_length_words_is_not_taken_for_a_secret() -> None:
    masker = Masker()
    masker.register(["redis", "", "5432"])

    assert masker.mask("redis:5432") == "redis:5432"


def test_lines_of_a_private_key_are_secrets_and_its_frame_is_not() -> None:
    line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"
    masker = Masker()
    masker.register([f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"])

    assert masker.mask(f"E   {line}") == f"E   {REPLACEMENT}"
    assert masker.mask("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_json_like_data_is_masked_leaf_by_leaf(masker: Masker) -> None:
    data = {"a": [PLAIN, 1, 2.5, None, True, ("x", PLAIN)], PLAIN: {"b": ValueError(PLAIN)}}

    assert masker.masked(data) == {
        "a": [REPLACEMENT, 1, 2.5, None, True, ["x", REPLACEMENT]],
        REPLACEMENT: {"b": REPLACEMENT},
    }


def test_secrets_may_be_registered_from_several_threads() -> None:
    masker = Masker()
    secrets = [f"secret-number-{number}" for number in range(50)]
    threads = [threading.Thread(target=masker.register, args=([each],)) for each in secrets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert masker.mask(" ".join(secrets)) == " ".join([REPLACEMENT] * 50)


def test_filter_masks_message_arguments_and_traceback() -> None:
    register(["a-secret-in-a-log"])
    try:
        raise ValueError("a-secret-in-a-log")
    except ValueError:
        record = logging.LogRecord(
            "any", logging.ERROR, "any.py", 1, "got %s", ("a-secret-in-a-log",), sys.exc_info()
        )

    assert MaskingFilter().filter(record)

    text = logging.Formatter("%(message)s").format(record)
    assert text.startswith(f"got {REPLACEMENT}\nTraceback")
    assert "a-secret" not in text


def test_filter_leaves_an_innocent_record_as_it_is() -> None:
    record = logging.LogRecord("any", logging.INFO, "any.py", 1, "got %d", (3,), None)

    assert MaskingFilter().filter(record)

    assert (record.msg, record.args) == ("got %d", (3,))
