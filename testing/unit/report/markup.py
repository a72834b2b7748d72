"""What a browser would make of a page, and a record that tries to break out of one."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from testing.unit.report.events import END, START, phase, write

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"'&\x07\n{{ 7 * 7 }}"


class Elements(HTMLParser):
    """Collects what a browser would make of a page or a fragment."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(directory: Path) -> Path:
    """Write a record in which every text is hostile."""
    nodeid = f"tests/services/test_a.py::test_b[{HOSTILE}]"
    evidence = dict.fromkeys(("asked", "source", "target", "answer"), HOSTILE) | {"seconds": 0.1}
    described = {"nodeid": nodeid, "doc": HOSTILE, "markers": [HOSTILE], "layer": HOSTILE}
    row = dict.fromkeys(("component", "kind", "namespace", "image", "node"), HOSTILE)
    return write(
        directory,
        START | {"run": HOSTILE, "versions": {HOSTILE: HOSTILE}, "options": {HOSTILE: HOSTILE}},
        {"type": "collected", "tests": [described]},
        {"type": "cluster", "nodes": [HOSTILE]}
        | dict.fromkeys(
            ("name", "provider", "reason", "version", "reuse_hint", "remove_hint"), HOSTILE
        ),
        {"type": "deployment", "overlay": HOSTILE, "timeline": [{"pod": HOSTILE, "ready": 2}]},
        {
            "type": "snapshot",
            "rows": [row | {"wanted": 1, "ready": 0}],
            "counts": {HOSTILE: 1},
            "external": [{"name": HOSTILE, "address": HOSTILE, "used_by": [HOSTILE]}],
        },
        {"type": "note", "text": HOSTILE},
        phase(nodeid, "setup"),
        phase(
            nodeid,
            "call",
            "failed",
            text=HOSTILE,
            message=HOSTILE,
            evidence=[evidence],
            sections=[[HOSTILE, HOSTILE]],
            worker=HOSTILE,
        ),
        phase(nodeid, "teardown"),
        {"type": "interrupted", "text": HOSTILE},
        {"type": "crashed", "nodeid": nodeid, "worker": HOSTILE, "text": HOSTILE},
        END,
    )
