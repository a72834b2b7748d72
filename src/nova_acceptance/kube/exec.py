"""One command in a container, with its exit status.

The status comes on a channel of its own as JSON, so a container needs no shell. A status that
does not come is no status: the official client may report 0 for `false` (kubernetes-client/python
#2328), which is why its `stream` is not used.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from nova_acceptance.errors import ClusterError, ProbeError
from nova_acceptance.kube.channels import Channels
from nova_acceptance.kube.objects import PodRef
from nova_acceptance.kube.rest import Rest

_STDIN, _STDOUT, _STDERR, _STATUS = range(4)
_AFTER_STATUS = 1.0
"""Seconds in which the rest of the output and the close may follow the status."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command left behind.

    Attributes:
        stdout: its standard output; bytes that are not UTF-8 are replaced.
        stderr: its standard error, likewise.
        exit_code: its exit status.
        seconds: from the request to the status.
    """

    stdout: str
    stderr: str
    exit_code: int
    seconds: float


def run(
    rest: Rest,
    pod: PodRef,
    argv: Sequence[str],
    *,
    container: str | None,
    stdin: str,
    timeout: float,
) -> ExecResult:
    """Run a command in a container and return what it left behind.

    Servers before 1.30 cannot pass on the end of standard input: a command that is to run on
    them must know from the input itself where it ends (one line, say).

    Raises:
        ProbeError: the command could not be run, or gave no exit status.
    """
    started = time.monotonic()
    deadline = started + timeout
    query = {
        "command": list(argv),
        "stdin": str(bool(stdin)).lower(),
        "stdout": "true",
        "stderr": "true",
        **({"container": container} if container else {}),
    }
    path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/exec"
    output = {_STDOUT: bytearray(), _STDERR: bytearray(), _STATUS: bytearray()}
    finished = started
    try:
        with Channels(rest.channels(path, query=query, timeout=timeout)) as channels:
            if stdin:
                channels.send(_STDIN, stdin.encode())
                channels.end(_STDIN)
            while frame := channels.receive(deadline):
                channel, data = frame
                output.setdefault(channel, bytearray()).extend(data)
                if channel == _STATUS and data:
                    finished = time.monotonic()
                    deadline = min(deadline, finished + _AFTER_STATUS)
    except ClusterError as error:
        why = "\n".join((error.message, *error.evidence))
        raise _unanswered(pod, argv, why, output, error.hint) from error
    except OSError as error:
        if not output[_STATUS]:
            raise _unanswered(pod, argv, f"{type(error).__name__}: {error}", output) from error
    return ExecResult(
        stdout=output[_STDOUT].decode("utf-8", "replace"),
        stderr=output[_STDERR].decode("utf-8", "replace"),
        exit_code=_exit_code(pod, argv, output),
        seconds=finished - started,
    )


def _exit_code(pod: PodRef, argv: Sequence[str], output: dict[int, bytearray]) -> int:
    text = output[_STATUS].decode("utf-8", "replace")
    if not text:
        raise _unanswered(pod, argv, "the connection closed without an exit status", output)
    try:
        status = json.loads(text)
    except ValueError as error:
        raise _unanswered(pod, argv, text, output) from error
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise _unanswered(pod, argv, str(status.get("message") or text), output)


def _unanswered(
    pod: PodRef, argv: Sequence[str], why: str, output: dict[int, bytearray], hint: str = ""
) -> ProbeError:
    # only the program's name: arguments may be long, or hold a password
    said = output[_STDERR].decode("utf-8", "replace").splitlines()[-5:]
    return ProbeError(
        f"`{argv[0]}` could not be run to its end in pod {pod}",
        hint=hint or f"is it running? `kubectl -n {pod.namespace} describe pod {pod.name}`",
        evidence=(*why.splitlines()[:10], *said),
    )
