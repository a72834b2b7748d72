"""A very sick system stays readable: what to do first, one entry a cause, what follows under it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.plugin import summary
from nova_acceptance.report import load, markdown, page
from nova_acceptance.report.anchors import anchor
from nova_acceptance.report.cause_texts import cause_text
from nova_acceptance.report.entries import FIRST, Entries, entries_of
from nova_acceptance.report.history import History, history_of
from nova_acceptance.report.outcomes import outcome_of
from nova_acceptance.report.texts import LANGUAGES, texts
from testing.unit.report import sick
from testing.unit.report.events import END, START, write
from testing.unit.report.markup import Elements
from testing.unit.report.sick import found, key


class Terminal:
    """What was written to a terminal, line by line."""

    def __init__(self) -> None:
        self.lines = [""]

    def section(self, title: str) -> None:
        self.line(title)

    def write(self, text: str, **_: bool) -> None:
        self.lines[-1] += text

    def line(self, text: str, **_: bool) -> None:
        self.write(text)
        self.lines.append("")


def entries(directory: Path, *events: dict[str, Any]) -> Entries:
    return entries_of(load(write(directory, START, *events, END)).causes)


def named(cause: str, subject: str, **fields: Any) -> dict[str, Any]:
    return {"type": "diagnosis", "source": "test", **found(cause, subject, **fields)}


@pytest.fixture
def ill(tmp_path: Path) -> Entries:
    return entries_of(load(sick.record(tmp_path)).causes)


def test_each_cause_is_one_entry_with_all_its_objects(ill: Entries) -> None:
    assert [(each.cause, len(each.places)) for each in ill.every] == [
        ("ANTI_AFFINITY_UNSATISFIABLE", 1),
        ("ADDRESS_WRONG", sick.ADDRESS),
        ("NODE_CORDONED", 1),
        ("SECURITY_CONTEXT_WEAK", sick.WEAK),
        ("API_TOKEN_WRONG", sick.TOKEN),
    ]


def test_matters_of_policy_stand_apart_and_are_not_what_to_begin_with(ill: Entries) -> None:
    assert [each.cause for each in ill.policy] == ["SECURITY_CONTEXT_WEAK", "API_TOKEN_WRONG"]
    assert [each.cause for each in ill.first] == ["ANTI_AFFINITY_UNSATISFIABLE", "ADDRESS_WRONG"]
    assert ill.rest == 3


def test_what_only_follows_is_under_what_it_follows_from(ill: Entries) -> None:
    apart = ill.working[0]

    assert [(each.cause, each.first.subject) for each in apart.consequences] == [
        ("CLAIM_MISSING", sick.CLAIM),
        ("CLAIM_UNBOUND", "PersistentVolumeClaim shop/a"),
    ]
    assert {cause: [each.subject for each in all_] for cause, all_ in apart.symptoms.items()} == {
        "WORKLOAD_NOT_READY": [sick.STATEFUL_SET],
        "CLAIM_UNBOUND": ["PersistentVolumeClaim shop/b"],
    }


def test_tests_are_counted_with_those_of_consequences_and_of_other_causes_beside(
    ill: Entries,
) -> None:
    assert {each.cause: (each.tests, each.alone) for each in ill.every} == {
        "ANTI_AFFINITY_UNSATISFIABLE": (4, 4),
        "ADDRESS_WRONG": (2 * sick.ADDRESS, sick.ADDRESS),
        "NODE_CORDONED": (0, 0),
        "SECURITY_CONTEXT_WEAK": (sick.WEAK, sick.WEAK),
        "API_TOKEN_WRONG": (sick.TOKEN, sick.TOKEN),
    }


def test_run_of_policy_alone_begins_with_it(tmp_path: Path) -> None:
    ill = entries(tmp_path, named("RESOURCES_UNSET", "Deployment a/b"))

    assert not ill.working
    assert [each.cause for each in ill.first] == ["RESOURCES_UNSET"]


def test_what_no_test_is_red_for_comes_first_where_no_test_is_red(tmp_path: Path) -> None:
    causes = ["IMAGE_PULL", "NODE_CORDONED", "REDIS_READ_ONLY"]

    ill = entries(tmp_path, *(named(cause, "Pod a/b") for cause in causes))

    assert [each.cause for each in ill.first] == ["NODE_CORDONED", "IMAGE_PULL", "REDIS_READ_ONLY"]


def test_few_are_named_first_and_the_others_counted(tmp_path: Path) -> None:
    causes = "NODE_CORDONED IMAGE_PULL OUT_OF_MEMORY URL_MALFORMED DISK_FULL ROLE_MISSING".split()

    ill = entries(tmp_path, *(named(cause, "Pod a/b") for cause in causes))

    assert (len(ill.first), ill.rest) == (FIRST, 1)


def test_causes_that_come_under_each_other_are_all_told(tmp_path: Path) -> None:
    one, other = found("CRASH_LOOP", "Pod a/one"), found("READINESS_FAILING", "Pod a/other")

    ill = entries(
        tmp_path,
        named(**one, follows=key(other)),
        named(**other, follows=key(one), symptoms=[key(one), key(other)]),
    )

    (entry,) = ill.working
    assert [each.cause for each in entry.consequences] == ["CRASH_LOOP"]
    assert entry.cause == "READINESS_FAILING"


def test_consequence_of_what_the_run_did_not_name_stands_by_itself(tmp_path: Path) -> None:
    follows = key(found("NODE_NOT_READY", "Node far"))

    ill = entries(tmp_path, named("POD_EVICTED", "Pod a/b", follows=follows))

    assert [each.cause for each in ill.working] == ["POD_EVICTED"]


def test_consequence_of_a_consequence_comes_under_the_end(tmp_path: Path) -> None:
    root, middle = found("NODE_NOT_READY", "Node far"), found("ETCD_QUORUM_LOST", "StatefulSet a/e")

    ill = entries(
        tmp_path,
        named("NO_LEADER", "StatefulSet a/p", follows=key(middle)),
        named(**middle, follows=key(root)),
        named(**root),
    )

    (entry,) = ill.working
    assert entry.cause == "NODE_NOT_READY"
    assert [each.cause for each in entry.consequences] == ["ETCD_QUORUM_LOST", "NO_LEADER"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_opens_with_what_to_do_first(tmp_path: Path, language: str) -> None:
    run = load(sick.record(tmp_path / "run"))

    text = "".join(page.render(run, language=language, history=history_of(run, tmp_path)))

    say = texts(language)
    opening, _, rest = text.partition('<ol class="first">')[2].partition("</ol>")
    assert text.index('<ol class="first">') < text.index('<details class="cause"')
    assert re.findall(r"<code>([A-Z_]+)</code>", opening) == [
        "ANTI_AFFINITY_UNSATISFIABLE",
        "ADDRESS_WRONG",
    ]
    assert say("page.causes.turns", n=4) in opening
    assert cause_text("ADDRESS_WRONG", "cure", language) in opening  # each object has its own
    assert say("page.causes.rest", n=3) in rest
    working, _, policy = rest.partition(f"<h3>{say('page.causes.policy')}</h3>")
    assert working.count('<details class="cause"') == 3
    assert policy.count('<details class="cause"') == 2


def test_every_place_that_the_page_leads_to_is_there_once(tmp_path: Path) -> None:
    run = load(sick.record(tmp_path / "run"))

    elements = Elements("".join(page.render(run, language="en", history=history_of(run, tmp_path))))

    ids = Counter(str(found["id"]) for _, found in elements.tags if "id" in found)
    assert {name for name, n in ids.items() if n > 1} == set()
    links = [str(found.get("href")) for tag, found in elements.tags if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#cause-")} <= ids.keys()
    assert {anchor(each.cause, each.subject) for each in run.causes} <= ids.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_summary_opens_with_what_to_do_first(tmp_path: Path, language: str) -> None:
    run = load(sick.record(tmp_path))
    say = texts(language)

    text = markdown.render(run, language=language, history=History((outcome_of(run),)))

    parts = [line for line in text.splitlines() if line.startswith("### ")]
    assert parts[:3] == [
        f"### {say(f'page.{part}')}" for part in ("causes.first", "part.causes", "causes.policy")
    ]
    first, second = (line for line in text.splitlines() if re.match(r"\d\. ", line))
    assert first.startswith("1. **ANTI\\_AFFINITY\\_UNSATISFIABLE** ")
    assert say("page.causes.turns", n=4) in first
    assert say("page.causes.shares", n=sick.ADDRESS) in second
    assert say("page.causes.at-objects", n=sick.WEAK) in text
    assert f"`CLAIM_MISSING` `{sick.CLAIM}`" in text
    shown = all(f" → write w-{n}:80" in text for n in range(sick.ADDRESS))
    assert shown  # what differs from object to object is told at each


def test_terminal_opens_with_what_to_do_first(tmp_path: Path) -> None:
    terminal = Terminal()

    summary.write(load(sick.record(tmp_path)), terminal)  # type: ignore[arg-type]

    opening = terminal.lines[1:5]
    assert opening[0] == "to do first:"
    assert opening[1] == (
        "  1. ANTI_AFFINITY_UNSATISFIABLE at StatefulSet shop/stock: "
        "prefer other nodes, or add one (turns 4 tests green)"
    )
    assert "ADDRESS_WRONG at ConfigMap shop/settings-0 and 4 more: " in opening[2]
    assert opening[3] == "  and 3 more, below"
    told = [line for line in terminal.lines if not line.startswith(" ")]
    assert [line.partition(":")[0] for line in told if re.match("[A-Z_]{5,}:", line)] == [
        "ANTI_AFFINITY_UNSATISFIABLE",
        "ADDRESS_WRONG",
        "NODE_CORDONED",
        "SECURITY_CONTEXT_WEAK",
        "API_TOKEN_WRONG",
    ]
    assert "  ConfigMap shop/settings-1 is ill → write w-1:80" in terminal.lines
    assert f"  hence CLAIM_MISSING at {sick.CLAIM}" in terminal.lines
    apart = terminal.lines.index("matters of policy, for which nothing stops working:")
    assert apart < next(n for n, it in enumerate(terminal.lines) if it.startswith("SECURITY_"))


def test_single_cause_is_told_once(tmp_path: Path) -> None:
    run = load(write(tmp_path, START, named("IMAGE_PULL", "Pod a/b", cure="push it"), END))
    terminal = Terminal()

    summary.write(run, terminal)  # type: ignore[arg-type]
    text = markdown.render(run, language="en", history=History((outcome_of(run),)))

    assert text.count("push it") == 1
    assert "to do first:" not in terminal.lines
