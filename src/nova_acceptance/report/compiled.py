"""Compiled templates, kept between runs: compiling one takes ten times as long as reading it."""

from __future__ import annotations

from contextlib import suppress

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from nova_acceptance.cluster.home import Home


class _Kept(FileSystemBytecodeCache):
    """Keeps what can be kept: what cannot be read or written is compiled each time."""

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - however it was spoilt
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def kept() -> _Kept | None:
    """Return where compiled templates are kept; None where there is no such place."""
    try:
        directory = Home.of_user().templates
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # the latter where nobody has a home
        return None
    return _Kept(str(directory))
