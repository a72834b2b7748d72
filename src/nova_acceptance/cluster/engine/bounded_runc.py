#!/usr/bin/python3
"""runc for a machine that lacks a capability: ask only for what can be given.

Where the bounding set lacks a capability (CAP_SYS_RESOURCE on many virtual machines and in CI),
`--privileged` asks for it all the same, and runc ends with "unable to apply caps: operation not
permitted". Without CAP_SYS_RESOURCE the kernel also refuses to lower a process's oom_score_adj
and to raise hard resource limits. So before runc reads an OCI bundle (`create`, `run`) or a process
description (`exec`), what cannot be given is taken out of it.

Source: OCI runtime specification 1.0, config.md, "process"; capabilities(7); getrlimit(2).
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from typing import Any

RUNC = "/usr/sbin/runc"
NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()


def given_capabilities() -> set[str]:
    """Return the names of the capabilities in this process's bounding set."""
    with open("/proc/self/status") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return {"CAP_" + name for number, name in enumerate(NAMES) if mask >> number & 1}


def bound(process: dict[str, Any]) -> None:
    """Take out of an OCI process what this machine cannot give; change it in place."""
    given = given_capabilities()
    for kind, wanted in process.get("capabilities", {}).items():
        process["capabilities"][kind] = [name for name in wanted if name in given]
    if "CAP_SYS_RESOURCE" in given:
        return
    with open("/proc/self/oom_score_adj") as own:
        floor = int(own.read())
    if process.get("oomScoreAdj", floor) < floor:
        process["oomScoreAdj"] = floor
    for limit in process.get("rlimits", []):
        _, hard = resource.getrlimit(getattr(resource, limit["type"]))
        if hard != resource.RLIM_INFINITY:
            limit["hard"] = min(limit["hard"], hard)
            limit["soft"] = min(limit["soft"], hard)


def rewrite(path: str, locate: Callable[[Any], dict[str, Any]]) -> None:
    """Bound the process that `locate` finds in the JSON file `path`."""
    with open(path) as file:
        content = json.load(file)
    bound(locate(content))
    with open(path, "w") as file:
        json.dump(content, file)


def option(arguments: Sequence[str], *names: str) -> str | None:
    """Return the value of the first of `names` among the arguments, or None."""
    for position, argument in enumerate(arguments):
        if argument in names:
            return arguments[position + 1]
        for name in names:
            if argument.startswith(name + "="):
                return argument[len(name) + 1 :]
    return None


def main(arguments: Sequence[str]) -> None:
    """Rewrite what runc is about to read, and become runc."""
    if "create" in arguments or "run" in arguments:
        bundle = option(arguments, "--bundle", "-b") or "."
        rewrite(os.path.join(bundle, "config.json"), lambda content: content["process"])
    elif "exec" in arguments:
        description = option(arguments, "--process", "-p")
        if description:
            rewrite(description, lambda content: content)
    os.execv(RUNC, [RUNC, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
