"""What belongs to each test beside its row: too much for the page's markup, so it is packed.

The page carries it in chunks of compressed JSON, which its script unpacks and writes as text. A
chunk is base64 of zlib's raw deflate (RFC 1951), as the browsers' `DecompressionStream` reads it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nova_acceptance.report.anchors import anchor
from nova_acceptance.report.model import Test

CHUNK: Final = 100
"""Tests in a chunk."""
MOST: Final = 5_000_000
"""Characters of all chunks together: the page is to stay below 8 MB."""
MOST_EVIDENCE: Final = 500
"""Questions and answers kept of one test; the record has the rest."""
LONGEST: Final = 20_000
"""Characters kept of one text; the record has the rest."""


def pack(
    tests: Sequence[Test],
    past: Mapping[str, Sequence[tuple[int, str, float]]],
    cut: Callable[[int], str],
) -> list[str]:
    """Return the chunks of these tests, in their order, until the page would become too large.

    Args:
        tests: those that matter most come first.
        past: what became of each in the last runs: the run's number, outcome and seconds.
        cut: says how many characters were left out of a text.
    """
    chunks: list[str] = []
    size = 0
    for start in range(0, len(tests), CHUNK):
        part = [_details(each, past, cut) for each in tests[start : start + CHUNK]]
        text = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        packer = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)
        octets = packer.compress(text.encode("utf-8", "replace")) + packer.flush()
        chunk = base64.b64encode(octets).decode("ascii")
        size += len(chunk)
        if size > MOST:
            break
        chunks.append(chunk)
    return chunks


def _details(
    test: Test,
    past: Mapping[str, Sequence[tuple[int, str, float]]],
    cut: Callable[[int], str],
) -> dict[str, Any]:
    found = {
        "evidence": [
            [
                entry["asked"],
                entry["source"],
                entry["target"],
                _short(entry["answer"], cut),
                entry["seconds"],
            ]
            for entry in test.evidence[:MOST_EVIDENCE]
        ],
        "text": _short(test.text, cut),
        "sections": [[heading, _short(text, cut)] for heading, text in test.sections if text],
        "worker": test.worker,
        "cause": anchor(test.cause, test.culprit) if test.cause else "",
        "past": list(past.get(test.nodeid, ())),
    }
    return {name: value for name, value in found.items() if value}


def _short(text: str, cut: Callable[[int], str]) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}\n{cut(len(text) - 2 * half)}\n{text[-half:]}"
