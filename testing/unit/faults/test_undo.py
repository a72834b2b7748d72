from __future__ import annotations

import os
import signal

import pytest

from testing.faults.ground import GroundError
from testing.faults.undo import UndoStack


def test_last_change_is_taken_back_first() -> None:
    done: list[str] = []
    stack = UndoStack()
    stack.push("the first", lambda: done.append("first"))
    stack.push("the second", lambda: done.append("second"))

    assert stack.unwind() == []
    assert done == ["second", "first"]


def test_failure_is_reported_and_stops_nothing() -> None:
    done: list[str] = []
    stack = UndoStack()
    stack.push("the first", lambda: done.append("first"))

    def fails() -> None:
        raise GroundError("the API said no")

    stack.push("the second", fails)

    assert stack.unwind() == ["the second: the API said no"]
    assert done == ["first"]


def test_stack_is_empty_after_unwinding() -> None:
    done: list[str] = []
    stack = UndoStack()
    stack.push("once", lambda: done.append("once"))

    stack.unwind()
    stack.unwind()

    assert done == ["once"]


def test_ctrl_c_waits_until_all_is_taken_back() -> None:
    done: list[str] = []
    stack = UndoStack()
    stack.push("the first", lambda: done.append("first"))
    stack.push("interrupted", lambda: os.kill(os.getpid(), signal.SIGINT))

    def fails() -> None:
        raise GroundError("the API said no")

    stack.push("the last", fails)

    with pytest.raises(KeyboardInterrupt) as ended:
        stack.unwind()

    assert done == ["first"]
    assert ended.value.args == ("the last: the API said no",)


def test_handlers_are_as_before() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    UndoStack().unwind()

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
