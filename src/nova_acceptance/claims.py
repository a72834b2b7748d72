"""Claims that tests make, and the cause that is shown where one does not hold.

Most tests show one cause, which their marker `means` names. Where the answer itself tells several
causes apart, the claim is made by a function of this module, or `BrokenClaimError` is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.phrase import NOTHING, Phrase, verbatim

Held = TypeVar("Held")
_FEW: Final = 3


class BrokenClaimError(AssertionError):
    """A claim that does not hold, and what that shows."""

    def __init__(self, shown: Finding) -> None:
        super().__init__(shown.summary)
        self.shown = shown


def broken(
    cause: str,
    sentence: Phrase,
    *,
    subject: Ref = NOWHERE,
    cure: Phrase = NOTHING,
    evidence: Iterable[str] = (),
) -> BrokenClaimError:
    """Return the error of a claim that does not hold, to be raised."""
    return BrokenClaimError(Finding(cause, subject, sentence, cure, tuple(evidence)))


def exactly(
    held: Iterable[str],
    wanted: Iterable[str],
    *,
    lacking: str,
    beyond: str,
    what: Phrase,
    subject: Ref = NOWHERE,
) -> None:
    """Claim that two sets of names are the same.

    Args:
        held: what there is.
        wanted: what there should be.
        lacking: the cause that a name which is not there shows.
        beyond: the cause that a name which should not be there shows.
        what: what it is about, as the start of a sentence.
        subject: the object at which it is.

    Raises:
        BrokenClaimError: they differ; what is lacking is said first.
    """
    found, should = set(held), set(wanted)
    missing, more = sorted(should - found), sorted(found - should)
    if not (missing or more):
        return
    raise broken(
        lacking if missing else beyond,
        _difference(what, missing, more),
        subject=subject,
        evidence=(
            f"there: {', '.join(sorted(found)) or 'none'}",
            f"wanted: {', '.join(sorted(should)) or 'none'}",
        ),
    )


def _difference(what: Phrase, missing: list[str], more: list[str]) -> Phrase:
    if not more:
        return Phrase("{what} lacks {missing}", what=what, missing=missing)
    if not missing:
        return Phrase("{what} has {more} beyond what it should", what=what, more=more)
    return Phrase(
        "{what} lacks {missing} and has {more} beyond what it should",
        what=what,
        missing=missing,
        more=more,
    )


def equal(held: Held, wanted: Held, cause: str, what: Phrase, *, subject: Ref = NOWHERE) -> None:
    """Claim that a value is what it should be.

    Raises:
        BrokenClaimError: it is another.
    """
    if held != wanted:
        said = Phrase(
            "{what} is {held}, not {wanted}", what=what, held=repr(held), wanted=repr(wanted)
        )
        raise broken(cause, said, subject=subject)


def holds(claim: object, cause: str, otherwise: Phrase, *, subject: Ref = NOWHERE) -> None:
    """Claim something that is so or is not; `otherwise` says the latter.

    Raises:
        BrokenClaimError: it is not so.
    """
    if not claim:
        raise broken(cause, otherwise, subject=subject)


def none_of(items: Sequence[str], cause: str, what: Phrase, *, subject: Ref = NOWHERE) -> None:
    """Claim that there is nothing of a kind.

    Raises:
        BrokenClaimError: there is something.
    """
    if items:
        raise broken(
            cause,
            Phrase("{what}: {items}", what=what, items=_few(items)),
            subject=subject,
            evidence=items,
        )


def _few(items: Sequence[str]) -> Phrase:
    shown, more = "; ".join(items[:_FEW]), len(items) - _FEW
    return (
        Phrase("{shown}; and {more} more", shown=shown, more=more) if more > 0 else verbatim(shown)
    )
