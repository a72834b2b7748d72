"""What an engine and the nodes in it change of the machine itself, and putting it back.

Nearly everything they make lives in namespaces and goes with them. These do not: a few sysctls
that the kubelet and systemd set for the whole machine, the directory `/lib/modules`, which dockerd
and kind make where it is missing, and the control groups.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

SYSCTLS = (
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.pid_max",
    "vm.max_map_count",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
)
MODULES = Path("/lib/modules")
CGROUPS = Path("/sys/fs/cgroup")
PAUSE = 0.1


def remember(record: Path) -> None:
    """Write down how the machine is; what an earlier start wrote, and never put back, stands."""
    if record.exists():
        return
    # A kernel need not have them all.
    there = [name for name in SYSCTLS if _sysctl(name).exists()]
    state = {
        "sysctls": {name: _sysctl(name).read_text().strip() for name in there},
        "has_modules": MODULES.exists(),
    }
    fresh = record.with_suffix(".part")
    fresh.write_text(json.dumps(state))
    fresh.replace(record)


def put_back(record: Path) -> None:
    """Make the machine as `remember` found it, and forget."""
    if not record.exists():
        return
    state = json.loads(record.read_text())
    for name, value in state["sysctls"].items():
        if _sysctl(name).read_text().strip() != value:
            _sysctl(name).write_text(value)
    if not state["has_modules"]:
        with contextlib.suppress(OSError):
            MODULES.rmdir()
    record.unlink()


def cgroups(parent: str) -> list[Path]:
    """Return the control groups called `parent` at the top of every hierarchy."""
    hierarchies = [CGROUPS, *(path for path in CGROUPS.iterdir() if path.is_dir())]
    return [path / parent for path in hierarchies if (path / parent).is_dir()]


def remove_cgroups(parent: str, deadline: float) -> list[Path]:
    """Remove the control groups called `parent` and all below; return those that remain.

    The kernel takes a moment to notice that a group's last process has gone, so a refusal is
    tried again until `deadline` (of `time.monotonic`).
    """
    while remaining := cgroups(parent):
        for top in remaining:
            below = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
            for group in [*below, top]:
                with contextlib.suppress(OSError):
                    group.rmdir()
        if time.monotonic() > deadline:
            return cgroups(parent)
        if cgroups(parent):
            time.sleep(PAUSE)
    return []


def _sysctl(name: str) -> Path:
    """Return the file of a sysctl; none of ours has a dot in one of its parts."""
    return Path("/proc/sys", *name.split("."))
