"""The document of all causes, made from the catalogue: `docs/diagnosis.md`."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from nova_acceptance.diagnosis.catalogue import CAUSES, FAMILIES
from nova_acceptance.diagnosis.cause import Cause

_HEAD = """\
# What goes wrong, and how it is told

<!-- made by `make docs` from src/nova_acceptance/diagnosis/families; not to be edited by hand -->

When a test fails, a deployment does not become ready or `nova-cluster diagnose` finds something,
the first line names one of the causes below, what it was found at, and what to do:

    STORAGE_CLASS_MISSING: StatefulSet nova-redis/redis, claim template data, names the storage
    class quick, which the cluster does not have → name one of standard, or none, so that …

Where several hold, the deepest comes first, in the order of this page: what the others stand on.
Those that are marked as consequences come under whatever deeper cause their object depends on, and
stand by themselves only where no such cause is known. Where none is known at all, the first line
says `UNKNOWN`, and what was seen follows.

    $ nova-cluster diagnose                        # our own cluster, else the current context
    $ nova-cluster diagnose --context NAME --namespace NS

It reads and changes nothing, works on any cluster, and exits with 1 where something is wrong. Of
Secrets it shows names, keys, and of URLs scheme, host and port, and of a database's URL its user
and name as well.
"""


def document() -> str:
    """Return the document, as Markdown."""
    return "\n".join((_HEAD, *_contents(), *(line for it in FAMILIES for line in _family(it)), ""))


def _contents() -> Iterator[str]:
    yield f"There are {len(CAUSES)} causes:"
    yield ""
    for family in FAMILIES:
        if links := [f"[{cause}](#{str(cause).lower()})" for cause in _causes(family)]:
            yield f"- {_title(family)}: {', '.join(links)}"


def _family(family: ModuleType) -> Iterator[str]:
    if not _causes(family):
        return
    yield ""
    yield f"## {_title(family)}"
    for cause in _causes(family):
        yield ""
        yield from _section(cause)


def _section(cause: Cause) -> Iterator[str]:
    yield f"### {cause}"
    yield ""
    yield f"{cause.title}.{' A consequence.' if cause.is_symptom else ''}"
    yield ""
    for word, text in (("Symptom", cause.symptom), ("Evidence", cause.proof), ("Cure", cause.cure)):
        yield f"- **{word}**: {text}"


def _causes(family: ModuleType) -> tuple[Cause, ...]:
    return tuple(getattr(family, "CAUSES", ()))


def _title(family: ModuleType) -> str:
    return (family.__doc__ or family.__name__).strip().partition("\n")[0].rstrip(".")
