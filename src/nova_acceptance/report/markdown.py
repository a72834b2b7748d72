"""The short report: `summary.md`, fit for a pull request's comment or a job's summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from nova_acceptance.report.cause_texts import UNKNOWN
from nova_acceptance.report.differences import differences
from nova_acceptance.report.entries import Entry, entries_of
from nova_acceptance.report.escaping import code, prose, sentence
from nova_acceptance.report.history import Flip, History
from nova_acceptance.report.model import REJECTING, Named, Outcome, Problem, Run, Test
from nova_acceptance.report.texts import ENGLISH, Texts, texts
from nova_acceptance.report.wording import Wording

FILE_NAME: Final = "summary.md"

LONGEST: Final = 60_000
"""Characters of the whole; GitHub takes 65,536 in a comment."""

MOST_TESTS: Final = 20
_MOST: Final = 10
"""Entries of a list that may be longer."""

_SHORT: Final = 12


def render(run: Run, *, language: str, history: History) -> str:
    """Return the summary; foreign text in it has no meaning in Markdown.

    Args:
        run: what is reported.
        language: one of `texts.LANGUAGES`.
        history: the runs before it.
    """
    say = texts(language)
    summary = _Summary(run, say)
    parts = (
        summary.verdict(),
        summary.first(),
        summary.where(),
        summary.causes(),
        summary.layers(),
        summary.failed(),
        summary.quarantined(),
        summary.aside(),
        summary.since_green(history),
        summary.flips(history),
        summary.problems(),
    )
    return _fitted([line for part in parts for line in part], say("summary.cut"))


class _Summary:
    """The parts of the summary, each as lines that are whole by themselves."""

    def __init__(self, run: Run, say: Texts) -> None:
        self._run = run
        self._entries = entries_of(run.causes)
        self._say = say
        self._word = Wording(say)

    def verdict(self) -> Iterator[str]:
        say, word, run = self._say, self._word, self._run
        yield f"## {word.sign(run.verdict)} {word.heading(run)}"
        counted = [
            word.count(outcome, run.outcomes[outcome])
            for outcome in reversed(Outcome)
            if run.outcomes[outcome]
        ]
        counts = say("summary.and").join(counted or [word.count(Outcome.PASSED, 0)])
        yield ""
        yield say("summary.took", counts=counts, time=word.duration(run.seconds))
        if run.deselected:
            yield say("page.where.left-out", n=run.deselected)
        if run.uncollected:
            yield say("page.where.uncollected", layers=word.layers(run.uncollected))
        if run.is_as_found:
            yield say("page.where.as-found")
        yield ""

    def first(self) -> Iterator[str]:
        """Yield what to do first, where there is a choice."""
        if len(self._entries.every) < 2:  # noqa: PLR2004 - one is told below, and alone
            return
        yield f"### {self._say('page.causes.first')}"
        yield ""
        for number, entry in enumerate(self._entries.first, 1):
            yield f"{number}. {self._to_do(entry)}"
        yield ""
        if self._entries.rest:
            yield self._say("page.causes.rest", n=self._entries.rest)
            yield ""

    def where(self) -> Iterator[str]:
        run = self._run
        provider = str(run.cluster.get("provider") or "")
        name = code(str(run.cluster.get("name") or ""))
        cluster = f"{name} ({prose(provider)})" if name and provider else name
        facts = {
            "cluster": cluster or self._say("page.no-cluster"),
            "version": code(str(run.cluster.get("version") or "")),
            "nodes": str(len(run.topology.nodes) or ""),
            "overlay": code(str(run.deployment.get("overlay") or "")),
            "manifests": self._manifests(),
            "when": f"{run.started:%Y-%m-%d %H:%M:%S} UTC" if run.started else "",
        }
        for key, value in facts.items():
            if value:
                yield f"- {self._fact(self._say(f'page.where.{key}'), value)}"
        yield ""

    def causes(self) -> Iterator[str]:
        yield from self._section("page.part.causes", map(self._entry, self._entries.working))
        yield from self._section("page.causes.policy", map(self._entry, self._entries.policy))

    def layers(self) -> Iterator[str]:
        say, word, run = self._say, self._word, self._run
        if not run.layers:
            return
        there = [each for each in reversed(Outcome) if run.outcomes[each] or each is Outcome.PASSED]
        yield f"### {say('page.part.system')}"
        yield ""
        headings = [say("summary.layer"), say("page.system.verdict"), *map(word.outcome, there)]
        yield f"| {' | '.join(headings)} |"
        yield f"| --- | --- |{' ---: |' * len(there)}"
        for layer in run.layers:
            verdict = f"{word.sign(layer.verdict)} {word.verdict(layer.verdict)}"
            numbers = [str(layer.outcomes[outcome]) for outcome in there]
            yield f"| {' | '.join([word.layer(layer.name), verdict, *numbers])} |"
        yield ""
        short = (
            say("summary.not-ready", part=code(part.name), ready=part.ready, wanted=part.wanted)
            for layer in run.layers
            for part in layer.components
            if part.ready < part.wanted
        )
        yield from self._items(dict.fromkeys(short), MOST_TESTS)

    def failed(self) -> Iterator[str]:
        lines = (
            self._fact(code(test.nodeid), code(_reason(test)) or self._word.outcome(test.outcome))
            for test in self._run.tests
            if test.outcome in REJECTING
        )
        yield from self._section("summary.failed", lines, MOST_TESTS)

    def quarantined(self) -> Iterator[str]:
        lines = (
            self._say(
                "summary.until",
                test=code(test.nodeid),
                cause=code(test.cause) or self._word.outcome(test.outcome),
                until=prose(test.quarantine.until),
                reason=sentence(test.quarantine.reason),
                owner=prose(test.quarantine.owner),
            )
            for test in self._run.tests
            if test.quarantine and test.outcome is Outcome.QUARANTINED
        )
        yield from self._section("summary.quarantined", lines, MOST_TESTS)

    def aside(self) -> Iterator[str]:
        say = self._say
        limits = (
            say(
                "summary.limit",
                name=prose(limit.name),
                components=say("summary.and").join(map(code, limit.components[:_MOST])),
                reason=prose(self._word.reason(limit)),
            )
            for limit in self._run.topology.limits
        )
        systems = (
            self._fact(prose(system["name"]), say("page.system.not-verified"))
            for system in self._run.external
        )
        yield from self._section("page.system.aside", (*limits, *systems))

    def since_green(self, history: History) -> Iterator[str]:
        since = history.since_green
        if since is None:
            return
        yield f"### {self._say('page.history.since', run=code(since.before.name))}"
        yield ""
        parts = list(differences(since, self._say, code, _MOST))
        for part in parts:
            yield f"- {part.heading}"
            yield from (f"  - {line}" for line in part.lines)
        if not parts:
            yield self._say("page.history.nothing")
        yield ""

    def flips(self, history: History) -> Iterator[str]:
        lines = (self._flip(flip) for flip in history.flips)
        yield from self._section("page.history.flips", lines)

    def problems(self) -> Iterator[str]:
        lines = map(self._problem, self._run.problems)
        yield from self._section("page.causes.problems", lines, MOST_TESTS)

    def _section(self, heading: str, entries: Iterable[str], most: int = _MOST) -> Iterator[str]:
        """Yield a heading and a list, or nothing."""
        if items := list(self._items(entries, most)):
            yield f"### {self._say(heading)}"
            yield ""
            yield from items

    def _items(self, entries: Iterable[str], most: int) -> Iterator[str]:
        """Yield a list of at most so many entries, each of which may have lines below its first."""
        found = list(entries)
        for entry in found[:most]:
            first, *below = entry.split("\n")
            yield f"- {first}"
            yield from (f"  - {line}" for line in below)
        if rest := found[most:]:
            yield f"- {self._say('page.history.more', n=len(rest))}"
        if found:
            yield ""

    def _to_do(self, entry: Entry) -> str:
        cure, _ = self._word.cure(entry)
        return self._say(
            "summary.to-do",
            cause=prose(entry.cause),
            subject=self._word.where(entry, code),
            cure=sentence(cure),
            gain=self._word.gain(entry),
        )

    def _entry(self, entry: Entry) -> str:
        say, word = self._say, self._word
        title = prose(word.cause(entry.cause, "title"))
        if len(entry.places) == 1:
            title = title if say.language != ENGLISH else ""
            told, *below = self._place(entry.first), *self._cures(entry.first)
        else:
            title, told = "", prose(word.objects(entry))
            is_one = len({each.cure for each in entry.places}) == 1
            below = list(self._few(self._place(each, cured=not is_one) for each in entry.places))
            below += self._cure(entry)
        if entry.tests:
            told = say("summary.explains", told=told, n=entry.tests)
        heading = " ".join(filter(None, (f"**{prose(entry.cause)}**", title, told)))
        return "\n".join([heading, *below, *self._brought(entry)])

    def _place(self, named: Named, *, cured: bool = False) -> str:
        said, _ = self._word.phrase(named.summary)
        told = self._say("summary.at", subject=code(named.subject), summary=sentence(said))
        cure = self._word.own_cure(named) if cured else ""
        return self._say("summary.place", told=told, cure=sentence(cure)) if cure else told

    def _cures(self, named: Named) -> Iterator[str]:
        besides = self._say("page.causes.in-general")  # the page has it
        for what, cure, _ in self._word.cures(named):
            if what != besides:
                yield self._fact(what, sentence(cure))

    def _cure(self, entry: Entry) -> Iterator[str]:
        yield self._fact(self._say("page.causes.cure"), sentence(self._word.cure(entry)[0]))

    def _brought(self, entry: Entry) -> Iterator[str]:
        """Yield what the run named besides and what only follows."""
        lines = (
            f"{code(each.cause)} {self._word.where(each, code)}" for each in entry.consequences
        )
        if told := self._say("summary.and").join(self._few(lines)):
            yield self._fact(self._say("page.causes.symptoms"), told)

    def _few(self, entries: Iterable[str]) -> Iterator[str]:
        found = list(entries)
        yield from found[:_MOST]
        if rest := found[_MOST:]:
            yield self._say("page.history.more", n=len(rest))

    def _flip(self, flip: Flip) -> str:
        runs = self._say("summary.and").join(map(code, flip.runs))
        told = self._say("page.history.flip", n=len(flip.runs), runs=runs)
        return self._fact(code(flip.test), told)

    def _problem(self, problem: Problem) -> str:
        values = {
            name: prose(self._word.phrase(value)[0]) if isinstance(value, str) else value
            for name, value in problem.values.items()
        }
        return self._word.problem(Problem(problem.kind, values))

    def _manifests(self) -> str:
        found = self._run.manifests
        commit, digest = code(found.commit[:_SHORT]), code(found.digest[:_SHORT])
        if not commit:
            return self._say("page.where.no-commit", digest=digest) if digest else ""
        return self._say("page.where.changed", commit=commit) if found.is_changed else commit

    def _fact(self, what: str, value: str) -> str:
        return self._say("summary.fact", what=what, value=value)


def _reason(test: Test) -> str:
    """Return why a test failed: its cause, which is told above, or what it said itself."""
    return test.cause if test.cause not in ("", UNKNOWN.id) else test.message


def _fitted(lines: list[str], cut: str) -> str:
    """Return the lines as one text, as many of them as fit."""
    left = LONGEST - len(cut) - 2
    kept = []
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            kept += ["", cut]
            break
        kept.append(line)
    return "\n".join(kept).rstrip("\n") + "\n"
