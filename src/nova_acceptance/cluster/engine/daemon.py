"""A container engine of our own: dockerd in namespaces that end with its supervisor.

Nothing of a Docker engine that the user may have is touched: socket, data, bridge, network and
control groups are ours. The engine of clusters has a network namespace without a way out; the
engine that builds images uses the machine's own network as apt does, and makes no bridge.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster.engine import machine_state
from nova_acceptance.errors import ClusterError

HERE = Path(__file__).parent
SUPERVISOR = HERE / "supervisor.py"
POLL = 0.05
LOG_TAIL = 12

OWN_NETWORK = ("--default-cgroupns-mode=private",)
NO_NETWORK_OF_ITS_OWN = (
    "--bridge=none",
    "--iptables=false",
    "--ip-forward=false",
    "--ip-masq=false",
)


class Engine:
    """One dockerd with its supervisor.

    Args:
        directory: holds `run/` (sockets, logs) and `data/` (images, containers).
        rootfs: the root directory dockerd runs in.
        is_isolated: whether it has a network namespace of its own, as an engine of clusters has.

    Attributes:
        cgroup: the name of the control group that holds all its containers.
    """

    def __init__(self, directory: Path, rootfs: Path, *, is_isolated: bool) -> None:
        self._run = directory / "run"
        self._data = directory / "data"
        self._rootfs = rootfs
        self._is_isolated = is_isolated
        # By directory: the engines of two homes must not clear away each other's.
        place = hashlib.sha256(os.fsencode(directory.absolute())).hexdigest()[:8]
        self.cgroup = f"nova-acceptance-{place}"

    @property
    def docker_socket(self) -> Path:
        """The Docker API's socket."""
        return self._run / "docker.sock"

    @property
    def log(self) -> Path:
        """What dockerd writes."""
        return self._run / "dockerd.log"

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which docker's client and kind use this engine."""
        # A client's own configuration could name a context, a proxy or a builder of the user's.
        return {
            "DOCKER_HOST": f"unix://{self.docker_socket}",
            "DOCKER_CONFIG": str(self._run / "client"),
            "DOCKER_BUILDKIT": "0",
        }

    @property
    def pid(self) -> int | None:
        """Process 1 of its namespaces, as the machine numbers it; None when it does not run."""
        return next((pid for pid in self._processes() if _number_inside(pid) == 1), None)

    @property
    def is_running(self) -> bool:
        """Whether its supervisor lives."""
        return bool(self._processes())

    def start(self) -> None:
        """Start the engine, unless it runs already, and wait until it answers.

        Raises:
            ClusterError: it ended or did not answer; with the last lines of its log.
        """
        if self.is_running:
            return
        self.clean_up()
        for directory in (self._run, self._data):
            directory.mkdir(parents=True, exist_ok=True)
        self._run.chmod(0o700)
        self._data.chmod(0o711)
        if self._is_isolated:
            machine_state.remember(self._run / "machine.json")
        try:
            self._await(self._spawn())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the engine with everything in it, and leave nothing of it behind but its data."""
        running = self._processes()
        if pid := self.pid:
            # It ends dockerd in good order, then itself, and with it the namespace.
            _signal(pid, signal.SIGTERM)
        if not self._have_ended(running, timeouts.ENGINE_STOP):
            for pid in running:
                _signal(pid, signal.SIGKILL)
            self._have_ended(running, timeouts.ENGINE_STOP)
        self.clean_up()

    def clean_up(self) -> None:
        """Remove what an engine that is gone, in whatever way, has left on the machine.

        Raises:
            ClusterError: control groups that still hold processes.
        """
        deadline = time.monotonic() + timeouts.ENGINE_STOP
        remaining = machine_state.remove_cgroups(self.cgroup, deadline)
        machine_state.put_back(self._run / "machine.json")
        for name in ("docker.sock", "supervisor.sock"):
            (self._run / name).unlink(missing_ok=True)
        if remaining:
            raise ClusterError(
                f"{len(remaining)} control groups of the engine could not be removed",
                evidence=[str(path) for path in remaining],
                hint="see which processes they hold (`cat PATH/cgroup.procs`), then run the "
                "command again",
            )

    def relay(self, listener: socket.socket, port: int) -> None:
        """Have every connection to `listener` continued at 127.0.0.1:`port` in the engine.

        The supervisor keeps its own copy of the socket; the caller may close this one.

        Raises:
            ClusterError: the supervisor did not take it.
        """
        self._tell(f"relay {port}", [listener.fileno()])

    def unrelay(self, port: int) -> None:
        """Close the machine's side of a relay.

        Raises:
            ClusterError: the supervisor did not take it.
        """
        self._tell(f"unrelay {port}", [])

    def _tell(self, message: str, descriptors: list[int]) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
            door.settimeout(timeouts.CONNECT)
            try:
                door.connect(str(self._run / "supervisor.sock"))
                socket.send_fds(door, [message.encode()], descriptors)
                answer = door.recv(64)
            except OSError as error:
                raise self._failure(f"the engine's supervisor does not answer: {error}") from error
        if answer != b"ok":
            raise self._failure(f"the engine's supervisor refused to {message}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if self._is_isolated:
            namespaces.append("--net")
        network = OWN_NETWORK if self._is_isolated else NO_NETWORK_OF_ITS_OWN
        dockerd = [
            "dockerd",
            "--host=unix:///run/nova/docker.sock",
            "--exec-root=/run/docker",
            "--pidfile=/run/docker.pid",
            f"--cgroup-parent=/{self.cgroup}",
            "--storage-driver=overlay2",
            "--add-runtime=bounded=/usr/local/bin/bounded-runc",
            "--default-runtime=bounded",
            *network,
        ]
        enter = ["unshare", "--mount", "sh", HERE / "enter.sh", self._rootfs, self._data, self._run]
        supervise = [sys.executable, "-I", SUPERVISOR, "--run", self._run, "--"]
        argv = ["unshare", *namespaces, *supervise, *enter, *dockerd]
        self.log.unlink(missing_ok=True)
        with (self._run / "supervisor.log").open("wb") as log:
            return subprocess.Popen(
                [str(argument) for argument in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, "NOVA_OWN_NETWORK": "1" if self._is_isolated else ""},
                start_new_session=True,
            )

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + timeouts.ENGINE_START
        while not self._answers():
            if process.poll() is not None:
                raise self._failure(f"the engine ended with status {process.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"the engine does not answer after {timeouts.ENGINE_START} s")
            time.sleep(POLL)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as api:
                api.settimeout(timeouts.CONNECT)
                api.connect(str(self.docker_socket))
                api.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in api.recv(64)
        except OSError:
            return False

    def _failure(self, message: str) -> ClusterError:
        lines: list[str] = []
        for log in (self._run / "supervisor.log", self.log):
            with contextlib.suppress(OSError):
                lines += log.read_text(errors="replace").splitlines()[-LOG_TAIL:]
        return ClusterError(
            message,
            evidence=lines,
            hint=f"the engine's whole log is {self.log}; "
            "`nova-cluster doctor` says what this machine lacks",
        )

    def _processes(self) -> list[int]:
        """Return the supervisor and what holds its namespaces, known by their own arguments."""
        # Not by the program's whole path: another checkout may have started it.
        mine = [b"supervisor.py", b"--run", os.fsencode(self._run)]
        found = []
        for number in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{number}/cmdline", "rb") as file:
                argv = file.read().split(b"\0")
                if mine[-1] not in argv:
                    continue
                names = [argument.rpartition(b"/")[2] for argument in argv]
                starts = range(len(argv))
                if any([names[at], *argv[at + 1 : at + 3]] == mine for at in starts):
                    found.append(int(number))
        return sorted(found)

    def _have_ended(self, pids: list[int], budget: float) -> bool:
        deadline = time.monotonic() + budget
        while set(pids) & set(self._processes()):
            if time.monotonic() > deadline:
                return False
            # Ours if this process started it: otherwise it would stay a zombie.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pids[0], os.WNOHANG)
            time.sleep(POLL)
        return True


def _number_inside(pid: int) -> int:
    """Return a process's number in the innermost PID namespace that it is in; 0 if it is gone."""
    with contextlib.suppress(OSError):
        for line in Path("/proc", str(pid), "status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return 0


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
