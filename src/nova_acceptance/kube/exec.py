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
from typing import Self

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
        raise _told(pod, argv, error) from error


class _InconclusiveError(PodProbeError):
    """The command may have run, and nobody knows how it ended."""


class Running:
    """A command that runs in a container, spoken with by one thread at a time.

    Args:
        rest: the API.
        pod: the pod.
        argv: the command.
        container: which of the pod's; None where it has one only.
        is_told: whether it is told anything on its standard input.
        timeout: seconds for its beginning.

    Raises:
        ApiError: the API refused to begin it.
        ApiUnreachableError: the API did not answer.
    """

    def __init__(
        self,
        rest: Rest,
        pod: PodRef,
        argv: Sequence[str],
        *,
        container: str | None,
        is_told: bool,
        timeout: float,
    ) -> None:
        self._rest = rest
        self._pod = pod
        self._argv = argv
        self._output = {_STDERR: bytearray(), _STATUS: bytearray()}
        self._started = self._finished = time.monotonic()
        query = {
            "command": list(argv),
            "stdin": str(is_told).lower(),
            "stdout": "true",
            "stderr": "true",
        }
        if container:
            query["container"] = container
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/exec"
        self._channels = Channels(
            rest.channels(path, query=query, timeout=min(timeout, timeouts.PORT_FORWARD))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channels.__exit__()

    def fileno(self) -> int:
        """Return the descriptor that shows whether there is something to receive, for `poll`."""
        return self._channels.fileno()

    @property
    def has_buffered(self) -> bool:
        """Whether there is something to receive that `poll` cannot see."""
        return self._channels.has_buffered

    def send(self, data: bytes) -> None:
        """Pass bytes to its standard input.

        Raises:
            PodProbeError: the connection broke.
            ApiUnreachableError: the API is away.
        """
        try:
            self._channels.send(_STDIN, data)
        except OSError as error:
            raise self._broken(error) from error

    def end(self) -> None:
        """End its standard input, where the API has a way to say so.

        Raises:
            PodProbeError: the connection broke.
            ApiUnreachableError: the API is away.
        """
        try:
            self._channels.end(_STDIN)
        except OSError as error:
            raise self._broken(error) from error

    def receive(self, deadline: float) -> bytes | None:
        """Return the next bytes of its standard output; None once it has ended.

        They are empty where something else has come: whoever waits for others as well goes on.

        Args:
            deadline: the moment to give up, in seconds of `time.monotonic`.

        Raises:
            PodProbeError: nothing came by the deadline, or the connection broke.
            ApiUnreachableError: the API is away.
        """
        if self._output[_STATUS]:
            deadline = min(deadline, self._finished + _AFTER_STATUS)
        try:
            frame = self._channels.receive(deadline)
        except OSError as error:
            if not self._output[_STATUS]:
                raise self._broken(error) from error
            return None
        if frame is None:
            return None
        channel, data = frame
        if channel == _STDOUT:
            return data
        self._output.setdefault(channel, bytearray()).extend(data)
        if channel == _STATUS and data:
            self._finished = time.monotonic()
        return b""

    def result(self, stdout: bytes = b"") -> ExecResult:
        """Return what it left behind, after its end.

        Args:
            stdout: what was received of it.

        Raises:
            PodProbeError: it gave no exit status.
        """
        return ExecResult(
            stdout=stdout.decode("utf-8", "replace"),
            stderr=self._output[_STDERR].decode("utf-8", "replace"),
            exit_code=self._exit_code(),
            seconds=self._finished - self._started,
        )

    def _broken(self, error: OSError) -> ClusterError | PodProbeError:
        if not self._rest.answers():
            return ApiUnreachableError(f"exec in {self._pod}", self._rest.server, error)
        kind = PodProbeError if isinstance(error, TimeoutError) else _InconclusiveError
        return self._unanswered(f"{type(error).__name__}: {error}", kind)

    def _exit_code(self) -> int:
        text = self._output[_STATUS].decode("utf-8", "replace")
        if not text:
            why = "the connection closed without an exit status"
            raise self._unanswered(why, _InconclusiveError)
        try:
            status = json.loads(text)
        except ValueError as error:
            raise self._unanswered(text, _InconclusiveError) from error
        if status.get("status") == "Success":
            return 0
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
        raise self._unanswered(str(status.get("message") or text))

    def _unanswered(self, why: str, kind: type[PodProbeError] = PodProbeError) -> PodProbeError:
        said = self._output[_STDERR].decode("utf-8", "replace").splitlines()[-5:]
        return _unanswered(self._pod, self._argv, why, said, kind=kind)


def begin(
    rest: Rest, pod: PodRef, argv: Sequence[str], *, container: str | None, timeout: float
) -> Running:
    """Begin a command in a container and return it while it runs, to be spoken with.

    Args:
        rest: the API.
        pod: the pod.
        argv: the command.
        container: which of the pod's; None where it has one only.
        timeout: seconds for its beginning.

    Raises:
        PodProbeError: the command could not be run.
        ClusterError: the API was away.
    """
    try:
        return Running(rest, pod, argv, container=container, is_told=True, timeout=timeout)
    except ClusterError as error:
        if is_api_away(error):
            raise
        raise _told(pod, argv, error) from error


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
    deadline = time.monotonic() + timeout
    stdout = bytearray()
    told = 0
    with Running(
        rest, pod, argv, container=container, is_told=bool(stdin), timeout=timeout
    ) as running:
        if stdin:
            running.send(stdin.encode())
            running.end()
        while (piece := running.receive(deadline)) is not None:
            stdout += piece
            if heard and piece:
                told = _tell(stdout, told, heard)
        return running.result(bytes(stdout))


def _tell(output: bytearray, told: int, heard: Callable[[str], object]) -> int:
    """Tell the whole lines of an output from some place on, and return where the rest begins."""
    end = output.rfind(b"\n") + 1
    for line in output[told:end].decode("utf-8", "replace").splitlines():
        heard(line)
    return max(told, end)


def _told(pod: PodRef, argv: Sequence[str], error: ClusterError) -> PodProbeError:
    """Return what the API said of a command that did not begin, as an error of the pod's."""
    why = "\n".join((error.message, *error.evidence))
    return _unanswered(pod, argv, why, hint=error.hint)


def _unanswered(
    pod: PodRef,
    argv: Sequence[str],
    why: str,
    said: Sequence[str] = (),
    *,
    hint: str = "",
    kind: type[PodProbeError] = PodProbeError,
) -> PodProbeError:
    # only the program's name: arguments may be long, or hold a password
    return kind(
        f"`{argv[0]}` could not be run to its end in pod {pod}",
        namespace=pod.namespace,
        pod=pod.name,
        hint=hint or f"is it running? `kubectl -n {pod.namespace} describe pod {pod.name}`",
        evidence=(*why.splitlines()[:10], *said),
    )
