"""A credential plug-in of the kubeconfig, run as kubectl runs it, within a time limit.

Source: Kubernetes documentation, "client-go credential plugins"; `client.authentication.k8s.io`
in the versions v1 and v1beta1. What a plug-in prints is a secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from nova_acceptance import masking, timeouts
from nova_acceptance.kube.failures import WayError
from nova_acceptance.phrase import Phrase

_GROUP: Final = "client.authentication.k8s.io/"
_VERSIONS: Final = ("v1", "v1beta1")
_LAST: Final = 5
"""Lines of what a plug-in said that are shown."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a plug-in gave.

    Attributes:
        token: a bearer token; empty where it gave none.
        certificate: a client's certificate, PEM; empty where it gave none.
        key: its key.
        expires: when they end; None where it does not say.
    """

    token: str
    certificate: str
    key: str
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Plugin:
    """A credential plug-in, by what the kubeconfig says of it.

    Attributes:
        user: whose credentials it gives.
        context: the context in use, for what a person is told to run.
        spec: `users[].user.exec`.
        directory: what a command with a slash in it is relative to.
        cluster: what the plug-in may be told of the cluster.
    """

    user: str
    context: str
    spec: Mapping[str, Any]
    directory: Path
    cluster: Mapping[str, Any]

    @property
    def command(self) -> str:
        """The program, as the kubeconfig names it."""
        return str(self.spec.get("command") or "")

    def run(self) -> Credential:
        """Run it and return what it gives.

        Raises:
            WayError: it is missing, fails, prints something else, or waits for a person.
        """
        version = str(self.spec.get("apiVersion") or "")
        if not self.command or version not in {f"{_GROUP}{each}" for each in _VERSIONS}:
            raise self._error(
                Phrase(
                    "the credential plug-in of the user {user} cannot be run: "
                    "it is `{command}` of {version}",
                    user=self.user,
                    command=self.command,
                    version=version or "no version",
                ),
                Phrase(
                    "update the program and have it write the kubeconfig anew; known are {known}",
                    known=[f"{_GROUP}{each}" for each in _VERSIONS],
                ),
            )
        if self.spec.get("interactiveMode") == "Always":
            raise self._waits(Phrase("it runs only where somebody is at a terminal"))
        printed = self._printed(version)
        return self._parsed(printed, version)

    def _printed(self, version: str) -> str:
        try:
            process = subprocess.Popen(
                self._argv(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment(version),
                start_new_session=True,  # so that what it starts is ended with it
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise self._missing(error) from error
        try:
            printed, said = process.communicate(timeout=timeouts.CREDENTIALS)
        except subprocess.TimeoutExpired as error:
            said = _ended(process)
            waited = Phrase(
                "it was still waiting after {seconds} s", seconds=round(timeouts.CREDENTIALS)
            )
            raise self._waits(waited, said) from error
        except BaseException:
            _ended(process)
            raise
        if process.returncode:
            raise self._error(
                Phrase(
                    "the credential plug-in `{command}` of the user {user} failed "
                    "with status {status}",
                    command=self.command,
                    user=self.user,
                    status=process.returncode,
                ),
                self._by_hand(),
                said,
            )
        return printed

    def _argv(self) -> list[str]:
        command = self.command
        if "/" in command or os.sep in command:
            command = str(self.directory / command)
        return [command, *map(str, self.spec.get("args") or ())]

    def _environment(self, version: str) -> dict[str, str]:
        given = {
            str(each.get("name")): str(each.get("value")) for each in self.spec.get("env") or ()
        }
        told: dict[str, Any] = {"interactive": False}
        if self.spec.get("provideClusterInfo"):
            told["cluster"] = dict(self.cluster)
        info = {"apiVersion": version, "kind": "ExecCredential", "spec": told}
        return {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _parsed(self, printed: str, version: str) -> Credential:
        try:
            answer = json.loads(printed)
            status = answer["status"]
            found = [
                str(status.get(name) or "")
                for name in ("token", "clientCertificateData", "clientKeyData")
            ]
            expires = status.get("expirationTimestamp")
            until = datetime.fromisoformat(expires).astimezone() if expires else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._nonsense(Phrase("it printed no ExecCredential")) from error
        token, certificate, key = found
        masking.register([token, key])
        if answer.get("apiVersion") != version:
            said = Phrase(
                "it printed one of {found} where {wanted} was asked for",
                found=str(answer.get("apiVersion")),
                wanted=version,
            )
            raise self._nonsense(said)
        if not token and not (certificate and key):
            raise self._nonsense(Phrase("it gave neither a token nor a certificate with its key"))
        return Credential(token, certificate, key, until)

    def _nonsense(self, what: Phrase) -> WayError:
        return self._error(
            Phrase(
                "the credential plug-in `{command}` of the user {user} gave no credentials: {what}",
                command=self.command,
                user=self.user,
                what=what,
            ),
            self._by_hand(),
        )

    def _missing(self, error: OSError) -> WayError:
        hint = str(self.spec.get("installHint") or "").strip()
        return self._error(
            Phrase(
                "the credential plug-in `{command}` of the user {user} cannot be started: {why}",
                command=self.command,
                user=self.user,
                why=error.strerror or str(error),
            ),
            Phrase("{hint}", hint=" ".join(hint.split()))
            if hint
            else Phrase(
                "install `{command}`, or put it on the PATH (`command -v {command}` finds it then)",
                command=self.command,
            ),
        )

    def _waits(self, what: Phrase, said: str = "") -> WayError:
        return self._error(
            Phrase(
                "the credential plug-in `{command}` of the user {user} wants a person to log in, "
                "in a browser or at a terminal: {what}",
                command=self.command,
                user=self.user,
                what=what,
            ),
            Phrase("log in once by hand: {command}", command=self._checked()),
            said,
        )

    def _by_hand(self) -> Phrase:
        return Phrase("see what it says by itself: {command}", command=self._checked())

    def _checked(self) -> str:
        return f"`kubectl get --raw /version --context {self.context}`"

    def _error(self, what: Phrase, hint: Phrase, said: str = "") -> WayError:
        lines = [line.rstrip() for line in said.splitlines() if line.strip()][-_LAST:]
        return WayError(what, hint=hint, evidence=[masking.mask(line) for line in lines])


def _ended(process: subprocess.Popen[str]) -> str:
    """End a plug-in with all that it has started, and return what it said until then."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    try:
        return process.communicate(timeout=timeouts.COMMAND_END)[1] or ""
    except subprocess.TimeoutExpired as error:
        # something that left its group still holds the pipe
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        return str((error.stderr or b"").decode("utf-8", "replace") if error.stderr else "")
