"""This interpreter, made to have only what macOS has as well; a plugin for pytest (`-p`).

What is of Linux alone is not there: parts of the standard library, files below /proc and /sys,
programs of Debian, and the part of this project that makes clusters out of them. Whoever reaches
for one gets the error that it would get there.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

OF_LINUX: Final = (
    "nova_acceptance.cluster.engine",
    "nova_acceptance.cluster.kind.debian",
    "nova_acceptance.cluster.kind.node_image",
    "nova_acceptance.cluster.kind.store",
    "ossaudiodev",
    "spwd",
)
"""Modules that are not on macOS, or that are ours and for Linux."""

_NAMES: Final[dict[ModuleType, tuple[str, ...]]] = {
    os: (
        "eventfd memfd_create pidfd_open sched_getaffinity sched_setaffinity setns splice unshare"
        " copy_file_range setresuid"
    ).split(),  # type: ignore[dict-item]
    select: ("epoll",),
    signal: ("pidfd_send_signal", "sigtimedwait", "sigwaitinfo"),
    socket: ("AF_NETLINK", "AF_PACKET", "AF_VSOCK", "SO_BINDTODEVICE", "TCP_USER_TIMEOUT"),
}
_PLACES: Final = ("/proc/", "/sys/", "/etc/os-release", "/etc/debian_version")
_PROGRAMS: Final = frozenset(
    "apt-get dpkg dpkg-deb ip mmdebstrap mount nsenter pivot_root setpriv systemctl unshare".split()
)


class _Absent(MetaPathFinder):
    """Finds none of the modules that are not there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse a module of Linux, and leave all others to the next finder."""
        del path, target
        if any(fullname == name or fullname.startswith(f"{name}.") for name in OF_LINUX):
            raise ModuleNotFoundError(f"{fullname} is of Linux alone", name=fullname)
        return None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and str(arguments[0]).startswith(_PLACES):
        raise FileNotFoundError(2, "of Linux alone", str(arguments[0]))
    if event == "subprocess.Popen" and Path(str(arguments[0])).name in _PROGRAMS:
        raise FileNotFoundError(2, "of Linux alone", str(arguments[0]))


def _no_proxies() -> ModuleType:
    """Return the module by which urllib reads macOS' settings, with none set."""
    module = ModuleType("_scproxy")
    for name in ("_get_proxies", "_get_proxy_settings"):
        setattr(module, name, dict)
    return module


def depart() -> None:
    """Take everything of Linux alone away from this interpreter, for good."""
    for module, names in _NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    sys.meta_path.insert(0, _Absent())
    sysconfig.get_config_vars()  # this interpreter's own, which it finds by its platform's name
    sys.platform = "darwin"
    sys.modules["_scproxy"] = _no_proxies()
    sys.addaudithook(_audit)


depart()
