"""What differs between two runs: where and of what they were, and what came of their tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nova_acceptance.report.model import BROKEN, REJECTING, Outcome, Verdict
from nova_acceptance.report.outcomes import Past, PastCause

FACTOR: Final = 2.0
"""How many times as long a test has to take, for its duration to be told."""

LEAST: Final = 1.0
"""How many seconds longer it has to take, besides."""

SHORT: Final = 12
"""Digits that are shown of a commit or a digest."""


@dataclass(frozen=True, slots=True)
class Change:
    """A circumstance that is another one.

    Attributes:
        kind: a key below `comparison.kind` of the texts.
        name: of what: a tool or a component; empty for what there is one of.
        before: as it was.
        after: as it is.
    """

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Pace:
    """A test that passed both times and took notably longer or less long, in seconds."""

    test: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two runs; tests are named as pytest names them, in their order.

    Attributes:
        before: the earlier run, or the one that is compared with.
        after: the other one.
        changes: the circumstances that changed.
        failing: tests that fail now and did not, or were not there before.
        unshown: tests that passed and now neither pass nor fail.
        mended: tests that failed and pass now.
        still: tests that fail both times, whether that counts or not.
        added: tests that were not there before and do not fail; none where the earlier run looked
            at a part only.
        gone: tests that are no longer there; none where the later run looked at a part only.
        paces: tests whose duration changed notably.
        causes_came: causes that were not named before.
        causes_went: causes that are no longer named.
    """

    before: Past
    after: Past
    changes: tuple[Change, ...] = ()
    failing: tuple[str, ...] = ()
    unshown: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    paces: tuple[Pace, ...] = ()
    causes_came: tuple[PastCause, ...] = ()
    causes_went: tuple[PastCause, ...] = ()

    @property
    def is_worse(self) -> bool:
        """Whether a test fails that did not, or is no longer shown to pass, or the verdict fell."""
        was_accepted = self.before.verdict is Verdict.ACCEPTED
        fell = was_accepted and self.after.verdict is not Verdict.ACCEPTED
        return bool(self.failing or self.unshown or fell)


def compare(before: Past, after: Past) -> Comparison:
    """Return what differs between two runs."""
    old, new = before.tests, after.tests
    both = [test for test in new if test in old]
    failed_before = {test for test in both if old[test].outcome in REJECTING}
    broken_before = {test for test in both if old[test].outcome in BROKEN}
    broken_now = {test for test in new if new[test].outcome in BROKEN}
    fails_now = {test for test in new if new[test].outcome in REJECTING}
    passed_before = {test for test in both if old[test].outcome is Outcome.PASSED}
    passes_now = {test for test in both if new[test].outcome is Outcome.PASSED}
    unshown = passed_before - passes_now - fails_now
    passed_twice = passed_before & passes_now
    failing = fails_now - failed_before
    # a failure that does not count any more has not been mended
    still = (broken_before & broken_now) - failing
    there, here = ({(each.cause, each.subject) for each in past.causes} for past in (before, after))
    return Comparison(
        before=before,
        after=after,
        changes=tuple(_changes(before, after)),
        failing=tuple(test for test in new if test in failing),
        unshown=tuple(test for test in both if test in unshown),
        mended=tuple(test for test in both if test in broken_before & passes_now),
        still=tuple(test for test in both if test in still),
        added=()
        if before.is_partial
        else tuple(test for test in new if test not in old and test not in fails_now),
        gone=() if after.is_partial else tuple(test for test in old if test not in new),
        paces=tuple(
            Pace(test, old[test].seconds, new[test].seconds)
            for test in both
            if test in passed_twice and _is_notable(old[test].seconds, new[test].seconds)
        ),
        causes_came=tuple(c for c in after.causes if (c.cause, c.subject) not in there),
        causes_went=tuple(c for c in before.causes if (c.cause, c.subject) not in here),
    )


def _is_notable(before: float, after: float) -> bool:
    short, long = sorted((before, after))
    return long >= FACTOR * short and long - short >= LEAST


def _changes(before: Past, after: Past) -> Iterator[Change]:
    """Yield what changed of what both runs tell; what one of them does not tell is unknown."""
    old, new = _facts(before), _facts(after)
    for kind in old:
        if old[kind] and new[kind] and old[kind] != new[kind]:
            yield Change(kind, "", old[kind], new[kind])
    for kind, olds, news in (
        ("tool", before.versions, after.versions),
        ("image", _joined(before.images), _joined(after.images)),
    ):
        for name in olds:
            if olds[name] and news.get(name) and olds[name] != news[name]:
                yield Change(kind, name, olds[name], news[name])


def _facts(past: Past) -> dict[str, str]:
    """Return what there is one of in a run; a commit with changes as `git describe` spells it."""
    commit = past.manifests.commit[:SHORT]
    return {
        "cluster": past.cluster.name,
        "provider": past.cluster.provider,
        "kubernetes": past.cluster.version,
        "nodes": str(past.cluster.nodes or ""),
        "overlay": past.overlay,
        "commit": f"{commit}-dirty" if commit and past.manifests.is_changed else commit,
        "digest": past.manifests.digest[:SHORT],
    }


def _joined(images: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {component: ", ".join(names) for component, names in images.items()}
