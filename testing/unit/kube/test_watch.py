"""The watch loop against a scripted server: expired versions, cut connections, restarts."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.kube import SYNCED, ApiError, ApiUnreachableError, Kube, Watch
from testing.unit.kube.scripted_api import (
    Answer,
    Request,
    ScriptedApi,
    reserved_port,
    scripted_api,
    status,
)
from testing.unit.waiting import SOON

PATH = "/api/v1/namespaces/here/pods"


def pod(name: str, version: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "here",
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
        }
    }


def pods(version: int, *items: dict[str, Any]) -> Answer:
    return Answer({"metadata": {"resourceVersion": str(version)}, "items": list(items)})


def change(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": obj}


def is_watch(request: Request) -> bool:
    return request.query.get("watch") == "true"


def watch(
    api: ScriptedApi, tmp_path: Path, seconds: float = SOON, *, announce: bool = False
) -> Watch:
    return Kube(api.kubeconfig(tmp_path)).watch(
        "v1", "Pod", namespace="here", deadline=time.monotonic() + seconds, announce=announce
    )


def take(events: Watch, count: int) -> list[tuple[str, str, str]]:
    """Return type, name and version of the next events, and stop the watch."""
    taken = [
        (kind, obj["metadata"]["name"], obj["metadata"]["resourceVersion"])
        for kind, obj in itertools.islice(events, count)
    ]
    events.stop()
    return taken


class Script:
    """Answers lists and watches from two queues; the last answer of each repeats."""

    def __init__(self, lists: list[Answer], watches: list[Answer]) -> None:
        self._lists = lists
        self._watches = watches

    def __call__(self, request: Request) -> Answer:
        queue = self._watches if is_watch(request) else self._lists
        return queue.pop(0) if len(queue) > 1 else queue[0]


SILENCE = Answer(lines=[], held=True)


def test_watch_yields_what_is_there_and_then_what_changes(tmp_path: Path) -> None:
    script = Script(
        [pods(5, pod("a", 3))],
        [Answer(lines=[change("MODIFIED", pod("a", 6)), change("DELETED", pod("a", 7))])],
    )
    with scripted_api(script) as api:
        assert take(watch(api, tmp_path), 3) == [
            ("ADDED", "a", "3"),
            ("MODIFIED", "a", "6"),
            ("DELETED", "a", "7"),
        ]
        assert api.asked(PATH, watch="true", resourceVersion="5")


def test_objects_carry_version_and_kind(tmp_path: Path) -> None:
    with scripted_api(Script([pods(5, pod("a", 3))], [Answer(lines=[])])) as api:
        events = watch(api, tmp_path)
        _, obj = next(events)
        events.stop()

    assert (obj["apiVersion"], obj["kind"]) == ("v1", "Pod")


def test_cut_connection_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    script = Script(
        [pods(5)],
        [
            Answer(lines=[change("ADDED", pod("a", 6)), b'{"type": "MOD'], cut=True),
            Answer(lines=[change("ADDED", pod("b", 7))]),
        ],
    )
    with scripted_api(script) as api:
        assert take(watch(api, tmp_path), 2) == [("ADDED", "a", "6"), ("ADDED", "b", "7")]
        assert len([r for r in api.asked(PATH) if not is_watch(r)]) == 1, "it listed again"
        assert api.asked(PATH, watch="true", resourceVersion="6")


def test_bookmark_moves_the_version_and_is_not_yielded(tmp_path: Path) -> None:
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "90"}}}
    script = Script(
        [pods(5)], [Answer(lines=[bookmark]), Answer(lines=[change("ADDED", pod("a", 91))])]
    )
    with scripted_api(script) as api:
        assert take(watch(api, tmp_path), 1) == [("ADDED", "a", "91")]
        assert api.asked(PATH, watch="true", resourceVersion="90")


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(
            Answer(lines=[change("ERROR", status(410, "Expired", "too old"))]), id="in-the-stream"
        ),
        pytest.param(Answer(status(410, "Expired", "too old"), 410), id="at-the-request"),
        pytest.param(
            Answer(lines=[change("ERROR", status(500, "InternalError", "lost"))]), id="any-error"
        ),
    ],
)
def test_expired_version_is_listed_again_and_only_differences_are_yielded(
    tmp_path: Path, gone: Answer
) -> None:
    script = Script(
        [
            pods(5, pod("stays", 1), pod("changes", 2), pod("goes", 3)),
            pods(50, pod("stays", 1), pod("changes", 40), pod("comes", 41)),
        ],
        [gone, Answer(lines=[change("ADDED", pod("later", 51))])],
    )
    with scripted_api(script) as api:
        taken = take(watch(api, tmp_path), 7)

    assert sorted(taken[:3]) == [
        ("ADDED", "changes", "2"),
        ("ADDED", "goes", "3"),
        ("ADDED", "stays", "1"),
    ]
    assert sorted(taken[3:6]) == [
        ("ADDED", "comes", "41"),
        ("DELETED", "goes", "3"),
        ("MODIFIED", "changes", "40"),
    ]
    assert taken[6] == ("ADDED", "later", "51")


def test_complete_lists_are_announced_on_request(tmp_path: Path) -> None:
    with scripted_api(Script([pods(5, pod("a", 3))], [SILENCE])) as api:
        events = watch(api, tmp_path, announce=True)
        kinds = [kind for kind, _ in itertools.islice(events, 2)]
        events.stop()

    assert kinds == ["ADDED", SYNCED]


def test_restarting_server_is_waited_for(tmp_path: Path) -> None:
    first = Script([pods(5, pod("a", 3))], [Answer(lines=[], cut=True)])
    later = Script([pods(9)], [Answer(lines=[change("ADDED", pod("b", 6))])])
    with reserved_port() as port:
        with scripted_api(first, port) as api:
            events = watch(api, tmp_path)
            assert next(events)[1]["metadata"]["name"] == "a"
        seen, thread = taken_meanwhile(events)
        time.sleep(0.5)
        with scripted_api(later, port):
            thread.join(SOON)

    assert seen == [("ADDED", "b", "6")]


def taken_meanwhile(events: Watch) -> tuple[list[tuple[str, str, str]], threading.Thread]:
    """Return what the next event will be, and the thread that waits for it."""
    seen: list[tuple[str, str, str]] = []
    thread = threading.Thread(target=lambda: seen.extend(take(events, 1)), daemon=True)
    thread.start()
    return seen, thread


def test_server_still_to_start_is_waited_for(tmp_path: Path) -> None:
    with reserved_port() as port:
        events = watch(ScriptedApi(lambda _: Answer(), port=port), tmp_path)
        seen, thread = taken_meanwhile(events)
        time.sleep(0.3)
        with scripted_api(Script([pods(5, pod("a", 3))], [SILENCE]), port):
            thread.join(SOON)

    assert seen == [("ADDED", "a", "3")]


def test_server_that_stays_away_is_reported_at_the_deadline(tmp_path: Path) -> None:
    started = time.monotonic()
    with reserved_port() as port:
        events = watch(ScriptedApi(lambda _: Answer(), port=port), tmp_path, 1.0)
        with pytest.raises(ApiUnreachableError, match="did not answer"):
            list(events)
    assert time.monotonic() - started >= 1.0


def test_watches_that_end_at_once_do_not_spin(tmp_path: Path) -> None:
    with scripted_api(Script([pods(5)], [Answer(lines=[])])) as api:
        assert list(watch(api, tmp_path, 1.5)) == []

    assert 1 <= len(api.asked(PATH, watch="true")) <= 6


def test_endless_expiry_does_not_spin(tmp_path: Path) -> None:
    gone = Answer(lines=[change("ERROR", status(410, "Expired"))])
    with scripted_api(Script([pods(5)], [gone])) as api:
        assert list(watch(api, tmp_path, 1.5)) == []

    assert 1 <= len(api.asked(PATH, watch="true")) <= 6


def test_refusal_ends_the_watch_at_once(tmp_path: Path) -> None:
    refusal = Answer(status(403, "Forbidden", "pods is forbidden"), 403)
    with (
        scripted_api(Script([refusal], [refusal])) as api,
        pytest.raises(ApiError, match="403 Forbidden") as caught,
    ):
        next(watch(api, tmp_path))

    assert len(api.asked(PATH)) == 1
    assert "kubectl auth can-i" in caught.value.hint


def test_refusal_while_the_server_restarts_is_waited_out(tmp_path: Path) -> None:
    refusal = Answer(status(403, "Forbidden", 'RBAC: clusterrole "view" not found'), 403)
    later = Answer(lines=[change("ADDED", pod("a", 6))])
    with scripted_api(Script([pods(5)], [refusal, refusal, later])) as api:
        assert take(watch(api, tmp_path), 1) == [("ADDED", "a", "6")]


def test_stop_from_another_thread_ends_a_silent_watch(tmp_path: Path) -> None:
    watched = threading.Event()

    def script(request: Request) -> Answer:
        if not is_watch(request):
            return pods(5)
        watched.set()
        return SILENCE

    with scripted_api(script) as api:
        events = watch(api, tmp_path)
        started = time.monotonic()

        def stop() -> None:
            watched.wait(SOON)
            events.stop()

        threading.Thread(target=stop, daemon=True).start()

        assert list(events) == []
    assert time.monotonic() - started < SOON


def test_deadline_ends_a_silent_watch(tmp_path: Path) -> None:
    def until_told(request: Request) -> Answer:
        if not is_watch(request):
            return pods(5)
        time.sleep(float(request.query["timeoutSeconds"]))  # as the API does
        return Answer(lines=[])

    with scripted_api(until_told) as api:
        started = time.monotonic()
        assert list(watch(api, tmp_path, 1.2)) == []

    assert time.monotonic() - started >= 1.0


def test_time_away_counts_anew_after_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("nova_acceptance.timeouts.API_AWAY", 1.0)
    monkeypatch.setattr("nova_acceptance.kube.watch._LONGEST_PAUSE", 0.1)
    monkeypatch.setattr("nova_acceptance.kube.watch.time", clock)
    changes = itertools.count(6)

    def script(request: Request) -> Answer:
        nonlocal now
        if not is_watch(request):
            return pods(5)
        now += 0.4
        # each answer says something and is cut: no round ends well, and the API is not away
        return Answer(lines=[change("MODIFIED", pod("a", next(changes)))], cut=True)

    with scripted_api(script) as api:
        assert len(take(watch(api, tmp_path), 8)) == 8
