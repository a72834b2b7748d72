"""What belongs to each test is packed for a browser to unpack, and no page grows too large."""

from __future__ import annotations

import base64
import json
import random
import zlib
from typing import Any

from nova_acceptance.report import model
from nova_acceptance.report.details import CHUNK, LONGEST, MOST, MOST_EVIDENCE, pack

ANSWER = {"asked": "PING", "source": "runner", "target": "redis:6379", "answer": "PONG"}


def unpacked(chunk: str) -> list[dict[str, Any]]:
    octets = zlib.decompress(base64.b64decode(chunk), -zlib.MAX_WBITS)
    found: list[dict[str, Any]] = json.loads(octets)
    return found


def packed(*tests: model.Test) -> list[dict[str, Any]]:
    chunks = pack(tests, {}, lambda number: f"{number} left out")
    return [entry for chunk in chunks for entry in unpacked(chunk)]


def test_details_are_what_was_recorded() -> None:
    test = model.Test(
        "tests/a.py::test_a",
        text="no answer",
        evidence=[{**ANSWER, "seconds": 0.01}],
        sections=[("Captured stdout call", "said"), ("Captured stderr call", "")],
        worker="gw0",
    )

    (chunk,) = pack([test], {test.nodeid: [(3, "failed", 1.5)]}, str)

    assert unpacked(chunk) == [
        {
            "evidence": [["PING", "runner", "redis:6379", "PONG", 0.01]],
            "text": "no answer",
            "sections": [["Captured stdout call", "said"]],
            "worker": "gw0",
            "past": [[3, "failed", 1.5]],
        }
    ]


def test_tests_keep_their_order_over_chunks() -> None:
    found = packed(
        *(model.Test(f"test_{number}", text=str(number)) for number in range(2 * CHUNK + 1))
    )

    assert [entry["text"] for entry in found] == [str(number) for number in range(2 * CHUNK + 1)]


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    (found,) = packed(model.Test("test_a", text="a" * LONGEST + "z" * LONGEST))

    assert found["text"].startswith("a" * 100)
    assert found["text"].endswith("z" * 100)
    assert f"\n{LONGEST} left out\n" in found["text"]
    assert len(found["text"]) < LONGEST + 100


def test_very_many_answers_are_cut() -> None:
    (found,) = packed(
        model.Test("test_a", evidence=[{**ANSWER, "seconds": 0.0}] * (MOST_EVIDENCE + 1))
    )

    assert len(found["evidence"]) == MOST_EVIDENCE


def test_what_would_make_the_page_too_large_is_left_out_from_the_end() -> None:
    noise = random.Random(1)  # noqa: S311 - only has to be incompressible
    texts = [noise.randbytes(LONGEST // 2).hex() for _ in range(1000)]

    chunks = pack([model.Test(f"test_{n}", text=text) for n, text in enumerate(texts)], {}, str)

    assert 0 < len(chunks) < 1000 / CHUNK
    assert sum(map(len, chunks)) <= MOST
    assert unpacked(chunks[0])[0]["text"] == texts[0]


def test_text_that_is_no_unicode_is_packed_all_the_same() -> None:
    (found,) = packed(model.Test("test_a", text="odd \udce9 octet"))

    assert found["text"] == "odd ? octet"
