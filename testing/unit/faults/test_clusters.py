"""Several clusters take the faults in turns, and one table has what became of all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from testing.faults import clusters, table
from testing.faults.fault import Fault
from testing.faults.reading import CATALOGUE, read_catalogue
from testing.faults.verdict import Verdict

FAULTS = read_catalogue(CATALOGUE)[:5]


def verdict(fault: Fault, *problems: str) -> Verdict:
    return Verdict(fault.name, fault.family, phases={"in": 1.0}, problems=problems)


def test_clusters_take_faults_in_turns() -> None:
    one, two, three, four, five = FAULTS

    assert clusters.split(FAULTS, 2) == [[one, three, five], [two, four]]
    assert clusters.split([one], 2) == [[one]]


def test_tables_are_one_in_the_order_of_the_faults(tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json", tmp_path / "that ended early"]
    one, two, three = map(verdict, FAULTS[:3])
    table.write([one, three], files[0], {"in": 1.0, "out": 2.0})
    table.write([two], files[1], {"in": 0.5})

    verdicts, seconds = clusters.merged(files, FAULTS)

    assert [each.fault for each in verdicts] == [each.name for each in FAULTS[:3]]
    assert seconds == {"in": 1.5, "out": 2.0}


PROGRAM = """
import json, pathlib, sys
options = dict(each.lstrip("-").split("=") for each in sys.argv[1:] if each.startswith("--"))
names = [each for each in sys.argv[1:] if not each.startswith("-")]
print("on", options["cluster"])
records = pathlib.Path(options["records"])
records.mkdir(parents=True)
verdicts = [
    {"fault": name, "family": family, "problems": [] if options["cluster"] == "it" else ["odd"]}
    for family, name in (each.split("/") for each in names)
]
for each in verdicts:
    each["is_right"] = not each["problems"]
(records / "faults.json").write_text(json.dumps({"seconds": {}, "faults": verdicts}))
sys.exit(options["cluster"] != "it")
"""


def test_each_cluster_has_its_own_process_and_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "testing" / "faults"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)

    status = clusters.run(FAULTS, ["it", "it-2"], ["--seed=1"], tmp_path / "records")

    assert status == 1
    said = capsys.readouterr().out
    assert "it: on it\n" in said
    assert "it-2: on it-2\n" in said
    assert "3 of 5 caught and rightly named" in said
    assert (tmp_path / "records" / "faults.json").exists()
