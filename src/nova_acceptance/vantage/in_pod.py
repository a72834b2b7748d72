"""Running this package's own scripts inside pods."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import resources
from typing import Final

from nova_acceptance.errors import PodProbeError, ProbeError
from nova_acceptance.kube import Again, ExecResult, Kube, PodRef, Running

PYTHON = ("python3", "-I", "-S", "-c")
"""Isolated and without `site`: only what the script itself imports is loaded."""
LOADER = "import json, sys; exec(json.loads(sys.stdin.readline()))"
"""Takes the script from standard input, as it would not fit into every proxy's longest URL."""
STDERR_LINES = 5
ASKING = frozenset({"in_pod_agent", "in_pod_relay"})
"""Scripts that change nothing: they ask, or carry what others ask."""
SCRIPTS: Final = {
    name: (resources.files(__package__) / f"{name}.py").read_text(encoding="utf-8")
    for name in ("in_pod_agent", "in_pod_relay", "in_pod_kill")
}
"""The texts of this package's scripts, as they travel with every question."""


def run(
    kube: Kube,
    pod: PodRef,
    name: str,
    line: str,
    *,
    container: str,
    timeout: float,
    again: Again = Again.UNLESS_BEGUN,
    heard: Callable[[str], object] | None = None,
) -> ExecResult:
    """Run a script in a container.

    Args:
        kube: the API that the pod is behind.
        pod: where.
        name: one of `SCRIPTS`.
        line: what it reads from standard input; one line, without the newline.
        container: which of the pod's.
        timeout: seconds for one attempt.
        again: when it may be run again, where the API failed and not the script.
        heard: is told each line that it writes as soon as it comes, once an attempt.

    Raises:
        UnaskedError: nothing is written through this API, and the script does not only ask.
        NoPythonError: the container has no python3, or one that is too old.
        ProbeError: it could not be run to its end. This is no answer about the network.
        ClusterError: the API was away for too long, which is none either.
    """
    with _telling_of_python(pod, container):
        result = kube.exec(
            pod,
            [*PYTHON, LOADER],
            container=container,
            stdin=_text(name, line),
            timeout=timeout,
            again=again,
            is_asking=name in ASKING,
            heard=heard,
        )
        _require_success(pod, container, result)
    return result


def begin(
    kube: Kube, pod: PodRef, name: str, line: str, *, container: str, timeout: float
) -> tuple[Running, bytes]:
    """Begin a script that only asks in a container, and return it once it has said something.

    Args:
        kube: the API that the pod is behind.
        pod: where.
        name: one of `ASKING`.
        line: what it reads from standard input first; one line, without the newline.
        container: which of the pod's.
        timeout: seconds until it says something.

    Returns:
        It, to be closed by the caller, and what it said.

    Raises:
        NoPythonError: the container has no python3, or one that is too old.
        ProbeError: it could not be run, or said nothing in time.
        ClusterError: the API was away.
    """
    deadline = time.monotonic() + timeout
    with _telling_of_python(pod, container), ExitStack() as stack:
        running = stack.enter_context(
            kube.begin(pod, [*PYTHON, LOADER], container=container, timeout=timeout)
        )
        running.send(_text(name, line).encode())
        said: bytes | None = b""
        while said == b"":
            said = running.receive(deadline)
        if said is None:
            _require_success(pod, container, running.result())
            raise PodProbeError(
                f"the probe in pod {pod} ended without a word",
                namespace=pod.namespace,
                pod=pod.name,
                hint="a successful command without its output is inconclusive; run the test again",
            )
        stack.pop_all()
    return running, said


def _text(name: str, line: str) -> str:
    return f"{json.dumps(SCRIPTS[name])}\n{line}\n"


def _require_success(pod: PodRef, container: str, result: ExecResult) -> None:
    if result.exit_code == 0:
        return
    said = result.stderr.splitlines()[-STDERR_LINES:]
    if lacks_python(result.stderr):
        raise NoPythonError(pod, container, said)
    raise PodProbeError(
        f"the probe in pod {pod} ended with status {result.exit_code}",
        namespace=pod.namespace,
        pod=pod.name,
        hint="a probe needs Python 3.8 or later in the container",
        evidence=said,
    )


@contextmanager
def _telling_of_python(pod: PodRef, container: str) -> Iterator[None]:
    """Tell of a command that did not begin for want of python3 as of that."""
    try:
        yield
    except ProbeError as error:
        if any(lacks_python(text) for text in error.evidence):
            raise NoPythonError(pod, container, error.evidence) from error
        raise


class NoPythonError(PodProbeError):
    """A container has no Python that runs the scripts of this package."""

    def __init__(self, pod: PodRef, container: str, evidence: Sequence[str]) -> None:
        super().__init__(
            f"container {container} of pod {pod} has no Python 3.8 or later",
            namespace=pod.namespace,
            pod=pod.name,
            evidence=evidence,
        )


def lacks_python(text: str) -> bool:
    """Whether a message says that a container has no python3, or none that is whole and new."""
    unfit = ("SyntaxError", "ModuleNotFoundError", "ImportError")
    return lacks("python3", text) or any(word in text for word in unfit)


def lacks(program: str, text: str) -> bool:
    """Whether a message says that a container does not have a program."""
    missing = ("executable file not found", "no such file or directory", "not found in $PATH")
    return program in text and any(phrase in text for phrase in missing)
