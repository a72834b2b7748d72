"""The document of all causes, made from the catalogue: `docs/diagnosis.md`."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.causes import Cause, Family, causes, families

_HEAD = """\
# What goes wrong, and how it is told

<!-- made by `make docs` from the causes.toml of the components; not to be edited by hand -->

When a test fails, a deployment does not become ready or `nova-cluster diagnose` finds something,
the first line names one of the causes below, what it was found at, and what to do:

    STORAGE_CLASS_MISSING: StatefulSet nova-redis/redis, claim template data, names the storage
    class quick, which the cluster does not have → name one of standard, or none, so that …

Where several hold, the deepest comes first, in the order of this page: what the others stand on.
Those that are marked as consequences come under whatever deeper cause their object depends on, and
stand by themselves only where no such cause is known. Where none is known at all, the first line
says `UNKNOWN`, and what was seen follows. A matter of policy breaks a rule of security or of
resources: all works in spite of it, so it is told apart from the others, and after them.

    $ nova-cluster diagnose                        # our own cluster, else the current context
    $ nova-cluster diagnose --context NAME --namespace NS

It reads and changes nothing, works on any cluster, and exits with 1 where something is wrong. Of
Secrets it shows names, keys, and of URLs scheme, host and port, and of a database's URL its user
and name as well.
"""


def document() -> str:
    """Return the document, as Markdown."""
    sections = (line for family in families() for line in _family(family))
    return "\n".join((_HEAD, *_contents(), *sections, ""))


def _contents() -> Iterator[str]:
    yield f"There are {len(causes())} causes:"
    yield ""
    for family in families():
        links = [f"[{cause}](#{cause.id.lower()})" for cause in family.causes]
        yield f"- {family.heading}: {', '.join(links)}"


def _family(family: Family) -> Iterator[str]:
    yield ""
    yield f"## {family.heading}"
    for cause in family.causes:
        yield ""
        yield from _section(cause)


def _section(cause: Cause) -> Iterator[str]:
    yield f"### {cause}"
    yield ""
    kind = " A consequence." if cause.is_symptom else ""
    kind += " A matter of policy." if cause.is_policy else ""
    yield f"{cause.title}.{kind}"
    yield ""
    for word, text in (("Symptom", cause.symptom), ("Evidence", cause.proof), ("Cure", cause.cure)):
        yield f"- **{word}**: {text}"
