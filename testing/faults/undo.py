"""What has to be taken back, in the reverse order, whatever happens."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from nova_acceptance.errors import NovaError


class UndoStack:
    """Steps that take changes back, the last change first.

    Push before the change is made: a change that failed half-way is taken back as well.
    """

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def push(self, what: str, undo: Callable[[], object]) -> None:
        """Keep how to take something back.

        Args:
            what: what is taken back, for the message when that fails.
            undo: does it; may be called when there is nothing to take back.
        """
        self._steps.append((what, undo))

    def unwind(self) -> list[str]:
        """Take everything back; a Ctrl-C waits until that is done.

        Raises:
            KeyboardInterrupt: it came meanwhile; what could not be taken back is in its arguments.

        Returns:
            What could not be taken back, a line each; nothing else is left out for its sake.
        """
        failures: list[str] = []
        with _interrupts_held() as came:
            while self._steps:
                what, undo = self._steps.pop()
                try:
                    undo()
                except (NovaError, OSError, ValueError, LookupError) as error:
                    failures.append(f"{what}: {error}")
        if came:
            raise KeyboardInterrupt(*failures)
        return failures


@contextmanager
def _interrupts_held() -> Iterator[list[int]]:
    """Hold SIGINT and SIGTERM back until the block ends; give those that came."""
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    held = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
