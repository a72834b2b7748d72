"""Work that waits for programs, done side by side where one piece does not need another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import Final

from nova_acceptance.cluster import command

_AT_ONCE: Final = 4
"""Pieces of work; most of them wait for a mirror or for the disk."""


def do(
    works: Mapping[str, Callable[[], object]], after: Mapping[str, Iterable[str]] | None = None
) -> None:
    """Do pieces of work in threads, each as soon as what it comes after is done.

    Where one fails, or all of it is interrupted, nothing more is begun and the programs that the
    others run are ended.

    Args:
        works: what is to be done, by name. What is named first is begun first.
        after: the names of those that one comes after; what is no work counts as done.

    Raises:
        BaseException: whatever the first one that failed has raised.
    """
    order = TopologicalSorter(dict.fromkeys(works, ()))
    for name in works:
        order.add(name, *(each for each in (after or {}).get(name, ()) if each in works))
    order.prepare()
    programs = command.Programs()
    running: dict[Future[object], str] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            while order.is_active():
                ready = sorted(order.get_ready(), key=list(works).index)
                running |= {pool.submit(programs.of, works[name]): name for name in ready}
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    done.result()
                    order.done(running.pop(done))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            programs.end()
            raise
