"""A draft as text, which a reader of nova.yaml has accepted before anybody sees it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from nova_acceptance import masking
from nova_acceptance.collect.values import without_passwords
from nova_acceptance.components.registry import load
from nova_acceptance.diagnosis import beforehand
from nova_acceptance.draft.access import PodAccess
from nova_acceptance.draft.document import Document, describe
from nova_acceptance.draft.emitting import emit
from nova_acceptance.draft.sources import Source
from nova_acceptance.errors import NovaError, SpecError
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import System
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.transcript import Transcript

_MOST: Final = 20
"""Lines of one sort at the head of a file; more of them are counted."""


def draft(source: Source, *, checked: bool = True) -> str:
    """Return a nova.yaml of what there is, with comments where a person has to decide.

    Args:
        source: what was seen.
        checked: whether it is compared with the objects that it was made from.

    Raises:
        NovaError: it would not be accepted, which is a fault of this project.
    """
    with ExitStack() as stack:
        access = None
        if source.kube is not None:
            routes = stack.enter_context(Routes(Places(source.kube)))
            access = PodAccess(source.kube, source.snapshot, routes, Transcript())
        document = describe(source, access)
    if document.allows_undeclared or not document.data["components"]:
        document.data["undeclared"] = "allowed"
        document.comments["undeclared",] = [
            "What this file does not name is allowed, since it cannot name all that is there:",
            *_few(document.allows_undeclared or ["nothing that it could name was found"]),
        ]
    system = _accepted(_text(source, document))
    if checked:
        document.wrong += _findings(source.snapshot, system)
    text = _text(source, document)
    _accepted(text)
    return text


def _text(source: Source, document: Document) -> str:
    """Return the document as text.

    A comment may quote what a server or the API said, so it is masked; what the file says is made
    of names and keys alone, and would no longer be accepted.
    """
    comments = {
        path: [_masked(text) for text in texts] for path, texts in document.comments.items()
    }
    return emit(document.data, comments, [_masked(line) for line in _head(source, document)])


def _masked(text: str) -> str:
    return without_passwords(masking.mask(text))


def _head(source: Source, document: Document) -> list[str]:
    described = dict.fromkeys(each["namespace"] for each in document.data["components"])
    places = ", ".join(described or source.namespaces)
    lines = [
        f"Drafted by `nova-cluster draft` from {source.origin}: {places}. A draft takes what is for"
        " what should be: read it before you rely on it. `nova-cluster schema` prints what may"
        " stand here."
    ]
    parts = (
        ("Looks wrong as it is:", document.wrong),
        ("Could not be found out:", document.unknown),
        ("For a person to decide:", document.to_decide),
    )
    for title, texts in parts:
        if texts:
            lines += ["", title, *_few(dict.fromkeys(texts))]
    return lines


def _few(texts: Iterable[str]) -> list[str]:
    listed = list(texts)
    lines = [f"- {text}" for text in listed[:_MOST]]
    return [*lines, f"- and {len(listed) - _MOST} more"] if listed[_MOST:] else lines


def _accepted(text: str) -> System:
    """Return the draft as its readers will have it.

    Raises:
        NovaError: they refuse it.
    """
    with tempfile.TemporaryDirectory(prefix="nova-draft-") as scratch:
        path = Path(scratch, "nova.yaml")
        path.write_text(text, "utf-8")
        try:
            return load(path)
        except SpecError as error:
            raise NovaError(
                f"the draft is no nova.yaml: {error.message.removeprefix(f'{path}:')}",
                hint="this is a fault of nova-cluster: please report it with this message",
                evidence=error.evidence,
            ) from error


def _findings(snapshot: Snapshot, system: System) -> Iterator[str]:
    """Yield what the objects show to be wrong, measured by the draft."""
    seen = Snapshot(
        system=system,
        listed=set(snapshot.listed),
        failures=dict(snapshot.failures),
    )
    for where in snapshot.refs():
        if obj := snapshot.at(where):
            seen.update("ADDED", obj, fresh=False)
    for each in beforehand(seen):
        yield f"{each.cause}: {each.summary}"
