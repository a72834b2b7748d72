"""The summary for a pull request: what came of the run, and nothing that can act there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from nova_acceptance.report import load, markdown
from nova_acceptance.report.cause_texts import cause_text
from nova_acceptance.report.comparison import compare
from nova_acceptance.report.escaping import prose, sentence
from nova_acceptance.report.history import Flip, History
from nova_acceptance.report.outcomes import outcome_of
from nova_acceptance.report.texts import LANGUAGES
from testing.unit.report.events import (
    END,
    HEALTH,
    NAMES,
    REDIS,
    START,
    collected,
    finished,
    phase,
    write,
)
from testing.unit.report.runs import past

HOSTILE = (
    "</code>`` ` **b** @admin #1 ![x](https://example.com/x.png) <img src=x onerror=alert(1)>"
    "| a |\n\n# heading\n\n[link]: https://example.com\n<!-- \x1b[2J\ud800 {n} {0} %s"
)
CAUSE = {
    "cause": "IMAGE_PULL",
    "subject": "Pod a/b",
    "summary": "no such image",
    "cure": "push it",
}


@pytest.fixture
def summary_of(tmp_path: Path) -> Any:
    def built(*events: dict[str, Any], language: str = "en", history: History | None = None) -> str:
        directory = write(tmp_path / "a-run", *events)
        run = load(directory)
        told = history or History((outcome_of(run),))
        return markdown.render(run, language=language, history=told)

    return built


def test_summary_of_an_accepted_run(summary_of: Any) -> None:
    text = summary_of(
        START | {"manifests": {"commit": "c" * 40, "changed": True, "digest": "d" * 64}},
        collected(REDIS) | {"deselected": 3, "uncollected": ["services", "networking"]},
        {
            "type": "cluster",
            "name": "nova",
            "provider": "kind",
            "version": "v1.33.1",
            "nodes": ["a", "b", "c"],
        },
        {"type": "deployment", "overlay": "multi-node"},
        *finished(REDIS),
        END,
    )

    assert (
        text
        == """\
## ✓ Nova: accepted, as far as this run looked

1 passed, in 7.0 s.
3 tests were left out by the command line.
The command line wants no tests of these layers, so none were collected: Services, Networking.

- Cluster: `nova` (kind)
- Kubernetes: `v1.33.1`
- Nodes: 3
- Overlay: `multi-node`
- Manifests: `cccccccccccc`, with changes
- Started: 2030-01-01 00:00:00 UTC

### Layers and components

| Layer | Verdict | passed |
| --- | --- | ---: |
| Infrastructure | ✓ accepted | 1 |
"""
    )


def test_causes_are_named_with_their_cures(summary_of: Any) -> None:
    text = summary_of(START, *finished(REDIS, "failed", diagnosis=CAUSE), END)

    assert (
        "### Why\n\n"
        "- **IMAGE\\_PULL** at `Pod a/b`: no such image (explains 1 test)\n"
        "  - What to do: push it\n"
    ) in text


def test_cause_is_explained_in_the_reader_s_language(summary_of: Any) -> None:
    text = summary_of(START, *finished(REDIS, "failed", diagnosis=CAUSE), END, language="zh-Hant")

    assert "未通過驗收" in text.splitlines()[0]
    title = prose(cause_text("IMAGE_PULL", "title", "zh-Hant"))
    cure = sentence(cause_text("IMAGE_PULL", "cure", "zh-Hant"))
    assert f"- **IMAGE\\_PULL** {title} " in text
    assert cure in text
    assert "push it" in text


def test_failed_test_is_told_by_its_cause_or_its_message(summary_of: Any) -> None:
    text = summary_of(
        START,
        *finished(REDIS, "failed", diagnosis=CAUSE, text="…", message="IMAGE_PULL: no such image"),
        *finished(HEALTH, "failed", text="…", message="404 is not 200"),
        *finished(NAMES, "failed", diagnosis={"cause": "UNKNOWN"}, text="…", message="odd"),
        phase("tests/x.py::test_x", "setup", "failed"),
        END,
    )

    assert f"- `{REDIS}`: `IMAGE_PULL`\n" in text
    assert f"- `{HEALTH}`: `404 is not 200`\n" in text
    assert f"- `{NAMES}`: `odd`\n" in text
    assert "- `tests/x.py::test_x`: error\n" in text


def test_many_failed_tests_are_counted(summary_of: Any) -> None:
    events = [
        event
        for number in range(markdown.MOST_TESTS + 5)
        for event in finished(f"tests/services/test_a.py::test_{number}", "failed")
    ]

    text = summary_of(START, *events, END)

    assert text.count("- `tests/services/test_a.py::") == markdown.MOST_TESTS
    assert "- and 5 more\n" in text


def test_component_that_is_not_ready_is_told_once(summary_of: Any) -> None:
    row = {"component": "redis", "wanted": 3, "ready": 2}
    rows = [row | {"layer": "infrastructure"}, row | {"layer": "networking"}]

    text = summary_of(START, {"type": "snapshot", "rows": rows}, *finished(REDIS), END)

    assert text.count("- `redis`: 2 of 3 ready.\n") == 1


def test_limits_and_external_systems_are_a_state_of_their_own(summary_of: Any) -> None:
    snapshot = {
        "type": "snapshot",
        "rows": [],
        "external": [{"name": "Kafka"}],
        "limits": [
            {
                "name": "spread",
                "components": ["redis", "etcd"],
                "reasons": {"en": "one node", "zh-Hant": "只有一個節點"},
            }
        ],
    }

    english = summary_of(START, snapshot, *finished(REDIS), END)
    chinese = summary_of(START, snapshot, *finished(REDIS), END, language="zh-Hant")

    assert "- spread (`redis`, `etcd`): one node\n- Kafka: declared, not verified\n" in english
    assert "只有一個節點" in chinese
    assert "one node" not in chinese


def test_what_changed_since_the_last_green_run_is_told(summary_of: Any) -> None:
    green = past("green", tests={"a": "passed"})
    now = past("now", tests={"a": "failed"}, overlay="single-node")
    history = History((green, now), compare(green, now), (Flip("a", ("run-1", "run-2")),))

    text = summary_of(START, *finished(REDIS), END, history=history)

    assert (
        "### Since the last accepted run, `green`\n\n"
        "- 1 test fails now\n"
        "  - `a`\n"
        "- 1 circumstance is another one\n"
        "  - Overlay: `multi-node` → `single-node`\n"
    ) in text
    assert "- `a`: flipped 2 times: `run-1`, `run-2`\n" in text


def test_nothing_that_changed_is_said_too(summary_of: Any) -> None:
    green = past("green")

    text = summary_of(START, END, history=History((green,), compare(green, green)))

    assert "Nothing changed" in text


def test_killed_run_says_what_is_missing(summary_of: Any) -> None:
    text = summary_of(START, collected(REDIS))

    assert text.startswith("## ◌ Nova: incomplete\n")
    assert "- the run was cut off: its record has no end\n" in text
    assert "- 1 collected test has no result\n" in text


def _hostile_events() -> list[dict[str, Any]]:
    tests = [f"tests/services/test_a.py::test_{number}[{HOSTILE}]" for number in range(40)]
    cluster = dict.fromkeys(("name", "provider", "version", "reason"), HOSTILE)
    row = dict.fromkeys(("component", "kind", "namespace", "image"), HOSTILE)
    limit = {"name": HOSTILE, "components": [HOSTILE] * 40, "reasons": {"en": HOSTILE * 9}}
    found = dict.fromkeys(("cause", "subject", "summary", "cure"), HOSTILE * 9)
    return [
        START
        | {"run": HOSTILE, "manifests": {"commit": HOSTILE, "changed": True, "digest": HOSTILE}},
        collected(*tests, markers=[HOSTILE], doc=HOSTILE),
        {"type": "cluster", "nodes": [HOSTILE], **cluster},
        {"type": "deployment", "overlay": HOSTILE},
        {
            "type": "snapshot",
            "rows": [{**row, "layer": HOSTILE, "wanted": 1}] * 40,
            "external": [{"name": HOSTILE}] * 40,
            "limits": [limit] * 40,
        },
        *({"type": "diagnosis", **found, "subject": f"{n}{HOSTILE}"} for n in range(40)),
        *(
            event
            for test in tests
            for event in finished(test, "failed", text=HOSTILE, message=HOSTILE)
        ),
        *({"type": "interrupted", "text": HOSTILE * 9} for _ in range(40)),
        {"type": "crashed", "nodeid": HOSTILE, "worker": HOSTILE, "text": HOSTILE},
        END,
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_in_a_record_becomes_markup(summary_of: Any, tmp_path: Path, language: str) -> None:
    now = outcome_of(load(write(tmp_path / "other", *_hostile_events())))
    green = past(HOSTILE, tests=dict.fromkeys(now.tests, "passed"), overlay=HOSTILE[::-1])
    history = History((green, now), compare(green, now), (Flip(HOSTILE, (HOSTILE,)),))

    text = summary_of(*_hostile_events(), language=language, history=history)

    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    blocks = reader.parse(text)
    inline = [token for block in blocks for token in block.children or ()]
    assert {token.type for token in inline} <= {
        "code_inline",
        "softbreak",
        "strong_close",
        "strong_open",
        "text",
        "text_special",
    }
    assert not {"html_block", "fence", "code_block"} & {block.type for block in blocks}
    headings = [block.tag for block in blocks if block.type == "heading_open"]
    assert headings == ["h2"] + ["h3"] * (len(headings) - 1)
    words = "".join(token.content for token in inline if token.type != "code_inline")
    assert "@admin" not in words
    assert "#1" not in words
    assert "://" not in words
    assert {each for each in text if not each.isprintable()} <= {"\n", "\u2060"}


def test_summary_fits_into_a_comment(summary_of: Any) -> None:
    text = summary_of(*_hostile_events())

    assert len(text) <= markdown.LONGEST
    assert text.endswith("\n")


def test_summary_that_is_too_long_ends_with_a_whole_line(
    summary_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markdown, "LONGEST", 300)

    text = summary_of(START, *finished(REDIS, "failed"), *finished(HEALTH, "failed"), END)

    assert len(text) <= 300
    assert text.endswith("\n\nThe rest is left out for its length; report.html has it.\n")
