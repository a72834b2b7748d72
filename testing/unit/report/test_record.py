"""The record is appended and flushed event by event, masked, and read back whatever its end."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest

from nova_acceptance import masking
from nova_acceptance.errors import UsageError
from nova_acceptance.phrase import Phrase
from nova_acceptance.report import Recorder
from nova_acceptance.report.record import Reading, Record, read


def test_event_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    record = Record(tmp_path / "run")

    record.write("note", text="first")

    (line,) = (tmp_path / "run" / "run.jsonl").read_text(encoding="utf-8").splitlines()
    event = json.loads(line)
    assert (event["type"], event["text"]) == ("note", "first")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])


def test_record_is_appended_to_never_rewritten(tmp_path: Path) -> None:
    for text in ("first", "second"):
        record = Record(tmp_path)
        record.write("note", text=text)
        record.close()

    assert [event["text"] for event in read(tmp_path)] == ["first", "second"]


def test_runs_have_directories_of_their_own_and_latest_is_the_last(tmp_path: Path) -> None:
    first = Record.of_new_run(tmp_path)
    second = Record.of_new_run(tmp_path)

    assert first.directory != second.directory
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", second.run)
    assert (tmp_path / "latest").resolve() == second.directory.resolve()
    assert not (tmp_path / "latest").readlink().is_absolute()


def test_directory_named_latest_does_not_keep_a_run_from_starting(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()

    record = Record.of_new_run(tmp_path)

    assert record.directory.is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"latest", record.run}


def test_secret_is_masked_at_any_depth(tmp_path: Path) -> None:
    masking.register(["secret-of-the-record"])
    record = Record(tmp_path)

    record.write("note", text="a secret-of-the-record", more=[{"secret-of-the-record": "x"}])

    assert "secret-of" not in (tmp_path / "run.jsonl").read_text(encoding="utf-8")


def test_odd_text_survives_as_one_line(tmp_path: Path) -> None:
    text = "two\nlines\u2028and \ud800 a \x00 surrogate ‹ü›"  # noqa: RUF001
    record = Record(tmp_path)

    record.write("note", text=text)

    (event,) = read(tmp_path)
    assert event["text"] == text.replace("\ud800", "\\ud800")


def test_events_of_several_threads_do_not_mix(tmp_path: Path) -> None:
    record = Record(tmp_path)

    def write() -> None:
        for _ in range(100):
            record.write("note", text="x" * 500)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    events = read(tmp_path)
    assert (len(events.entries), events.damaged) == (400, 0)


def test_closed_record_takes_no_more(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.close()

    record.write("note", text="late")

    assert read(tmp_path).entries == ()


def test_cut_last_line_is_counted_and_left_out(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.write("note", text="whole")
    record.close()
    with (tmp_path / "run.jsonl").open("a") as file:
        file.write('{"type": "phase", "time": "20')

    events = read(tmp_path)

    assert [event["type"] for event in events] == ["note"]
    assert events.damaged == 1


@pytest.mark.parametrize(
    "line", ["[]", "7", "null", "{}", '{"type": 3}', "\x00\x00", "[" * 100_000], ids=range(7)
)
def test_line_that_is_no_event_is_left_out(tmp_path: Path, line: str) -> None:
    (tmp_path / "run.jsonl").write_text(f'{line}\n{{"type": "note"}}\n')

    assert [event["type"] for event in read(tmp_path)] == ["note"]


def test_reading_gives_an_event_before_the_next_line_is_looked_at(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.write("note", text="first")
    events = iter(reading := Reading(tmp_path))

    assert next(events)["text"] == "first"
    record.write("note", text="second")
    with (tmp_path / "run.jsonl").open("a") as file:
        file.write("cut")

    assert next(events)["text"] == "second"
    assert list(events) == []
    assert reading.damaged == 1


def test_absent_record_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no record of a run") as refused:
        read(tmp_path)
    assert "run.jsonl" in refused.value.hint


def test_pipe_in_place_of_a_record_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.jsonl")

    with pytest.raises(UsageError, match="it is no file"):
        read(tmp_path)


def test_record_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text('{"type": "run-started", "schema": 4}\n')

    with pytest.raises(UsageError, match="schema 4; this version reads up to 3"):
        read(tmp_path)


def test_record_of_an_older_schema_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text('{"type": "run-started", "schema": 1}\n')

    assert [event["schema"] for event in read(tmp_path)] == [1]


def test_recorder_turns_facts_into_events(tmp_path: Path) -> None:
    record = Record(tmp_path)

    Recorder(record.append).tell("note", text=Phrase("{n} notes", n=2), needs={"a": ("b",)})

    (note,) = read(tmp_path)
    assert (note["type"], note["text"], note["needs"]) == ("note", "2 notes", {"a": ["b"]})
    assert note["told"]["text"] == {"template": "{n} notes", "values": {"n": 2}}
    assert note["time"].endswith("Z")
