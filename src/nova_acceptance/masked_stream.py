"""Standard output and standard error without secrets, whoever writes to them.

It is the last net, below everything that masks what it writes itself: progress, what a test prints
under `-s`, a library's own handler of logs, a traceback of a thread. What a program writes to the
descriptor itself passes it by; no program that this package starts is given a Secret.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, TextIO, cast

from nova_acceptance import masking

STREAMS: Final = ("stdout", "stderr")


class MaskedStream:
    """A text stream that masks every piece of text as it is written; all else is the stream's.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text without the secrets in it; returns the characters that were given."""
        self._stream.write(masking.mask(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> io.BufferedIOBase:
        """The stream's octets, masked as well."""
        return cast(io.BufferedIOBase, _MaskedOctets(self._stream))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)


class _MaskedOctets(io.RawIOBase):
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, octets: Any) -> int:
        given = bytes(octets)
        text = given.decode("utf-8", "surrogateescape")
        self._stream.buffer.write(masking.mask(text).encode("utf-8", "surrogateescape"))
        return len(given)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """Stay open: it is not ours."""


def masked_stream(stream: TextIO) -> TextIO:
    """Return a stream whose text is masked; the same where it is one already."""
    return stream if isinstance(stream, MaskedStream) else cast(TextIO, MaskedStream(stream))


def masked_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Write the traceback of an error that nobody caught, as `sys.excepthook` does."""
    masked_stream(sys.stderr).write("".join(traceback.format_exception(kind, error, trace)))


@contextmanager
def masked_output() -> Iterator[None]:
    """Have everything masked that is written to standard output and standard error."""
    before = {name: getattr(sys, name) for name in STREAMS}
    for name, stream in before.items():
        setattr(sys, name, masked_stream(stream))
    try:
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)
