"""Evidence that is alike stands in a record once, and is read as if it stood everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from nova_acceptance.report.record import FILE_NAME, Record, read
from testing.unit.report.schema import published


def asked(answer: str, seconds: float) -> dict[str, Any]:
    return {
        "asked": "list Pod",
        "source": "runner",
        "target": "Kubernetes API",
        "answer": answer,
        "seconds": seconds,
    }


def phase(*evidence: Any, **fields: Any) -> dict[str, Any]:
    return {
        "type": "phase",
        "time": "2026-11-29T00:00:00.000Z",
        "expected_failure": False,
        "message": "",
        "text": "",
        "evidence": list(evidence),
        "sections": [],
        "worker": "",
        **fields,
    }


def written(directory: Path, *facts: dict[str, Any]) -> list[dict[str, Any]]:
    record = Record(directory)
    for each in facts:
        record.append(each)
    record.close()
    lines = (directory / FILE_NAME).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_evidence_is_written_once_and_read_everywhere(tmp_path: Path) -> None:
    facts = [phase(asked("a", 0.5), asked("ö", 0.25)), phase(asked("ö", 0.0)), phase(asked("c", 1))]
    lines = written(tmp_path, *facts)

    (reference,) = lines[1]["evidence"]
    assert reference.keys() == {"same", "seconds"}
    assert [line["evidence"] for line in (lines[0], lines[2])] == [
        facts[0]["evidence"],
        facts[2]["evidence"],
    ]
    assert list(read(tmp_path)) == facts


def test_fields_of_a_phase_that_say_nothing_are_not_written(tmp_path: Path) -> None:
    told = {
        "expected_failure": True,
        "message": "m",
        "text": "t",
        "sections": [["a", "b"]],
        "worker": "gw0",
    }
    facts = [phase(), phase(asked("a", 0.5), **told)]
    lines = written(tmp_path, *facts)

    assert lines == [{"type": "phase", "time": facts[0]["time"]}, facts[1]]
    assert list(read(tmp_path)) == facts


def test_fields_of_other_events_are_written_whatever_they_say(tmp_path: Path) -> None:
    fact = {"type": "crashed", "time": "2026-11-29T00:00:00.000Z", "worker": "", "text": ""}

    assert written(tmp_path, fact) == list(read(tmp_path)) == [fact]


def test_phases_that_were_read_share_nothing(tmp_path: Path) -> None:
    written(tmp_path, phase(), phase())
    first, second = read(tmp_path)

    first["sections"].append(["a", "b"])

    assert second["sections"] == []


def test_schema_knows_a_reference(tmp_path: Path) -> None:
    *_, line = written(tmp_path, phase(asked("a", 0.5)), phase(asked("a", 0.1)))
    of_evidence = {"$defs": published()["$defs"], "$ref": "#/$defs/evidence"}

    assert list(Draft202012Validator(of_evidence).iter_errors(line["evidence"][0])) == []
    assert list(Draft202012Validator(of_evidence).iter_errors({"same": "a", "seconds": 1}))


def test_record_that_is_continued_refers_to_nothing_it_does_not_know(tmp_path: Path) -> None:
    facts = [phase(asked("a", 0.5)), phase(asked("a", 0.25))]
    for each in facts:
        written(tmp_path, each)

    assert list(read(tmp_path)) == facts


def test_lines_of_a_diagnosis_are_no_questions(tmp_path: Path) -> None:
    fact = {**phase(), "type": "diagnosis", "evidence": ["a line", "a line"]}
    written(tmp_path, fact, fact)

    assert list(read(tmp_path)) == [fact, fact]


def test_reference_to_what_a_damaged_line_said_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, phase(asked("a", 0.5)), phase(asked("a", 0.25), asked("b", 1.0)))
    file = tmp_path / FILE_NAME
    first, second = file.read_text("utf-8").splitlines()
    file.write_text(f"{first[:40]}\n{second}\n", "utf-8")

    events = read(tmp_path)

    assert list(events) == [phase(asked("b", 1.0))]
    assert events.damaged == 1
