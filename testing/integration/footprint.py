"""What a cluster could leave on the machine; after it there must be no more than before."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, fields
from pathlib import Path

from nova_acceptance.cluster.engine import Engine, machine_state
from nova_acceptance.cluster.home import Home


@dataclass(frozen=True)
class Footprint:
    """Processes of ours, mounts, links, control groups, sysctls and directories.

    An engine's process names its directory, and all that it holds ends with it; so processes that
    name our directory stand for every process, namespace and packet filter rule of an engine. An
    engine of another home may come and go meanwhile: its control groups have other names.
    """

    processes: frozenset[str]
    mounts: frozenset[str]
    links: frozenset[str]
    cgroups: frozenset[str]
    sysctls: frozenset[str]
    directories: frozenset[str]

    @classmethod
    def now(cls) -> Footprint:
        """Look at the machine."""
        home = Home.of_user()
        ours = os.fsencode(home.root)
        found: set[str] = set()
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and ours in (process / "cmdline").read_bytes():
                    found.add(process.name)
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        root = machine_state.CGROUPS
        groups = [
            path
            for engine in (home.engine("cluster"), home.engine("build"))
            for name in (Engine(engine, home.rootfs, is_isolated=True).cgroup,)
            for path in (*root.glob(name), *root.glob(f"*/{name}"))
        ]
        values = {
            f"{name}={Path('/proc/sys', *name.split('.')).read_text().strip()}"
            for name in machine_state.SYSCTLS
        }
        return cls(
            processes=frozenset(found),
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
