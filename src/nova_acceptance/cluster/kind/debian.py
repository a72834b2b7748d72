"""Debian's packages, as this machine's own apt knows where to find them.

No mirror is named here: the address, and how its signatures are checked, come from the machine's
configuration. What is wanted from another suite, and source packages, go through a private apt
whose lists and cache lie in a directory of ours, so that the machine's own stay as they are.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster import command
from nova_acceptance.errors import MachineError
from nova_acceptance.progress import Step

SUITE = "bookworm"
"""What images and engine are made of: Debian 12."""

KIND_SUITE = "trixie"
"""Where kind is packaged first; it is a static program and runs on Debian 12 as well."""


@dataclass(frozen=True)
class Mirror:
    """Where this machine gets Debian from."""

    uri: str
    log: Path

    @classmethod
    def of_machine(cls, log: Path) -> Mirror:
        """Read the mirror from apt's configuration.

        Raises:
            MachineError: apt is missing, or names no Debian mirror that has been updated.
        """
        listing = ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)|$(CODENAME)"]
        try:
            answer = subprocess.run(
                [*listing, "Created-By: Packages"],
                capture_output=True,
                text=True,
                check=True,
                timeout=timeouts.APT_QUESTION,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise MachineError(
                "apt does not say where Debian's packages come from",
                evidence=[str(error)],
                hint="a cluster without a Docker engine needs a Debian machine",
            ) from error
        for line in answer.stdout.splitlines():
            uri, origin, codename = line.split("|")
            if origin == "Debian" and codename == SUITE:
                return cls(uri, log)
        raise MachineError(
            f"apt knows no mirror of Debian's {SUITE}",
            evidence=answer.stdout.splitlines() or ["apt-get indextargets names no source"],
            hint="run `apt-get update` as root; where that is done, add the suite to apt's sources",
        )

    def bootstrap(
        self, target: Path, packages: tuple[str, ...], step: Step, *, options: tuple[str, ...] = ()
    ) -> None:
        """Make a root file system of Debian at `target`, a directory or a `.tar`."""
        argv = ["mmdebstrap", "--variant=minbase", *options]
        if packages:
            argv.append(f"--include={','.join(packages)}")
        argv += [SUITE, str(target), f"deb {self.uri} {SUITE} main"]
        command.run(argv, log=self.log, timeout=timeouts.BUILD, step=step)

    def fetch_source(self, package: str, suite: str, into: Path, step: Step) -> str:
        """Fetch a source package, checked against the signed index; return its version."""
        apt = self._private(into / ".apt", f"deb-src {self.uri} {suite} main", step)
        listing = self._run([*apt, "apt-cache", "showsrc", package], step)
        version = next(line.partition(" ")[2] for line in listing if line.startswith("Version: "))
        for part in ("--tar-only", "--diff-only"):
            # kind's own archive has everything; not every mirror keeps its Debian part.
            if part == "--tar-only" or package == "kubernetes":
                fetch = ["apt-get", "source", "--download-only", part, f"{package}={version}"]
                self._run([*apt, *fetch], step, directory=into)
        return version

    def fetch_program(self, package: str, suite: str, into: Path, step: Step) -> None:
        """Unpack a binary package below `into`, installing nothing."""
        into.mkdir(parents=True, exist_ok=True)
        apt = self._private(into / ".apt", f"deb {self.uri} {suite} main", step)
        self._run([*apt, "apt-get", "download", package], step, directory=into)
        for archive in into.glob(f"{package}_*.deb"):
            self._run(["dpkg-deb", "--extract", str(archive), str(into)], step)
            archive.unlink()

    def _private(self, directory: Path, source: str, step: Step) -> list[str]:
        """Set up an apt of our own with one source; return the prefix of its commands."""
        for name in ("lists/partial", "cache/archives/partial"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "sources.list").write_text(f"{source}\n")
        (directory / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{directory}/sources.list";\n'
            'Dir::Etc::sourceparts "/dev/null";\n'
            f'Dir::State::lists "{directory}/lists";\n'
            f'Dir::Cache "{directory}/cache";\n'
            'Acquire::Languages "none";\n'
            'Acquire::Retries "3";\n'
            # The downloads lie below the user's home, which apt's own user may not enter.
            'APT::Sandbox::User "root";\n'
        )
        prefix = ["env", f"APT_CONFIG={directory}/apt.conf"]
        self._run([*prefix, "apt-get", "update"], step)
        return prefix

    def _run(self, argv: list[str], step: Step, *, directory: Path | None = None) -> list[str]:
        if directory:
            argv = ["env", "-C", str(directory), *argv]
        return command.run(argv, log=self.log, timeout=timeouts.BUILD, step=step)
