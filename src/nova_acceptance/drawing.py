"""The engine that draws, in a process of its own from its start on.

It takes the better part of a second of a processor to start, and holds Python's lock meanwhile,
which the tests want. So it is started before everything else is imported, for which one processor
is enough. Where there is no such process, or it fails, it is drawn in this one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import selectors
import subprocess
import sys
import threading
import time
from typing import IO, Any, Final

_PATIENCE: Final = 20.0
"""Seconds for one picture, the start of the engine included."""
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
"""A name, as Vega-Lite wants it; nothing is read from there."""
_FIRST: Final = {
    "$schema": SCHEMA,
    "config": {"background": None, "legend": {"orient": "top"}, "axis": {"labelLimit": 300}},
    "data": {"values": [{"name": "one", "start": 0.0, "end": 1.0, "told": "one", "href": "#"}]},
    "mark": {"type": "bar"},
    "encoding": {
        "y": {"field": "name", "type": "nominal", "axis": {"ticks": False}},
        "x": {"field": "start", "type": "quantitative", "title": "seconds"},
        "x2": {"field": "end"},
        "color": {"field": "name", "type": "nominal", "scale": {"range": ["black"]}},
        "stroke": {"condition": {"test": "datum.end", "value": "black"}, "value": None},
        "description": {"field": "told"},
        "href": {"field": "href"},
    },
}
"""What is drawn first, since it takes ten times as long as another picture of the same parts."""


class Drawing:
    """A process that draws one picture after the other. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process, which ends with this one; without one all is drawn here."""
        # -P: beside this file lie modules of names that others have as well
        argv = [sys.executable, "-P", __file__]
        with self._lock, contextlib.suppress(OSError):
            if self._process is None:
                self._process = subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    encoding="utf-8",
                    start_new_session=True,  # Ctrl-C is for the run, which still wants pictures
                )
                atexit.register(self.close)

    def svg(self, spec: dict[str, Any]) -> str:
        """Return the picture of a specification of Vega-Lite.

        Raises:
            ValueError: the specification is wrong.
        """
        with self._lock:
            try:
                return self._asked(spec)
            except (OSError, ValueError):
                self._end()
        return _drawn(spec)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _asked(self, spec: dict[str, Any]) -> str:
        if self._process is None or not self._process.stdin or not self._process.stdout:
            raise BrokenPipeError
        self._process.stdin.write(f"{json.dumps(spec)}\n")
        self._process.stdin.flush()
        answer = json.loads(_line(self._process.stdout))
        if "svg" not in answer:
            raise ValueError(answer.get("error"))
        return str(answer["svg"])

    def _end(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what was not read any more
                    if stream:
                        stream.close()


ENGINE: Final = Drawing()
"""The one that all pictures of this process are drawn by."""


def _line(stream: IO[str]) -> str:
    """Read one line, in time.

    Raises:
        TimeoutError: it did not come.
    """
    until = time.monotonic() + _PATIENCE
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(until - time.monotonic()):
            raise TimeoutError
    return stream.readline()


def _drawn(spec: dict[str, Any]) -> str:
    import vl_convert  # noqa: PLC0415 - whoever asks another process needs it not

    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def _serve() -> None:
    _drawn(_FIRST)
    for line in sys.stdin:
        try:
            answer = {"svg": _drawn(json.loads(line))}
        except ValueError as error:
            answer = {"error": str(error)}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
