"""Running this package's own scripts inside pods."""

from __future__ import annotations

import ast
from functools import cache
from importlib import resources

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Again, ExecResult, Kube, PodRef

PYTHON = ("python3", "-I", "-S", "-c")
"""Isolated and without `site`: only what the script itself imports is loaded."""
STDERR_LINES = 5
_DESCRIBED = (ast.Module, ast.ClassDef, ast.FunctionDef)


@cache
def script(name: str) -> str:
    """Return the text of a script of this package, short: it travels in a URL.

    Comments and docstrings stay behind.
    """
    tree = ast.parse((resources.files(__package__) / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, _DESCRIBED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def run(
    kube: Kube,
    pod: PodRef,
    name: str,
    line: str,
    *,
    timeout: float,
    again: Again = Again.UNLESS_BEGUN,
) -> ExecResult:
    """Run a script in a pod's only or first container.

    Args:
        kube: the API that the pod is behind.
        pod: where.
        name: `in_pod_agent` or `in_pod_relay`.
        line: what it reads from standard input; one line, without the newline.
        timeout: seconds for one attempt.
        again: when it may be run again, where the API failed and not the script.

    Raises:
        ProbeError: it could not be run to its end. This is no answer about the network.
        ClusterError: the API was away for too long, which is none either.
    """
    try:
        result = kube.exec(
            pod, [*PYTHON, script(name)], stdin=f"{line}\n", timeout=timeout, again=again
        )
    except ProbeError as error:
        if any(lacks_python(text) for text in error.evidence):
            raise _no_python(pod, error.evidence) from error
        raise
    if lacks_python(result.stderr):
        raise _no_python(pod, result.stderr.splitlines()[-STDERR_LINES:])
    if result.exit_code != 0:
        raise ProbeError(
            f"the probe in pod {pod} ended with status {result.exit_code}",
            hint="a probe needs Python 3.8 or later in the container",
            evidence=result.stderr.splitlines()[-STDERR_LINES:],
        )
    return result


def lacks_python(text: str) -> bool:
    """Whether a runtime's message says that the container has no python3."""
    missing = ("executable file not found", "no such file or directory", "not found in $PATH")
    return "python3" in text and any(phrase in text for phrase in missing)


def _no_python(pod: PodRef, evidence: list[str] | tuple[str, ...]) -> ProbeError:
    return ProbeError(
        f"pod {pod} has no python3, so nothing can be asked from inside it",
        hint="the images of Nova hold one; an image that replaces them needs python3 as well",
        evidence=evidence,
    )
