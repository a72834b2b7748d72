"""One command in a container, with its exit status.

The status comes on a channel of its own as JSON, so a container needs no shell. A status that
does not come is no status: the official client may report 0 for `false` (kubernetes-client/python
#2328), which is why its `stream` is not used. No status is no answer either: whoever asks what may
be asked twice has it asked again.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, PodProbeError
from nova_acceptance.kube.availability import patiently
from nova_acceptance.kube.channels import Channels
from nova_acceptance.kube.failures import ApiUnreachableError, is_api_away
from nova_acceptance.kube.objects import PodRef
from nova_acceptance.kube.rest import Rest

_STDIN, _STDOUT, _STDERR, _STATUS = range(4)
_AFTER_STATUS = 1.0
"""Seconds in which the rest of the output and the close may follow the status."""


_INCONCLUSIVE_AT_MOST = 2
"""Attempts that may end without a status while the API itself answers."""


class Again(Enum):
    """When a command may be run once more because the API failed, not the command."""

    NEVER = "never"
    UNLESS_BEGUN = "only where it certainly did not begin"
    FREELY = "whenever its outcome is not known: it asks, and changes nothing"


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
    again: Again,
    heard: Callable[[str], object] | None = None,
) -> ExecResult:
    """Run a command in a container and return what it left behind.

    Servers before 1.30 cannot pass on the end of standard input: a command that is to run on
    them must know from the input itself where it ends (one line, say).

    Args:
        rest: the API.
        pod: the pod.
        argv: the command.
        container: which of the pod's; None where it has one only.
        stdin: what the command may read.
        timeout: seconds for one attempt.
        again: when there may be another attempt.
        heard: is told each line of standard output as soon as it comes; those of an attempt that
            is made again as well.

    Raises:
        PodProbeError: the command could not be run, or gave no exit status.
        ClusterError: the API was away for too long.
    """
    inconclusive = 0

    def attempt() -> ExecResult:
        nonlocal inconclusive
        while True:
            try:
                return _once(
                    rest,
                    pod,
                    argv,
                    container=container,
                    stdin=stdin,
                    timeout=timeout,
                    heard=heard,
                )
            except (_InconclusiveError, ApiUnreachableError) as error:
                if isinstance(error, ApiUnreachableError) and error.is_away:
                    raise
                inconclusive += 1
                if again is not Again.FREELY or inconclusive >= _INCONCLUSIVE_AT_MOST:
                    raise

    try:
        return patiently(
            rest.availability,
            attempt,
            limit=0 if again is Again.NEVER else math.inf,
            is_safe=lambda error: again is Again.FREELY or error.was_turned_away,
        )
    except ClusterError as error:
        if is_api_away(error):
            raise
        why = "\n".join((error.message, *error.evidence))
        raise _unanswered(pod, argv, why, {}, hint=error.hint) from error


class _InconclusiveError(PodProbeError):
    """The command may have run, and nobody knows how it ended."""


def _once(
    rest: Rest,
    pod: PodRef,
    argv: Sequence[str],
    *,
    container: str | None,
    stdin: str,
    timeout: float,
    heard: Callable[[str], object] | None,
) -> ExecResult:
    started = time.monotonic()
    deadline = started + timeout
    query = {
        "command": list(argv),
        "stdin": str(bool(stdin)).lower(),
        "stdout": "true",
        "stderr": "true",
    }
    if container:
        query["container"] = container
    path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/exec"
    output = {_STDOUT: bytearray(), _STDERR: bytearray(), _STATUS: bytearray()}
    finished = started
    told = 0
    opened = rest.channels(path, query=query, timeout=min(timeout, timeouts.PORT_FORWARD))
    try:
        with Channels(opened) as channels:
            if stdin:
                channels.send(_STDIN, stdin.encode())
                channels.end(_STDIN)
            while frame := channels.receive(deadline):
                channel, data = frame
                output.setdefault(channel, bytearray()).extend(data)
                if channel == _STDOUT and heard:
                    told = _tell(output[_STDOUT], told, heard)
                if channel == _STATUS and data:
                    finished = time.monotonic()
                    deadline = min(deadline, finished + _AFTER_STATUS)
    except OSError as error:
        if not output[_STATUS]:
            raise _broken(rest, pod, argv, error, output) from error
    return ExecResult(
        stdout=output[_STDOUT].decode("utf-8", "replace"),
        stderr=output[_STDERR].decode("utf-8", "replace"),
        exit_code=_exit_code(pod, argv, output),
        seconds=finished - started,
    )


def _tell(output: bytearray, told: int, heard: Callable[[str], object]) -> int:
    """Tell the whole lines of an output from some place on, and return where the rest begins."""
    end = output.rfind(b"\n") + 1
    for line in output[told:end].decode("utf-8", "replace").splitlines():
        heard(line)
    return max(told, end)


def _broken(
    rest: Rest, pod: PodRef, argv: Sequence[str], error: OSError, output: dict[int, bytearray]
) -> ClusterError | PodProbeError:
    if not rest.answers():
        return ApiUnreachableError(f"exec in {pod}", rest.server, error)
    kind = PodProbeError if isinstance(error, TimeoutError) else _InconclusiveError
    return _unanswered(pod, argv, f"{type(error).__name__}: {error}", output, kind=kind)


def _exit_code(pod: PodRef, argv: Sequence[str], output: dict[int, bytearray]) -> int:
    text = output[_STATUS].decode("utf-8", "replace")
    if not text:
        why = "the connection closed without an exit status"
        raise _unanswered(pod, argv, why, output, kind=_InconclusiveError)
    try:
        status = json.loads(text)
    except ValueError as error:
        raise _unanswered(pod, argv, text, output, kind=_InconclusiveError) from error
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise _unanswered(pod, argv, str(status.get("message") or text), output)


def _unanswered(
    pod: PodRef,
    argv: Sequence[str],
    why: str,
    output: dict[int, bytearray],
    *,
    hint: str = "",
    kind: type[PodProbeError] = PodProbeError,
) -> PodProbeError:
    # only the program's name: arguments may be long, or hold a password
    said = output.get(_STDERR, bytearray()).decode("utf-8", "replace").splitlines()[-5:]
    return kind(
        f"`{argv[0]}` could not be run to its end in pod {pod}",
        namespace=pod.namespace,
        pod=pod.name,
        hint=hint or f"is it running? `kubectl -n {pod.namespace} describe pod {pod.name}`",
        evidence=(*why.splitlines()[:10], *said),
    )
