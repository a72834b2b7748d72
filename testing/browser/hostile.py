"""A record in which every text that a cluster or a test may choose tries to break out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from testing.browser.story import BEGINNING, Case, Fact, Story, asked

SCRIPT: Final = "<script>alert(1)</script>"
IMAGE: Final = '"><img src=x onerror="alert(2)">'
END: Final = "</script></style></textarea><svg onload=alert(3)>"
BRACES: Final = "{{7*7}}"
LINK: Final = "javascript:alert(4)"
TURNED: Final = "\u202egpj.exe\u2066"
ODD: Final = "\x00\x07\x1b[31m\ud800\n'&amp;"
LONG: Final = 300 * "w"

HOSTILE: Final = " ".join((LINK, SCRIPT, IMAGE, END, BRACES, TURNED, LONG, ODD))
"""All of them; it begins as an address that runs a script."""

NODEID: Final = f"tests/services/test_hostile.py::test_name[{HOSTILE}]"


def write_hostile(reports: Path) -> Path:
    """Write two hostile runs on a hostile cluster and return the directory of the second."""
    _write(reports / "earlier", days=1, outcome="passed")
    return _write(reports / "later", days=0, outcome="failed")


def _write(directory: Path, *, days: float, outcome: str) -> Path:
    named: Fact = {
        **dict.fromkeys(("cause", "subject", "summary", "cure"), HOSTILE),
        "evidence": [HOSTILE],
        "chain": [HOSTILE, HOSTILE],
        "symptoms": [{"cause": HOSTILE, "summary": HOSTILE}],
        "others": [],
    }
    tests = [
        Case(
            NODEID,
            subjects=(HOSTILE,),
            markers=(HOSTILE,),
            doc=HOSTILE,
            outcome=outcome,
            evidence=(asked(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
            text=HOSTILE,
            sections=((HOSTILE, HOSTILE),),
            diagnosis=named if outcome == "failed" else None,
            worker=HOSTILE,
        ),
        Case("tests/services/test_hostile.py::test_second", doc=HOSTILE),
    ]
    story = Story(directory, BEGINNING - timedelta(days=days))
    story.begin(
        tests,
        run=f"{HOSTILE} {days}",
        versions={HOSTILE: HOSTILE},
        options={HOSTILE: HOSTILE},
        manifests={"commit": HOSTILE, "changed": True, "digest": HOSTILE},
    )
    told = ("name", "provider", "reason", "version", "reuse_hint", "remove_hint")
    cluster: Fact = {**dict.fromkeys(told, HOSTILE), "nodes": [_node()]}
    story.tell("cluster", **cluster)
    milestones = ("applied", "created", "scheduled", "pulled", "started", "ready")
    story.tell(
        "deployment",
        after=10.0,
        overlay=HOSTILE,
        seconds=9.0,
        timeline=[
            {
                **dict.fromkeys(("pod", "workload", "node"), HOSTILE),
                **{name: float(at) for at, name in enumerate(milestones, 1)},
            }
        ],
    )
    story.tell("note", text=HOSTILE)
    story.tell("collected-material", **named, directory=LINK, written=[HOSTILE], failed=[HOSTILE])
    story.tell("reachability", cells=[_cell("open"), _cell("closed")])
    story.run(tests)
    story.tell("crashed", nodeid=NODEID, worker=HOSTILE, text=HOSTILE)
    story.tell(
        "snapshot",
        rows=[
            {
                **dict.fromkeys(("component", "kind", "namespace", "image", "node"), HOSTILE),
                "layer": "services",
                "wanted": 1,
                "ready": 0,
            }
        ],
        counts={HOSTILE: 1},
        external=[{"name": HOSTILE, "address": HOSTILE, "used_by": [HOSTILE]}],
        nodes=[_node()],
        pods=[
            dict.fromkeys(("namespace", "name", "workload", "node", "address", "phase"), HOSTILE)
        ],
        services=[
            {
                **dict.fromkeys(("namespace", "name", "type", "address"), HOSTILE),
                "ports": [{"name": HOSTILE, "number": 1, "target": HOSTILE}],
                "pods": [HOSTILE],
            }
        ],
        limits=[{"name": HOSTILE, "components": [HOSTILE], "reasons": {"en": HOSTILE}}],
        needs={HOSTILE: [HOSTILE]},
    )
    return story.end(1)


def _node() -> Fact:
    fields = dict.fromkeys(("name", "version", "address"), HOSTILE)
    return {**fields, "roles": [HOSTILE], "ready": False}


def _cell(wanted: str) -> Fact:
    fields = dict.fromkeys(("source", "target", "state", "detail"), HOSTILE)
    return {**fields, "port": 1, "wanted": wanted, "seconds": 0.1}
