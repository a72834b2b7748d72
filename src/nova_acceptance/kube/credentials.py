"""Whom the kubeconfig says that we are: a token, a password, a certificate, or a program's word.

Source: Kubernetes documentation, "Authenticating"; client-go, `tools/clientcmd`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from nova_acceptance import masking
from nova_acceptance.kube.credential_plugin import Credential, Plugin

_FILE_SERVES: Final = 60.0
"""Seconds after which a file with a token is read anew, as client-go does."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """Credentials that have ended.

    Attributes:
        what: which: `token`, or `client certificate`.
        at: when they ended.
    """

    what: str
    at: datetime


class Credentials:
    """What goes with every request to say who asks; threads share it.

    Args:
        user: the user's name in the kubeconfig.
        token: a bearer token.
        token_file: a file that holds one, and may get another.
        basic: the value of an `Authorization` header made of a name and a password.
        plugin: a program that gives a token or a certificate.
        certificate_ends: when the client's certificate ends.
    """

    def __init__(
        self,
        user: str,
        *,
        token: str = "",
        token_file: Path | None = None,
        basic: str = "",
        plugin: Plugin | None = None,
        certificate_ends: datetime | None = None,
    ) -> None:
        self.user = user
        self.plugin = plugin
        self._lock = threading.Lock()
        self._token = token
        self._file = token_file
        self._read_at = 0.0
        self._basic = basic
        self._given: Credential | None = None
        self._certificate_ends = certificate_ends
        self._on_certificate: Callable[[Credential], None] = lambda _given: None
        masking.register([token, basic.partition(" ")[2]])

    def on_certificate(self, take: Callable[[Credential], None]) -> None:
        """Have a certificate that a plug-in gives told, before it is needed."""
        self._on_certificate = take

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks; what has ended is fetched anew, once for all.

        Raises:
            ClusterError: it cannot be fetched.
        """
        with self._lock:
            if self.plugin and (self._given is None or _is_over(self._given.expires)):
                self._fetch(self.plugin)
            elif self._file and time.monotonic() - self._read_at > _FILE_SERVES:
                self._read(self._file)
            return self._now()

    def renew(self, refused: dict[str, str]) -> bool:
        """Fetch others, where there may be; tell whether there are others than were refused.

        Args:
            refused: the headers that went with a request that the API refused for them.

        Raises:
            ClusterError: they cannot be fetched.
        """
        with self._lock:
            if self._now() != refused:
                return True  # another thread has done so meanwhile
            before = self._given
            if self.plugin:
                self._fetch(self.plugin)
            elif self._file:
                self._read(self._file)
            of_certificate = bool(before and before.certificate and before != self._given)
            return self._now() != refused or of_certificate

    def lapse(self, now: datetime) -> Lapse | None:
        """Return what of them has ended, by what they say themselves; None where nothing has."""
        with self._lock:
            token = self._given.token if self._given else self._token
        found = (("token", ends_of(token)), ("client certificate", self._certificate_ends))
        return next((Lapse(what, at) for what, at in found if at and at <= now), None)

    def _now(self) -> dict[str, str]:
        token = self._given.token if self._given else self._token
        said = f"Bearer {token}" if token else self._basic
        return {"authorization": said} if said else {}

    def _fetch(self, plugin: Plugin) -> None:
        given = plugin.run()
        is_other = self._given is None or given.certificate != self._given.certificate
        self._given = given
        if given.certificate and is_other:
            self._on_certificate(given)

    def _read(self, file: Path) -> None:
        self._read_at = time.monotonic()
        with contextlib.suppress(OSError):  # while it is replaced the last one serves
            self._token = file.read_text(encoding="utf-8").strip()
            masking.register([self._token])


def ends_of(token: str) -> datetime | None:
    """Return when a JSON Web Token ends; None where it is none, or does not say (RFC 7519)."""
    parts = token.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(float(payload["exp"]), UTC)
    except (IndexError, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _is_over(moment: datetime | None) -> bool:
    return moment is not None and moment <= datetime.now(UTC)
