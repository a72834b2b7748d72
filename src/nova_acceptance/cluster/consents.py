"""The clusters that this user has allowed to be written to: a file that outlives the run."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from nova_acceptance.cluster.identity import Identity
from nova_acceptance.errors import RefusedError
from nova_acceptance.phrase import Phrase

_CLUSTERS: Final = "clusters"


@dataclass(frozen=True)
class Consent:
    """A cluster that was allowed.

    Attributes:
        context: by which context.
        host: where its API was.
        uid: what it was, as `Identity` has it.
        date: when, as `2026-11-28`.
    """

    context: str
    host: str
    uid: str
    date: str = ""

    @classmethod
    def of(cls, identity: Identity) -> Consent:
        """Return the consent to write to a cluster, given now."""
        today = time.strftime("%Y-%m-%d", time.gmtime())
        return cls(identity.context, identity.host, identity.uid, today)

    def is_of(self, identity: Identity) -> bool:
        """Whether it is that very cluster which was allowed."""
        return replace(self, date="") == Consent(identity.context, identity.host, identity.uid)


class Consents:
    """What is remembered in one file, by context.

    Args:
        path: the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, context: str) -> Consent | None:
        """Return what was allowed under a context's name; None where nothing was.

        Raises:
            RefusedError: the file cannot be read, so that it is not known.
        """
        return self._all().get(context)

    def add(self, consent: Consent) -> None:
        """Remember a consent, in the place of an earlier one under the same context.

        Raises:
            RefusedError: the file cannot be read or written.
        """
        known = {**self._all(), consent.context: consent}
        listed = [asdict(each) for _, each in sorted(known.items())]
        try:
            self._write(json.dumps({_CLUSTERS: listed}, indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            raise RefusedError(
                Phrase("{file} cannot be written", file=self._path),
                hint=Phrase("the consent is remembered there; see who owns it"),
                evidence=[str(error)],
            ) from error

    def _all(self) -> Mapping[str, Consent]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {each["context"]: Consent(**each) for each in content[_CLUSTERS]}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RefusedError(
                Phrase("{file} cannot be read", file=self._path),
                hint=Phrase("it says which clusters were allowed; remove it, and allow them again"),
                evidence=[f"{type(error).__name__}: {error}"],
            ) from error

    def _write(self, text: str) -> None:
        """Replace the file at once: whoever reads it meanwhile sees the old one, whole."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # a file of mkstemp is its owner's alone
        descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}-", dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
