"""A run is one in all of its processes, and is known to be over when the last of them is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.runs import Run, running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_run_goes_on_until_its_last_process_has_ended(home: Home) -> None:
    controller = Run(home)
    controller.begin()
    worker = Run(home, controller.id)
    worker.begin()
    with running(home) as other:
        assert other.is_alive(controller.id)
        worker.end()
        assert other.is_alive(controller.id)
        assert (home.root / "runs" / controller.id).exists()
        controller.end()
    assert list((home.root / "runs").iterdir()) == []


def test_run_that_was_killed_is_known_to_be_over(home: Home) -> None:
    killed = Run(home)
    killed.begin()
    killed.end(has_left=True)

    with running(home) as other:
        assert not other.is_alive(killed.id)
        assert other.knows(killed.id)


@pytest.mark.parametrize("name", ["0123456789ab", "../escape", ""])
def test_run_of_another_machine_is_taken_for_one_that_goes_on(home: Home, name: str) -> None:
    (home.root / "escape").touch()
    with running(home) as run:
        assert run.is_alive(name)
        assert not run.knows(name)


def test_processes_of_a_run_tell_each_other_what_is_to_be_given_up(home: Home) -> None:
    controller = Run(home)
    controller.begin()
    for _ in range(2):
        worker = Run(home, controller.id)
        worker.note({"namespace": "nova-redis"})
        worker.end()

    assert controller.notes == [{"namespace": "nova-redis"}]
