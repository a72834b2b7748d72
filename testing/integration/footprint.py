"""What a cluster could leave on the machine: taken before and after, the difference must be none."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, fields
from pathlib import Path

from nova_acceptance.cluster.engine import machine_state


@dataclass(frozen=True)
class Footprint:
    """Namespaces with a process in them, mounts, links, control groups and sysctls."""

    namespaces: frozenset[str]
    mounts: frozenset[str]
    links: frozenset[str]
    cgroups: frozenset[str]
    sysctls: frozenset[str]
    directories: frozenset[str]

    @classmethod
    def now(cls) -> Footprint:
        """Look at the machine."""
        found: set[str] = set()
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                for kind in ("net", "pid", "mnt"):
                    with contextlib.suppress(OSError):
                        found.add(os.readlink(process / "ns" / kind))
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        root = machine_state.CGROUPS
        groups = [*root.glob("nova-acceptance*"), *root.glob("*/nova-acceptance*")]
        values = {
            f"{name}={Path('/proc/sys', *name.split('.')).read_text().strip()}"
            for name in machine_state.SYSCTLS
        }
        return cls(
            namespaces=frozenset(found),
            mounts=frozenset(line.split()[4] for line in mounts),
            links=frozenset(os.listdir("/sys/class/net")),
            cgroups=frozenset(str(path) for path in groups),
            sysctls=frozenset(values),
            directories=frozenset(str(path) for path in (machine_state.MODULES,) if path.exists()),
        )

    def left_behind(self, before: Footprint) -> dict[str, frozenset[str]]:
        """Return what is here now and was not before, by kind; empty when there is nothing."""
        new = {
            field.name: getattr(self, field.name) - getattr(before, field.name)
            for field in fields(self)
        }
        return {name: items for name, items in new.items() if items}
