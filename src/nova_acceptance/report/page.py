"""The report of a run: one file that loads nothing, in one language, read by people.

What the cluster and the tests say is hostile input. The templates are rendered with autoescaping,
the script writes text and never markup, and the page's own policy (CSP level 3) lets no script run
but that one, known by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from nova_acceptance.report.anchors import anchor, mark
from nova_acceptance.report.chart import scale_of
from nova_acceptance.report.compiled import kept
from nova_acceptance.report.details import pack
from nova_acceptance.report.entries import Entry, entries_of
from nova_acceptance.report.escaping import plain, spans
from nova_acceptance.report.history import PAGE, History
from nova_acceptance.report.model import LAYERS, OTHER, Outcome, Run, urgency
from nova_acceptance.report.outcomes import Past
from nova_acceptance.report.past import link_to, moment_of, past_of
from nova_acceptance.report.tables import matrix_of, pods_by_node
from nova_acceptance.report.texts import Texts, texts
from nova_acceptance.report.timeline import timeline_of
from nova_acceptance.report.wording import Wording, key_of

FILE_NAME: Final = PAGE
_OF_THE_PAGE: Final = "page/"
_TEMPLATE: Final = f"{_OF_THE_PAGE}report.html"
_BESIDE: Final = ("run.jsonl", "junit.xml", "summary.md", "metrics.prom", "pytest-html.html")
_WORDS: Final = {
    "asked": "asked",
    "source": "source",
    "target": "target",
    "answer": "answer",
    "time": "time",
    "evidence": "evidence",
    "failure": "failure",
    "output": "output",
    "link": "link",
    "worker": "worker",
    "past": "past",
    "cause": "cause",
    "nothing": "nothing",
    "leftOut": "left-out",
    "tooOld": "too-old",
    "noResult": "no-result",
    "shown": "shown",
}
"""The texts that the script writes, by its own names for them."""


def render(run: Run, *, language: str, history: History) -> Iterator[str]:
    """Return the page piece by piece; it loads nothing from elsewhere.

    Args:
        run: what is reported.
        language: one of `texts.LANGUAGES`.
        history: the runs before it.
    """
    say = texts(language)
    tests = sorted(run.tests, key=urgency)
    past = past_of(history)
    timeline = timeline_of(run)
    script = _resource("report.js")
    page = _environment().get_template(_TEMPLATE)
    return page.generate(
        run=run,
        say=say,
        word=Wording(say),
        style=Markup(_resource("report.css")),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        script_digest=_digest(script),
        entries=entries_of(run.causes),
        words=_words(say, history),
        chunks=pack(tests, past, lambda n: say("page.tests.cut", n=n)),
        manifests=_manifests(run, say),
        limited={name for limit in run.topology.limits for name in limit.components},
        pod_table=pods_by_node(run.topology),
        opened=matrix_of(run.topology.reaches, "open"),
        closed=matrix_of(run.topology.reaches, "closed"),
        timeline=timeline,
        scale=scale_of(max((bar.end for bar in timeline.bars), default=0.0)),
        durations=scale_of(max(past.seconds for past in history.runs)),
        there_before=sum(steps.ready == 0.0 for steps in run.topology.steps),
        tests=tests,
        layers=[name for name in (*LAYERS, OTHER) if any(t.layer == name for t in tests)],
        outcomes=[outcome for outcome in Outcome if run.outcomes[outcome]],
        markers=sorted({marker for test in tests for marker in test.markers}),
        here={test.nodeid for test in tests},
        history=history,
        files=_BESIDE,
    )


def _entry_anchor(entry: Entry) -> str:
    """Return the name of an entry's place: its only object's, or one for all of them."""
    named = entry.first
    return anchor(entry.cause, named.subject if len(entry.places) == 1 else "*")


def _local(path: str) -> str:
    """Return a path as a link below the page's directory, whatever the record says."""
    parts = (part for part in path.split("/") if part not in ("", ".", ".."))
    return f"./{urllib.parse.quote('/'.join(parts))}"


def _ticked(text: str) -> Markup:
    """Return a sentence with what it sets in backticks as code."""
    code = Markup("<code>{}</code>")
    return Markup().join(code.format(part) if is_code else part for part, is_code in spans(text))


def _counted(past: Past) -> Counter[Outcome]:
    return Counter(taken.outcome for taken in past.tests.values())


def _manifests(run: Run | Past, say: Texts) -> str:
    found = run.manifests
    if not found.commit:
        digest = found.digest[:12]
        return say("page.where.no-commit", digest=digest) if digest else ""
    short = found.commit[:12]
    return say("page.where.changed", commit=short) if found.is_changed else short


def _words(say: Texts, history: History) -> dict[str, Any]:
    return {
        **{name: say(f"page.tests.{key}") for name, key in _WORDS.items()},
        "milliseconds": say.get("words.duration.milliseconds"),
        "seconds": say.get("words.duration.seconds"),
        "outcomes": {
            key_of(outcome): say(f"words.outcome.{key_of(outcome)}") for outcome in Outcome
        },
        "runs": [moment_of(past) for past in history.runs],
    }


def _digest(script: str) -> str:
    """Return the digest by which the page's policy knows a script (CSP level 3, section 2.3.1)."""
    octets = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(octets).decode()}"


def prepare() -> None:
    """Compile the templates, which takes longer than to render them."""
    environment = _environment()
    for name in environment.list_templates(["html"]):
        if name.startswith(_OF_THE_PAGE):
            environment.get_template(name)


def _resource(name: str) -> str:
    folder = resources.files("nova_acceptance.report") / "templates" / "page"
    return (folder / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nova_acceptance.report", "templates"),
        auto_reload=False,
        autoescape=True,
        bytecode_cache=kept(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": lambda named: anchor(named.cause, named.subject),
        "entry_anchor": _entry_anchor,
        "counted": _counted,
        "link": link_to,
        "local": _local,
        "manifests": _manifests,
        "mark": mark,
        "moment": moment_of,
        "plain": plain,
        "ticked": _ticked,
    }
    return environment
