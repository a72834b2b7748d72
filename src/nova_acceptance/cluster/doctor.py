"""What this machine lacks for a cluster of our own, all of it in one pass, with each cure."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import Home
from nova_acceptance.errors import MachineError

PROGRAMS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "pivot_root": "util-linux",
    "unshare": "util-linux",
}
"""Programs that are called, and Debian's packages that hold them."""

CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_MKNOD": 27,
    "CAP_SETFCAP": 31,
}
"""What an engine needs, by number (linux/capability.h).

CAP_SYS_RESOURCE is not among them: where it is missing, bounded-runc asks for what can be given.
"""

CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
DISK_TO_BUILD = 12.0
DISK_TO_START = 4.0
MEMORY = 3.0
GIB = 2.0**30
INOTIFY_INSTANCES = 128
SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it has to be.

    Attributes:
        problem: what is wrong, in one sentence.
        cure: the command or the step that mends it.
        is_fatal: whether a cluster cannot be made without it.
    """

    problem: str
    cure: str
    is_fatal: bool = True


def examine(home: Home) -> list[Finding]:
    """Return everything that this machine lacks; empty when a cluster can be made."""
    if has_docker_and_kind():
        return []
    if sys.platform != "linux":
        return list(_system(home))
    checks: list[Callable[[Home], Iterator[Finding]]] = [
        _user,
        _system,
        _programs,
        _capabilities,
        _kernel,
        _cgroups,
        _space,
        _limits,
        _loopback,
    ]
    return [finding for check in checks for finding in check(home)]


def has_docker_and_kind() -> bool:
    """Whether the user has a kind, and a Docker engine that answers: nothing else is needed."""
    return shutil.which("kind") is not None and docker_answers()


def docker_answers() -> bool:
    """Whether the user has a Docker engine that answers."""
    if shutil.which("docker") is None:
        return False
    try:
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            timeout=timeouts.API_REQUEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def require(home: Home) -> None:
    """Raise unless a cluster can be made here.

    Raises:
        MachineError: with everything that is missing, and the cure of each.
    """
    fatal = [finding for finding in examine(home) if finding.is_fatal]
    if fatal:
        raise MachineError(
            "this machine cannot run a cluster of its own yet",
            evidence=[f"{finding.problem} → {finding.cure}" for finding in fatal],
            hint="mend these and run the command again, or name a cluster that exists: "
            "`--cluster context:NAME`",
        )


def _user(_: Home) -> Iterator[Finding]:
    if os.geteuid() != 0:
        yield Finding("not root: namespaces and mounts need it", "run it as root, or with sudo -E")


def _system(_: Home) -> Iterator[Finding]:
    try:
        release = Path("/etc/os-release").read_text()
    except OSError:
        release = ""
    if "VERSION_CODENAME=bookworm" not in release or os.uname().machine != "x86_64":
        yield Finding(
            "this is not Debian 12 on x86-64, from whose packages engine and node image are made",
            "install Docker and kind, which are then used as they are",
        )


def _programs(_: Home) -> Iterator[Finding]:
    # Root's own programs may not be on the PATH of a shell that became root by sudo or su.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = {package for name, package in PROGRAMS.items() if not shutil.which(name, path=path)}
    if missing:
        packages = " ".join(sorted(missing))
        yield Finding(f"not installed: {packages}", f"apt-get install {packages}")


def _capabilities(_: Home) -> Iterator[Finding]:
    status = Path("/proc/self/status").read_text().splitlines()
    mask = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    missing = [name for name, number in CAPABILITIES.items() if not mask >> number & 1]
    if missing and os.geteuid() == 0:
        yield Finding(
            f"capabilities missing: {', '.join(missing)}",
            "run it outside this container, or start the container with --privileged",
        )


def _kernel(_: Home) -> Iterator[Finding]:
    filesystems = Path("/proc/filesystems").read_text().split()
    modules = Path("/lib/modules") / os.uname().release / "kernel/fs/overlayfs"
    if "overlay" not in filesystems and not modules.exists():
        yield Finding("the kernel has no overlayfs", "modprobe overlay, or another kernel")
    for namespace in ("mnt", "pid", "net"):
        if not Path(f"/proc/self/ns/{namespace}").exists():
            yield Finding(f"the kernel has no {namespace} namespaces", "another kernel")


def _cgroups(_: Home) -> Iterator[Finding]:
    root = Path("/sys/fs/cgroup")
    unified = root / "cgroup.controllers"
    there = unified.read_text().split() if unified.exists() else os.listdir(root)
    missing = [name for name in CONTROLLERS if not any(name in entry.split(",") for entry in there)]
    if missing:
        yield Finding(
            f"no control group for: {', '.join(missing)}",
            "mount the missing hierarchies below /sys/fs/cgroup "
            "(`mount -t cgroup -o NAME NAME /sys/fs/cgroup/NAME`), or boot with cgroup v2",
        )


def _space(home: Home) -> Iterator[Finding]:
    existing = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(existing).free / GIB
    is_built = (home.engine("cluster") / "data" / "image").exists() and home.sources.exists()
    wanted = DISK_TO_START if is_built else DISK_TO_BUILD
    if free < wanted:
        yield Finding(
            f"{free:.1f} GiB free at {existing}, and {wanted:.0f} are needed",
            "make room, or let $NOVA_ACCEPTANCE_HOME name a directory on another disk",
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    if memory < MEMORY:
        yield Finding(
            f"{memory:.1f} GiB of memory, and {MEMORY:.0f} are needed", "a larger machine"
        )
    longest = len(os.fsencode(home.engine("cluster") / "run" / "supervisor.sock"))
    if longest > SOCKET_PATH_LIMIT:
        yield Finding(
            f"the path of the engine's sockets has {longest} bytes; the kernel allows "
            f"{SOCKET_PATH_LIMIT}",
            "let $NOVA_ACCEPTANCE_HOME name a shorter directory",
        )


def _limits(_: Home) -> Iterator[Finding]:
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < INOTIFY_INSTANCES:
        yield Finding(
            f"fs.inotify.max_user_instances is below {INOTIFY_INSTANCES}: nodes may not start",
            f"sysctl -w fs.inotify.max_user_instances={INOTIFY_INSTANCES * 4}",
            is_fatal=False,
        )


def _loopback(_: Home) -> Iterator[Finding]:
    # The engine's subnets lie in its own network namespace and can collide with none of the
    # machine's; of the machine's own network one free port of the loopback is all it takes.
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        yield Finding(f"no port of 127.0.0.1 can be taken: {error}", "ip link set lo up")
