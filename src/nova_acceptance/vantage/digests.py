"""What a container has, compared in the container itself: only digests leave it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Again, Kube, PodRef
from nova_acceptance.vantage.in_pod import lacks

_ABSENT: Final = "absent"
_SCRIPT: Final = f"""
salt=$1
shift
for it in "$@"; do
  name=${{it#?:}}
  case $it in
    v:*)
      eval "there=\\${{$name+yes}} value=\\${{$name-}}"
      if [ "$there" ]; then printf '%s' "$salt$value" | sha256sum; else echo {_ABSENT}; fi
      ;;
    f:*)
      if [ -r "$name" ]; then (printf '%s' "$salt"; cat "$name") | sha256sum
      else echo {_ABSENT}; fi
      ;;
    d:*) readlink "$name/..data" || echo {_ABSENT} ;;
  esac
done
"""
"""A shell's own words, `cat`, `readlink` and `sha256sum`: what small images have."""
_HINT: Final = "give it a shell and sha256sum, or restart it: only what may be newer is asked"
_WRITTEN: Final = "..%Y_%m_%d_%H_%M_%S"
"""How the kubelet names the directory into which it writes a volume each time that its content
changes, in UTC. Source: Kubernetes, pkg/volume/util/atomic_writer.go."""


class Held(NamedTuple):
    """One thing that a container may have.

    Attributes:
        name: a variable, by a name that a shell can have, or the path of a file.
        is_file: which of the two it is.
        value: what it should be.
        volume: where the volume of a file is mounted that is renewed; empty for all else.
        since: when the container was started, as the API spells it.
    """

    name: str
    is_file: bool
    value: bytes
    volume: str = ""
    since: str = ""


def differing(kube: Kube, pod: PodRef, container: str, wanted: Iterable[Held]) -> list[Held]:
    """Return what a container has otherwise, not at all, or only since after it was started.

    Each is hashed there after a salt that is new for every question, so that neither the answer
    nor anything that takes it down tells of the value.

    Raises:
        ProbeError: the container has no shell, or no `sha256sum`, or could not be asked.
    """
    its = list(wanted)
    salt = secrets.token_hex(16)
    names = [f"{'f' if it.is_file else 'v'}:{it.name}" for it in its]
    renewed = [it for it in its if it.volume]
    try:
        done = kube.exec(
            pod,
            ("sh", "-c", _SCRIPT, "sh", salt, *names, *(f"d:{it.volume}" for it in renewed)),
            container=container,
            again=Again.FREELY,
            is_asking=True,
        )
    except ProbeError as error:
        if any(lacks("sh", text) for text in error.evidence):
            error.hint = _HINT
        raise
    answers = [line.partition(" ")[0] for line in done.stdout.splitlines()]
    if done.exit_code != 0 or len(answers) != len(its) + len(renewed):
        raise ProbeError(
            f"container {container} of {pod} could not be asked what it has",
            hint=_HINT,
            evidence=done.stderr.splitlines()[:3],
        )
    later = [
        it
        for it, link in zip(renewed, answers[len(its) :], strict=True)
        if _is_after(link, it.since)
    ]
    return [
        it
        for it, answer in zip(its, answers, strict=False)
        if it in later or answer != sha256(salt.encode() + it.value).hexdigest()
    ]


def _is_after(link: str, since: str) -> bool:
    """Whether a volume was written after an instant; of one that nobody knows it is not said."""
    try:
        written = datetime.strptime(link.rpartition(".")[0], _WRITTEN).replace(tzinfo=UTC)
    except ValueError:
        return False
    return written > datetime.fromisoformat(since)
