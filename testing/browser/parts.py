"""What the parts of a report show, read from the page as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from testing.browser.reader import Reader


class ShownPod(NamedTuple):
    """A pod's box: where it is, and whether it is shown as well."""

    namespace: str
    name: str
    node: str
    is_good: bool


class ShownService(NamedTuple):
    """A Service's box: what it says of its address and ports."""

    namespace: str
    name: str
    address: str
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """A component's row; what is empty there is None."""

    layer: str
    kind: str
    namespace: str
    wanted: int
    ready: int
    restarts: int | None
    images: tuple[str, ...]
    verdict: str


class ShownCell(NamedTuple):
    """A cell of the matrix: `good`, `bad`, `unasked` or `undeclared`, and its words."""

    state: str
    words: str


def where(reader: Reader) -> dict[str, str]:
    """Return what the verdict says of the run, by its heading."""
    pairs = _each(
        reader,
        ".where > div",
        "div => [div.querySelector('dt').textContent, div.querySelector('dd').innerText]",
    )
    return dict(pairs)


def causes(reader: Reader) -> list[str]:
    """Return the names of the causes, in their order."""
    return _each(reader, ".cause", "it => it.querySelector('summary code').textContent")


def components(reader: Reader) -> dict[tuple[str, str], ShownComponent]:
    """Return the components by name and kind."""
    rows = _each(
        reader,
        ".layers tr[data-component]",
        """row => [row.dataset.component, row.closest("tbody").dataset.layer,
            ...[...row.cells].map(cell => cell.innerText.trim()),
            row.querySelector(".badge").className.replace("badge ", "")]""",
    )
    return {
        (name, kind): ShownComponent(
            layer,
            kind,
            namespace,
            int(wanted),
            int(ready),
            int(restarts) if restarts else None,
            tuple(images.split()),
            badge,
        )
        for (
            name,
            layer,
            _,
            kind,
            namespace,
            wanted,
            ready,
            restarts,
            images,
            _,
            _,
            badge,
        ) in rows
    }


def layers(reader: Reader) -> dict[str, str]:
    """Return the verdict of each layer."""
    badge = "it.querySelector('.layer .badge').className.replace('badge ', '')"
    return dict(_each(reader, ".layers tbody", f"it => [it.dataset.layer, {badge}]"))


def counts(reader: Reader) -> dict[str, int]:
    """Return how many objects there are of each kind."""
    tiles = _each(
        reader, "[data-count]", "it => [it.dataset.count, it.querySelector('dd').textContent]"
    )
    return {kind: int(number) for kind, number in tiles}


def nodes(reader: Reader) -> list[str]:
    """Return the columns of the topology."""
    return _each(reader, ".plan [data-node]", "it => it.dataset.node")


def pods(reader: Reader) -> set[ShownPod]:
    """Return the pods of the topology; one that is on no node has an empty one."""
    found = _each(
        reader,
        ".plan .pod",
        """pod => {
            const columns = pod.closest("table").tHead.rows[0].cells;
            const node = columns[pod.closest("td").cellIndex].dataset.node || "";
            const namespace = pod.closest("tr").dataset.namespace;
            return [namespace, pod.dataset.pod, node, pod.classList.contains("good")];
        }""",
    )
    return {ShownPod(*pod) for pod in found}


def services(reader: Reader) -> set[ShownService]:
    """Return the Services of the topology."""
    found = _each(
        reader,
        ".plan .door",
        """door => [door.closest("tr").dataset.namespace, door.dataset.service,
            ...door.querySelector("span").textContent.split(" · ")]""",
    )
    return {
        ShownService(namespace, name, address, tuple(int(port) for port in ports.split(", ")))
        for namespace, name, address, ports in found
    }


def matrix(reader: Reader, wanted: str) -> dict[tuple[str, str], ShownCell]:
    """Return who reached whom, by the source and by `service:port`.

    Args:
        reader: of the report.
        wanted: `open` or `closed`: which of the two tables.
    """
    found = _each(
        reader,
        f".matrix[data-wanted={wanted}] td",
        """cell => [cell.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent,
            cell.closest("tr").cells[0].textContent, cell.className,
            (cell.querySelector("a") || cell).textContent.trim()]""",
    )
    return {(source, door): ShownCell(state, words) for source, door, state, words in found}


def timeline_pods(reader: Reader) -> set[str]:
    """Return the pods whose milestones are told, as `namespace/name`."""
    return set(_each(reader, "#timeline tr[data-pod]", "it => it.dataset.pod"))


def bars(reader: Reader) -> set[str]:
    """Return the bars of the timeline in the words that a screen reader says."""
    return set(_each(reader, "#timeline .bar[aria-label]", "it => it.getAttribute('aria-label')"))


def critical_path(reader: Reader) -> list[str]:
    """Return the pods of the critical path, in their order."""
    return _each(reader, ".legs [data-pod]", "it => it.dataset.pod")


def runs(reader: Reader) -> list[str]:
    """Return the names of the runs that the history shows, in their order."""
    return _each(reader, "#history [data-run]", "it => it.dataset.run")


def evidence(reader: Reader, nodeid: str) -> list[list[str]]:
    """Open a test and return the rows of its evidence."""
    rows: list[list[str]] = (
        reader.open(nodeid)
        .locator(".more tbody tr")
        .evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
    )
    return rows


def outcomes(reader: Reader) -> dict[str, int]:
    """Return how many rows there are of each outcome, as their class spells it."""
    classes: list[str] = _each(reader, ".test", "it => it.className.replace('test ', '')")
    return {outcome: classes.count(outcome) for outcome in classes}


def _each(reader: Reader, selector: str, script: str) -> list[Any]:
    found: list[Any] = reader.page.eval_on_selector_all(selector, f"all => all.map({script})")
    return found
