"""The model's words in the language of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from nova_acceptance.causes import Field
from nova_acceptance.report.cause_texts import cause_text
from nova_acceptance.report.entries import Entry
from nova_acceptance.report.model import Named, Problem, Run, Test
from nova_acceptance.report.phrases import in_language
from nova_acceptance.report.texts import ENGLISH, Texts, texts
from nova_acceptance.report.topology import Limit


class Wording:
    """Spells verdicts, outcomes, durations and the like.

    Args:
        say: the texts of the language.
    """

    def __init__(self, say: Texts) -> None:
        self._say = say

    def sign(self, verdict: str) -> str:
        """Return the sign of a verdict."""
        return self._say(f"page.sign.{key_of(verdict)}")

    def verdict(self, verdict: str) -> str:
        """Return a verdict."""
        return self._say(f"words.verdict.{key_of(verdict)}")

    def heading(self, run: Run) -> str:
        """Return the first line of a report: the verdict, and whether it is of a part only."""
        told = "page.heading-in-part" if run.is_partial else "page.heading"
        return self._say(told, verdict=self.verdict(run.verdict))

    def outcome(self, outcome: str) -> str:
        """Return an outcome."""
        return self._say(f"words.outcome.{key_of(outcome)}")

    def count(self, outcome: str, number: int) -> str:
        """Return how many tests came to an outcome."""
        return self._say(f"words.count.{key_of(outcome)}", n=number)

    def layer(self, layer: str) -> str:
        """Return the name of a layer."""
        return self._say(f"words.layer.{layer}")

    def layers(self, layers: Iterable[str]) -> str:
        """Return the names of layers, one after the other."""
        return self._say("summary.and").join(map(self.layer, layers))

    def counted(self, kind: str) -> str:
        """Return the name of a kind of objects, as the record spells it where it is unknown."""
        return self._say.get(f"page.count.{kind}") or kind

    def state(self, state: str) -> str:
        """Return what came of a connection."""
        return self._say.get(f"page.reach.{state}") or self._say("page.reach.other", state=state)

    def problem(self, problem: Problem) -> str:
        """Return what kept a run from being complete."""
        values = {
            name: self.phrase(value)[0] if isinstance(value, str) else value
            for name, value in problem.values.items()
        }
        return self._say(f"words.problem.{problem.kind}", **values)

    def duration(self, seconds: float) -> str:
        """Return a duration as a person reads it."""
        if round(seconds, 3) < 1:
            return self._say("words.duration.milliseconds", n=f"{1000 * seconds:.0f}")
        if round(seconds, 1) < 60:  # noqa: PLR2004 - seconds of a minute
            return self._say("words.duration.seconds", n=f"{seconds:.1f}")
        minutes, rest = divmod(round(seconds), 60)
        return self._say("words.duration.minutes", minutes=minutes, n=rest)

    def cause(self, cause: str, field: Field) -> str:
        """Return what the catalogue says of a cause; nothing of one that it does not know."""
        return cause_text(cause, field, self._say.language)

    def cures(self, named: Named) -> Iterator[tuple[str, str, str]]:
        """Yield what to do about a cause: a title, the cure, and the language that it is in.

        What the run said fits this very object, and comes first where it is in the language.
        """
        general = self.cause(named.cause, "cure")
        here, language = self.phrase(named.cure)
        if named.cure == cause_text(named.cause, "cure", ENGLISH):
            here = ""
        if here and language == self._say.language:
            yield self._say("page.causes.cure"), here, language
            if general:
                yield self._say("page.causes.in-general"), general, language
        else:
            if general:
                yield self._say("page.causes.cure"), general, self._say.language
            if here:
                yield self._say("page.causes.here"), here, language

    def cure(self, entry: Entry) -> tuple[str, str]:
        """Return in one sentence what to do about an entry, and the language that this is in.

        Where each of its objects needs something else it is what the catalogue says of all.
        """
        general = self.cause(entry.cause, "cure")
        if general and len({each.cure for each in entry.places}) > 1:
            return general, self._say.language
        return next(((cure, told) for _, cure, told in self.cures(entry.first)), ("", ENGLISH))

    def own_cure(self, named: Named) -> str:
        """Return what to do at one object of several; nothing where it is said of all of them."""
        general = self.cause(named.cause, "cure")
        return next((cure for _, cure, _ in self.cures(named) if cure != general), "")

    def objects(self, entry: Entry) -> str:
        """Return what is wrong at several objects, and at how many of them."""
        objects = self._say("page.causes.at-objects", n=len(entry.places))
        title = self.cause(entry.cause, "title")
        return self._say("page.causes.titled", title=title, objects=objects) if title else objects

    def gain(self, entry: Entry) -> str:
        """Return how many tests turn green with an entry, and how many need others as well."""
        shared = entry.tests - entry.alone
        turns = self._say("page.causes.turns", n=entry.alone) if entry.alone else ""
        shares = self._say("page.causes.shares", n=shared) if shared else ""
        if turns and shares:
            return self._say("page.causes.gains", turns=turns, shares=shares)
        return turns or shares or self._say("page.causes.no-gain")

    def where(self, entry: Entry, shown: Callable[[str], str] = str) -> str:
        """Return at which objects an entry is, the first of them by its name.

        Args:
            entry: what is told.
            shown: makes a name fit for where it is written.
        """
        subject = shown(entry.first.subject)
        more = len(entry.places) - 1
        return self._say("page.causes.at-more", subject=subject, n=more) if more else subject

    def phrase(self, said: str) -> tuple[str, str]:
        """Return a sentence that the run wrote, and the language that it is told in."""
        return in_language(said, self._say.language)

    def reason(self, limit: Limit) -> str:
        """Return why something is limited, in this language where the manifests tell it."""
        return limit.reasons.get(self._say.language) or limit.reasons.get(ENGLISH, "")

    def doc(self, test: Test) -> tuple[str, str]:
        """Return the fact that a test shows, and the language that this is in."""
        return doc_of(test.nodeid, test.doc, self._say.language)


def key_of(word: str) -> str:
    """Return a verdict or an outcome as the texts and the styles spell it."""
    return str(word).replace(" ", "-")


def doc_of(nodeid: str, doc: str, language: str) -> tuple[str, str]:
    """Return what a test shows, and the language that this is in.

    A record has it in English, from the test's docstring. `texts/<language>/tests.toml` has it by
    the file's path below `tests/` and the function's name, in English as it was when it was
    translated. A test whose docstring is another by now is told in the words of the record: it may
    show something else.

    Args:
        nodeid: pytest's name of the test; its parameters make no difference.
        doc: the sentence in the record.
        language: the one that is wanted, of `texts.LANGUAGES`.
    """
    path, _, function = nodeid.partition("[")[0].removeprefix("tests/").partition("::")
    key = f"tests.{path}.{function}"
    is_the_same = texts(ENGLISH).get(key) == doc
    translated = texts(language).get(key) if is_the_same else ""
    return (translated, language) if translated else (doc, ENGLISH)
