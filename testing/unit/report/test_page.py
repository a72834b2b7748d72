"""The page is rendered from the record alone, and nothing in a record can break out of it.

What it does in a browser is tested in one, in `testing/browser`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from nova_acceptance.report import load, page
from nova_acceptance.report.anchors import mark
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.history import History, history_of
from nova_acceptance.report.texts import LANGUAGES
from testing.unit.report.events import (
    END,
    HEALTH,
    NAMES,
    REDIS,
    START,
    collected,
    finished,
    write,
)
from testing.unit.report.markup import HOSTILE, Elements, hostile
from testing.unit.report.runs import past

ALLOWED = frozenset(
    """a aside body button caption code dd details div dl dt figure footer form h1 h2 h3 head
    header html input label li line link main meta nav noscript ol option output p script
    section select span strong style summary table tbody td th thead time title tr ul""".split()
)


def rendered(directory: Path, language: str = "en") -> str:
    run = load(directory)
    return "".join(page.render(run, language=language, history=history_of(run, directory.parent)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_in_a_record_becomes_markup(tmp_path: Path, language: str) -> None:
    text = rendered(hostile(tmp_path / "run"), language)

    elements = Elements(text)
    assert {tag for tag, _ in elements.tags} <= ALLOWED
    assert not [name for _, found in elements.tags for name in found if name.startswith("on")]
    scripts = [found.get("type") for tag, found in elements.tags if tag == "script"]
    assert scripts == ["text/plain", "application/json", None]
    assert "{{ 7 * 7 }}" in elements.text
    links = [found.get("href") for tag, found in elements.tags if tag == "a"]
    assert all(re.match(r"#|\./|\.\./|[a-z-]+\.", str(link)) for link in links)


def test_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = rendered(hostile(tmp_path / "run"))

    for tag, found in Elements(text).tags:
        assert tag not in ("iframe", "object", "base", "img")
        assert not found.get("src")
        assert tag != "link" or found["href"] == "data:,"
    assert not re.search(r"@import|url\(", text)


def bars(directory: Path, pod: str) -> list[dict[str, str | None]]:
    """Return the bars of a run in which a pod became ready."""
    rows = [{"pod": pod, "applied": 0, "scheduled": 1, "pulled": 4, "started": 5, "ready": 10}]
    deployment = {"type": "deployment", "seconds": 10.0, "timeline": rows}
    text = rendered(write(directory / "run", START, deployment, END))
    return [found for _, found in Elements(text).tags if found.get("role") == "img"]


def test_bars_are_where_their_times_are(tmp_path: Path) -> None:
    assert [(bar["class"], bar["style"]) for bar in bars(tmp_path, "app/web-0")] == [
        ("bar scheduling critical", "left: 0%; width: 10%"),
        ("bar pulling critical", "left: 10%; width: 30%"),
        ("bar starting critical", "left: 40%; width: 10%"),
        ("bar becoming-ready critical", "left: 50%; width: 50%"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "a\x07b",
        "a\x00b",
        "a\ud800b",
        "a\uffffb",
        "a\u202eb",
        "\U0001f4a5" * 100,
        "w" * 9000,
        HOSTILE,
    ],
    ids=range(8),
)
def test_bar_of_any_name_tells_it_in_one_line(tmp_path: Path, name: str) -> None:
    told = [str(bar["aria-label"]) for bar in bars(tmp_path, name)]

    assert len(told) == len(set(told)) == 4
    assert all(each.startswith(f"{plain(name)}: ") and each.isprintable() for each in told)


def test_run_of_the_history_has_a_bar_and_leads_to_its_report_beside_this_one(
    tmp_path: Path,
) -> None:
    run = load(write(tmp_path / "run", START, *finished(REDIS), END))
    runs = (
        past("first & best", hours=-2, seconds=30, verdict="rejected"),
        past("..second", hours=-1, seconds=120),
        past("now", seconds=60),
    )
    text = "".join(page.render(run, language="en", history=History(runs)))

    shown = Elements(text[text.index('<table class="runs">') :].partition("</table>")[0]).tags
    links = [found["href"] for tag, found in shown if tag == "a"]
    assert links == ["../..second/report.html", "../first%20%26%20best/report.html"]
    bars = [found for _, found in shown if str(found.get("class")).startswith("bar ")]
    assert [(bar["class"], bar["style"]) for bar in bars] == [
        ("bar accepted", "width: 50%"),
        ("bar accepted", "width: 100%"),
        ("bar rejected", "width: 25%"),
    ]


@pytest.mark.parametrize("path", ["../../etc", "/etc", "collected/../../etc", "a/./b", "//evil"])
def test_collected_file_is_linked_below_the_page_whatever_the_record_says(
    tmp_path: Path, path: str
) -> None:
    named = {"cause": "IMAGE_PULL", "subject": "Pod a/b"}
    material = {"type": "collected-material", **named, "directory": path, "written": ["it"]}
    text = rendered(write(tmp_path / "run", START, {"type": "diagnosis", **named}, material, END))

    (link,) = (
        str(found["href"])
        for tag, found in Elements(text).tags
        if tag == "a" and str(found.get("href")).endswith("/it")
    )
    assert re.fullmatch(r"\./(\w+/)+it", link)


def test_policy_lets_only_the_own_script_run(tmp_path: Path) -> None:
    text = rendered(write(tmp_path / "run", START, *finished(REDIS), END))

    policy = next(
        str(found["content"])
        for tag, found in Elements(text).tags
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy"
    )
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_tests_that_need_attention_come_first_then_layer_by_layer(tmp_path: Path) -> None:
    late = "tests/networking/test_z.py::test_never_ran"
    text = rendered(
        write(
            tmp_path / "run",
            START,
            collected(NAMES, HEALTH, REDIS, late),
            *finished(NAMES),
            *finished(HEALTH),
            *finished(REDIS, "failed"),
        )
    )

    marks = [str(found.get("id")) for tag, found in Elements(text).tags if tag == "details"]
    assert [mark for mark in marks if mark.startswith("test-")] == [
        mark(nodeid) for nodeid in (REDIS, late, HEALTH, NAMES)
    ]


def test_external_system_is_neither_accepted_nor_rejected(tmp_path: Path) -> None:
    snapshot = {"type": "snapshot", "rows": [], "external": [{"name": "Kafka"}]}
    text = rendered(write(tmp_path / "run", START, snapshot, *finished(REDIS), END))

    row = re.search(r'<tr data-external="Kafka">.*?</tr>', text, re.DOTALL)
    assert row
    assert "declared, not verified" in row[0]
    assert not re.search("accepted|rejected", row[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_empty_record_is_rendered_too(tmp_path: Path, language: str) -> None:
    text = rendered(write(tmp_path / "run"), language)

    words = {"en": "Nothing was collected.", "zh-Hant": "沒有收集到任何測試。"}
    assert words[language] in text


def test_page_of_an_old_record_says_what_it_does_not_tell(tmp_path: Path) -> None:
    text = rendered(write(tmp_path / "run", START, *finished(REDIS), END))

    for part in ("where the system runs", "who reaches whom", "first run on this cluster"):
        assert part in text


def test_run_of_a_part_says_so_in_its_first_line(tmp_path: Path) -> None:
    left_out = collected(REDIS) | {"deselected": 3, "uncollected": ["services"]}
    text = rendered(write(tmp_path / "run", START, left_out, *finished(REDIS), END))

    assert "Nova: accepted, as far as this run looked</h1>" in text
    assert "<p>3 tests were left out by the command line.</p>" in text
    assert "wants no tests of these layers, so none were collected: Services.</p>" in text


def test_run_that_never_looked_says_nothing_of_limits(tmp_path: Path) -> None:
    text = rendered(write(tmp_path / "run", START, *finished(REDIS), END))

    assert "no deliberate limits" not in text
    assert "does not tell of limits" in text
