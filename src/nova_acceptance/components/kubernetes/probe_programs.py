"""Probes that run a program which their container's image does not have.

What a kubelet says of it is the container runtime's sentence, where the program itself is absent,
or that of a shell which ran and did not find a command. A program that ran and missed a file says
something alike, and is none: the command's own words tell which.

Sources: what runc, crun and the shells bash, dash and busybox write; POSIX, "Shell Command
Language", 2.8.2, for the exit statuses 126 and 127.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from nova_acceptance.components.kubernetes.graces import NEXT_TRY
from nova_acceptance.components.kubernetes.pods import Ill, short
from nova_acceptance.components.kubernetes.workloads import containers
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase

_NAME: Final = r"[\"'`]?([^\s\"'`:]+)[\"'`]?"
_SHELL: Final = r"(?:^|[\s/])(?:[a-z]*sh|busybox)"
_LINE: Final = r"(?:: line \d+|: \d+|: -c: line \d+|:\d+)?"
_BY_RUNTIME: Final = (
    re.compile(
        rf"exec: {_NAME}:? (?:executable file not found|stat |no such file|permission denied)"
    ),
    re.compile(
        r'exec: "([^"]+)": (?:.*(?:not found|no such file|permission denied|is a directory))'
    ),
    re.compile(rf"executable file {_NAME} not found"),
    re.compile(rf"(?:can't|cannot) (?:find|exec(?:ute)?) {_NAME}"),
)
_RUNTIME: Final = re.compile(r"(?i)OCI runtime|exec failed|failed to (?:start )?exec|exec: ")
_BY_SHELL: Final = (
    re.compile(rf"{_SHELL}{_LINE}: {_NAME}: (?:command |applet )?not found"),
    re.compile(rf"\S+: line \d+: {_NAME}: command not found"),
    re.compile(rf"\S+\.\w*sh: \d+: (?:\S+\.\w*sh: )?{_NAME}: not found"),
    re.compile(rf"{_SHELL}: command not found: {_NAME}"),  # zsh
    re.compile(rf"env: {_NAME}: No such file or directory"),
    re.compile(rf"env: can't execute {_NAME}: No such file or directory"),
)
_AS_A_FILE: Final = re.compile(
    rf"{_SHELL}{_LINE}: {_NAME}: (?:No such file or directory|Permission denied)"
)
"""What bash says of a command by its path, and also of a file that it was to read or write."""
_IS_SHELL: Final = re.compile(r"(?:^|/)[a-z]*sh$")
_NOT_FOUND: Final = re.compile(r"(?i)executable file not found")
_STATUS: Final = re.compile(r"(?i)exit(?:ed with)? (?:status|code):? (12[67])\b")
_FIELDS: Final = {
    "liveness": ("livenessProbe", Phrase("liveness")),
    "readiness": ("readinessProbe", Phrase("readiness")),
    "startup": ("startupProbe", Phrase("startup")),
}


def program_lacking(command: Sequence[str], answer: str) -> str:
    """Return the program that a probe's command wants and the image lacks; empty where it has it.

    Args:
        command: the probe's, a word each.
        answer: what the kubelet says came of it.
    """
    return next(_lacking(command, answer), "") if command else ""


def _lacking(command: Sequence[str], answer: str) -> Iterator[str]:
    """Yield what is lacking, the most certain first."""
    if _RUNTIME.search(answer):
        yield from (found[1] for each in _BY_RUNTIME if (found := each.search(answer)))
        if _NOT_FOUND.search(answer):
            yield command[0]
    yield from (found[1] for each in _BY_SHELL if (found := each.search(answer)))
    found = _AS_A_FILE.search(answer)
    if found and _is_run(found[1], command):
        yield found[1]
    if _STATUS.search(answer):
        yield _first_word(command)


def probe_without_program(
    ill: Ill, entry: Mapping[str, Any], probe: str, answer: str
) -> Finding | None:
    """Return that a probe's program is not in the image; None where that is not what it shows.

    Args:
        ill: the pod.
        entry: the container's status.
        probe: `liveness`, `readiness` or `startup`.
        answer: what the kubelet says came of it.
    """
    if probe not in _FIELDS:
        return None
    field, name = _FIELDS[probe]
    spec = next((it for it in containers(ill.pod) if it["name"] == entry["name"]), {})
    command = ((spec.get(field) or {}).get("exec") or {}).get("command") or ()
    program = program_lacking([str(word) for word in command], answer)
    if not program:
        return None
    what = Phrase(
        "its {probe} probe runs {program}, and its image {image} holds no such program that can "
        "be executed",
        probe=name,
        program=program,
        image=spec.get("image") or "",
    )
    cure = Phrase(
        "have the {field} of container {container} in {workload} run what the image has, ask by "
        "`httpGet` or `tcpSocket`, or build {program} into {image}",
        field=field,
        container=entry["name"],
        workload=ill.subject,
        program=program,
        image=spec.get("image") or "",
    )
    shown = f"{field}: {' '.join(map(str, command))}"
    found = ill.finding(
        "PROBE_PROGRAM_MISSING",
        entry,
        what,
        short(shown),
        short(answer),
        grace=NEXT_TRY,
        cure=cure,
    )
    return replace(found, is_root=True)


def _is_run(path: str, command: Sequence[str]) -> bool:
    """Whether a command runs a path, and does not only read or write there."""
    text = " ".join(command)
    places = [found.start() for found in re.finditer(re.escape(path), text)]
    return bool(places) and not any(
        re.search(r"[<>]\s*$|\b(?:cat|test|source|\.|\[)\s+(?:-\w\s+)?$", text[:at])
        for at in places
    )


def _first_word(command: Sequence[str]) -> str:
    """Return what a command runs first: of a shell's `-c` the word after it."""
    match command:
        case [shell, option, text, *_] if _IS_SHELL.search(shell) and option.startswith("-"):
            return next(iter(text.split()), shell)
    return command[0]
