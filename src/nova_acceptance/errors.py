"""Every error that this package raises on purpose.

    NovaError
    ├── UsageError          an option or a file that the user gave cannot be used
    │   └── SpecError       nova.yaml is wrong: file, line and field
    ├── MachineError        the machine lacks something that a cluster needs
    ├── ClusterError        a cluster could not be found, started, reached or removed
    ├── RefusedError        the suite does not write there; nothing was written
    ├── DeployError         the system could not be put on the cluster
    │   ├── RenderError     kustomize refused the manifests
    │   ├── ApplyError      the API refused an object
    │   └── NotReadyError   a workload did not become ready, with what was still missing
    ├── ProbeError          a question could not be asked; never an answer of "no"
    │   └── PodProbeError   it was to be asked from inside a pod
    └── UnaskedError        there is no way to ask it, and nobody's fault is shown by that

A broken expectation is an assertion in a test (FAILED); a NovaError that escapes a fixture is
an ERROR. Each carries a hint (what to do next) and evidence (what was seen).
"""

from __future__ import annotations

from collections.abc import Sequence


class NovaError(Exception):
    """A failure that a person can act on.

    Args:
        message: one sentence that says what went wrong, with the names concerned.
        hint: what to do next; a command where there is one.
        evidence: what was seen, a line each (the last lines of a log, an API answer).
    """

    def __init__(self, message: str, *, hint: str = "", evidence: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.evidence = tuple(evidence)

    def __str__(self) -> str:
        lines = [self.message]
        lines += [f"  {line}" for line in self.evidence]
        if self.hint:
            lines.append(f"→ {self.hint}")
        return "\n".join(lines)


class UsageError(NovaError):
    """An option or a file that the user gave cannot be used."""


class SpecError(UsageError):
    """nova.yaml is wrong; the message names file, line and field."""


class MachineError(NovaError):
    """The machine lacks something that a cluster needs."""


class ClusterError(NovaError):
    """A cluster could not be found, started, reached or removed."""


class RefusedError(NovaError):
    """The suite does not write to that cluster, or not now; nothing was written.

    The hint says what makes it.
    """


class DeployError(NovaError):
    """The system could not be put on the cluster."""


class RenderError(DeployError):
    """Kustomize refused the manifests."""


class ApplyError(DeployError):
    """The API refused an object."""


class NotReadyError(DeployError):
    """A workload did not become ready in time, or can no longer become ready."""


class ProbeError(NovaError):
    """A question could not be asked. This is never an answer of "no"."""


class PodProbeError(ProbeError):
    """A question could not be asked from inside a pod: what is wrong with the pod may be why.

    Args:
        message: see `NovaError`.
        namespace: the pod's.
        pod: its name.
        hint: see `NovaError`.
        evidence: see `NovaError`.
    """

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        pod: str,
        hint: str = "",
        evidence: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint, evidence=evidence)
        self.namespace = namespace
        self.pod = pod


class UnaskedError(NovaError):
    """There is no way to ask a question, for want of a right or an image; neither yes nor no.

    A test that meets it is neither passed nor failed: it was not asked.
    """
