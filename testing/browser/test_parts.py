"""Each part of the report shows what the record of the run says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from nova_acceptance.report import Outcome, Run
from nova_acceptance.report.phrases import in_language, phrase_of
from nova_acceptance.report.record import read
from nova_acceptance.report.texts import CHINESE, ENGLISH, Texts
from testing.browser import nova, parts
from testing.browser.conftest import Read
from testing.browser.parts import ShownCell, ShownPod, ShownService
from testing.browser.reader import Reader, reading
from testing.browser.runs import (
    FLIPPED,
    GREEN,
    GREEN_AGAIN,
    LET_IN,
    NO_ROOM,
    NODES_ASKED_FOR,
    PING,
    REJECTED,
    STREAM,
    SYNCHRONOUS,
    TEXT,
    WRONG_PASSWORD,
)

ORDER = ["causes", "system", "topology", "timeline", "tests", "history"]
SECTIONS = "main > section"


@pytest.fixture(scope="module")
def reader(browser: Browser, rejected: Path) -> Iterator[Reader]:
    """The report of the rejected run; opening more of it is all that tests do to it."""
    with reading(browser, rejected) as reader:
        yield reader


def style(reader: Reader, selector: str) -> tuple[str, str]:
    """Return the colours of an element: its ink and its ground."""
    ink, ground = reader.page.locator(selector).first.evaluate(
        "it => { const style = getComputedStyle(it); return [style.color, style.backgroundColor] }"
    )
    return ink, ground


def test_parts_come_in_their_order(reader: Reader) -> None:
    sections = reader.page.eval_on_selector_all(SECTIONS, "all => all.map(it => it.id)")
    ways = reader.page.eval_on_selector_all("nav a", "all => all.map(it => it.hash.slice(1))")

    assert sections == ORDER
    assert ways == ORDER


def test_verdict_is_told_in_words_and_colour(
    read: Read, rejected: Path, accepted: Path, say: Texts
) -> None:
    for path, verdict in ((rejected, "rejected"), (accepted, "accepted")):
        reader = read(path)
        told = say("page.heading", verdict=say(f"words.verdict.{verdict}"))

        assert told in reader.page.locator("h1").inner_text()
        assert reader.page.locator(f"header.verdict.{verdict}").is_visible()
        assert say(f"words.verdict.{verdict}") in reader.page.title()


def test_verdict_says_what_was_verified_where(reader: Reader, say: Texts) -> None:
    told = parts.where(reader)

    assert told[say("page.where.cluster")] == "kind-nova (kind)"
    assert told[say("page.where.version")] == "v1.20.2"
    assert told[say("page.where.nodes")] == "3"
    assert told[say("page.where.manifests")] == say("page.where.changed", commit="5c5c5c5c5c5c")
    assert told[say("page.where.when")] == "2030-01-01 08:00:00 UTC"


def test_accepted_run_has_nothing_to_explain(read: Read, accepted: Path) -> None:
    sections = read(accepted).page.eval_on_selector_all(SECTIONS, "all => all.map(it => it.id)")

    assert sections == ORDER[1:]


def test_causes_come_the_deepest_first(reader: Reader) -> None:
    assert parts.causes(reader) == [NO_ROOM["cause"], WRONG_PASSWORD["cause"]]


@pytest.mark.parametrize("named", [NO_ROOM, WRONG_PASSWORD], ids=lambda named: named["cause"])
def test_cause_tells_its_cure_and_what_was_seen(
    reader: Reader, say: Texts, named: dict[str, Any]
) -> None:
    reader.open_all()

    told = reader.page.locator(".cause", has_text=named["cause"]).inner_text()

    for said in (named, *named["symptoms"]):
        assert in_language(phrase_of(said, "summary"), say.language)[0] in told
    assert named["cure"] in told
    assert all(line in told for line in named["evidence"])


def test_what_a_run_said_is_in_the_language_of_the_page_where_that_is_known(
    reader: Reader, say: Texts
) -> None:
    reader.open_all()
    cause = reader.page.locator(".cause", has_text=NO_ROOM["cause"])

    summary, symptom = cause.locator("summary > span").first, cause.locator("li").last
    for part in (summary, symptom):
        assert part.get_attribute("lang") is None
    assert ("分配不到節點" in summary.inner_text()) == (say.language == CHINESE)
    assert ("未就緒" in symptom.inner_text()) == (say.language == CHINESE)
    cure = cause.locator(".cure dd", has_text=NO_ROOM["cure"])
    assert (cure.get_attribute("lang") == ENGLISH) == (say.language == CHINESE)


def test_layers_have_their_verdicts(reader: Reader) -> None:
    assert parts.layers(reader) == {
        "infrastructure": "rejected",
        "services": "rejected",
        "networking": "rejected",
    }


def test_components_are_as_the_cluster_told(reader: Reader) -> None:
    rows = nova.snapshot(whole=False)["rows"]
    shown = parts.components(reader)

    assert list(shown) == [(row["component"], row["kind"]) for row in rows]
    for row in rows:
        component = shown[row["component"], row["kind"]]
        assert component.layer == row["layer"]
        assert component.namespace == row["namespace"]
        assert (component.wanted, component.ready) == (row["wanted"], row["ready"])
        assert component.restarts == row.get("restarts")
        assert component.images == ((row["image"],) if "image" in row else ())


def test_component_is_rejected_where_a_replica_is_missing(reader: Reader) -> None:
    shown = parts.components(reader)

    assert shown["postgres", "StatefulSet"].verdict == "rejected"
    assert shown["etcd", "StatefulSet"].verdict == "accepted"


def test_counts_are_those_of_the_cluster(reader: Reader) -> None:
    assert parts.counts(reader) == nova.COUNTS


def test_limit_is_told_with_its_reason_in_the_language(reader: Reader, say: Texts) -> None:
    limit = nova.LIMITS[0]

    told = reader.page.locator(f"[data-limit={limit['name']}]").inner_text()

    assert limit["reasons"][say.language] in told
    assert say("page.system.limited") in told


def test_external_systems_are_declared_and_not_verified(reader: Reader, say: Texts) -> None:
    for system in nova.EXTERNAL:
        told = reader.page.locator(f"[data-external={system['name']}]").inner_text()

        assert say("page.system.not-verified") in told
        assert say("page.system.external-reason") in told
        assert system["used_by"][0] in told


def test_what_is_aside_has_neither_the_colour_of_good_nor_of_bad(reader: Reader) -> None:
    good, bad = style(reader, ".badge.accepted"), style(reader, ".badge.rejected")

    for aside in ("[data-limit] .badge", "[data-external] .badge"):
        assert len({good, bad, style(reader, aside)}) == 3


def test_topology_has_the_nodes_in_columns(reader: Reader) -> None:
    assert parts.nodes(reader) == [node["name"] for node in nova.NODES]


def test_pods_are_on_their_nodes(reader: Reader) -> None:
    wanted = {
        ShownPod(pod["namespace"], pod["name"], pod["node"], pod["ready"])
        for pod in nova.pods(whole=False)
    }

    assert ShownPod("nova-database", nova.HOMELESS, "", is_good=False) in wanted
    assert parts.pods(reader) == wanted


def test_services_have_their_addresses_and_ports(reader: Reader, say: Texts) -> None:
    wanted = {
        ShownService(
            service["namespace"],
            service["name"],
            say("page.topology.headless") if service["address"] == "None" else service["address"],
            tuple(port["number"] for port in service["ports"]),
        )
        for service in nova.snapshot(whole=False)["services"]
    }

    assert parts.services(reader) == wanted


@pytest.mark.parametrize("wanted", ["open", "closed"])
def test_matrix_says_who_reached_whom(reader: Reader, say: Texts, wanted: str) -> None:
    cells = [cell for cell in nova.cells(whole=False) if cell["wanted"] == wanted]
    shown = parts.matrix(reader, wanted)

    assert len(shown) == len(cells)
    for cell in cells:
        found = shown[cell["source"], f"{cell['target']}:{cell['port']}"]
        if not cell["state"]:
            assert found == ShownCell("unasked", say("page.reach.not-asked"))
            continue
        is_good = (cell["state"] == "open") == (wanted == "open")
        assert found.state == ("good" if is_good else "bad")
        assert found.words.endswith(say(f"page.reach.{cell['state']}"))


def test_timeline_tells_every_pod(reader: Reader) -> None:
    wanted = {row["pod"] for row in nova.deployment(whole=False)["timeline"]}

    assert parts.timeline_pods(reader) == wanted


@pytest.mark.parametrize(
    ("step", "when"),
    [("scheduling", "0.7–1.3"), ("pulling", "1.3–3.3"), ("starting", "3.3–3.8")],  # noqa: RUF001
)
def test_timeline_draws_what_a_pod_did_when(
    reader: Reader, say: Texts, step: str, when: str
) -> None:
    # The deployment began 0.51 s after the run.
    told = say("words.duration.seconds", n=when)

    assert f"nova-redis/redis-0: {say(f'page.timeline.{step}')}, {told}" in parts.bars(reader)


def test_timeline_draws_the_tests_by_module(reader: Reader, run: Run, say: Texts) -> None:
    modules = {
        test.nodeid.partition("::")[0].removeprefix("tests/")
        for test in run.tests
        if test.outcome is not Outcome.NO_RESULT
    }
    drawn = {
        row
        for row, _, told in (bar.partition(": ") for bar in parts.bars(reader))
        if told.startswith((say("page.timeline.tests"), say("page.timeline.failed")))
    }

    assert drawn == modules


def test_critical_path_ends_with_the_last_pod_to_be_ready(reader: Reader) -> None:
    assert parts.critical_path(reader) == [
        "nova-database/etcd-2",
        "nova-database/postgres-1",
        "nova-services/user-service-59b56ddc78-qf7c5",
    ]


def test_tests_are_counted_by_outcome(reader: Reader, run: Run) -> None:
    wanted = {str(name).replace(" ", "-"): number for name, number in run.outcomes.items()}

    assert parts.outcomes(reader) == wanted
    for outcome, number in run.outcomes.items():
        name = f".verdict .count.{str(outcome).replace(' ', '-')}"
        assert str(number) in reader.page.locator(name).inner_text()


def test_first_failures_are_open_and_come_first(read: Read, rejected: Path, run: Run) -> None:
    reader = read(rejected)
    failed = [test.nodeid for test in run.tests if test.outcome is Outcome.FAILED]

    assert set(reader.shown[: len(failed)]) == set(failed)
    assert reader.opened == reader.shown[:3]


def test_evidence_is_shown_as_recorded(
    reader: Reader, rejected_directory: Path, say: Texts
) -> None:
    events = read(rejected_directory)
    recorded = next(
        event["evidence"]
        for event in events
        if event["type"] == "phase" and event["nodeid"] == LET_IN and event["when"] == "call"
    )
    wanted = [
        [entry[name] for name in ("asked", "source", "target", "answer")] for entry in recorded
    ]
    shown = parts.evidence(reader, LET_IN)

    assert [line[:4] for line in shown] == wanted
    assert [line[4] for line in shown] == [
        say("words.duration.milliseconds", n="3.1"),
        say("words.duration.seconds", n="1.5"),
    ]


def test_failure_is_shown_with_its_cause_and_what_was_written(reader: Reader) -> None:
    row = reader.open(LET_IN)

    expect(row.locator(".why")).to_have_text(WRONG_PASSWORD["cause"])
    expect(row.locator("pre").first).to_have_text(TEXT)
    expect(row.locator("pre").last).to_have_text("INFO one of two attempts failed")
    expect(row).to_contain_text("gw1")


@pytest.mark.parametrize(
    ("nodeid", "text"),
    [(STREAM, "postgres-2 is on no node"), (NODES_ASKED_FOR, "the cluster is not ours")],
)
def test_error_and_skip_say_why(reader: Reader, nodeid: str, text: str) -> None:
    expect(reader.open(nodeid).locator("pre")).to_contain_text(text)


def test_test_without_a_result_says_so(reader: Reader, say: Texts) -> None:
    expect(reader.open(SYNCHRONOUS)).to_contain_text(say("page.tests.no-result"))


def test_test_tells_what_became_of_it_before(reader: Reader, say: Texts) -> None:
    told = reader.open(PING).locator(".past li").all_text_contents()

    assert [
        say(f"words.outcome.{name}") in text
        for name, text in zip(("passed", "failed", "passed"), told, strict=True)
    ] == [True, True, True]


def test_history_shows_the_runs_on_this_cluster(reader: Reader, say: Texts) -> None:
    assert parts.runs(reader) == [REJECTED, GREEN_AGAIN, FLIPPED, GREEN]
    this = reader.page.locator(f"[data-run='{REJECTED}']")
    before = reader.page.locator(f"[data-run='{GREEN}']")
    assert say("page.history.this") in this.inner_text()
    assert before.get_by_role("link").get_attribute("href") == f"../{GREEN}/report.html"


def test_history_tells_what_changed_since_it_was_green(
    reader: Reader, run: Run, say: Texts
) -> None:
    failing = [test.nodeid for test in run.tests if test.outcome in (Outcome.FAILED, Outcome.ERROR)]
    part = reader.part("history")
    reader.open_all()

    told = part.locator("details", has_text=say("page.history.failing", n=len(failing)))

    assert say("page.history.since", run="12-31 20:00:00") in part.inner_text()
    assert set(told.locator("li").all_inner_texts()) == set(failing)
    assert "5c5c5c5c5c5c" in part.locator(".changes").inner_text()


def test_history_names_the_test_that_flips_without_a_change(reader: Reader, say: Texts) -> None:
    told = reader.page.locator(".flips li")

    assert told.count() == 1
    assert PING in told.inner_text()
    assert say("page.history.flip", n=2, runs=f"{FLIPPED}, {GREEN_AGAIN}") in told.inner_text()
