"""One run at a time holds a system, whoever comes first, dies, or is away."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.lease import DOING, Holder, Leases
from nova_acceptance.cluster.runs import Run
from nova_acceptance.cluster.tenure import UNFINISHED, Tenure
from nova_acceptance.errors import ClusterError, RefusedError
from nova_acceptance.progress import Progress
from testing.unit.cluster.lease_api import LeaseApi
from testing.unit.waiting import SOON, wait_until

PLACE = "nova-redis"
COUNT = 8


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api() -> LeaseApi:
    return LeaseApi(PLACE)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread renews by itself, unless a test wants that."""
    monkeypatch.setattr(timeouts, "LEASE_RENEWED", 3600.0)
    monkeypatch.setattr(timeouts, "LEASE_GLANCE", 0.05)


def tenure(api: LeaseApi, home: Home, clock: Clock | None = None, run: str | None = None) -> Tenure:
    found = Run(home, run)
    found.begin()
    return Tenure(Leases(api, PLACE), found, clock or Clock())


def of_another_machine(api: LeaseApi, tmp_path: Path, clock: Clock | None = None) -> Tenure:
    found = tenure(api, Home(tmp_path / "elsewhere"), clock)
    found.take("verifying", quiet())
    return found


def is_taken(each: Tenure, *, within: float) -> bool:
    try:
        each.take("verifying", quiet(), within=within)
    except RefusedError:
        return False
    return True


def watched_again(api: LeaseApi, before: int) -> None:
    """Wait until a run has looked at the Lease twice more than that."""
    wait_until(lambda: api.calls.count("watch") > before + 1, SOON)


def quiet() -> Progress:
    return Progress(io.StringIO())


def holder(api: LeaseApi) -> Holder | None:
    return Holder.of(api.leases[PLACE])


def test_lease_names_the_run_who_started_it_and_what_it_does(api: LeaseApi, home: Home) -> None:
    run = Run(home)
    Tenure(Leases(api, PLACE), run).take("deploying", quiet())

    lease = api.leases[PLACE]
    assert lease["spec"]["holderIdentity"] == str(Holder.here(run.id))
    assert run.id in lease["spec"]["holderIdentity"]
    assert lease["spec"]["leaseDurationSeconds"] == 60
    assert lease["metadata"]["labels"]["nova-acceptance/run"] == run.id
    assert lease["metadata"]["annotations"] == {DOING: "deploying"}


def test_lease_is_gone_after_the_run(api: LeaseApi, home: Home) -> None:
    mine = tenure(api, home)
    mine.take("verifying", quiet())

    mine.release()

    assert api.leases == {}
    assert not mine.is_held


def test_processes_of_one_run_share_it(api: LeaseApi, home: Home) -> None:
    run = "a1" * 6
    tenure(api, home, run=run).take("verifying", quiet())
    before = api.leases[PLACE]["metadata"]["uid"]

    other = tenure(api, home, run=run)
    other.take("verifying", quiet())

    assert other.is_held
    assert other.waited_for == []
    assert api.leases[PLACE]["metadata"]["uid"] == before


def test_second_run_waits_and_says_for_whom(api: LeaseApi, home: Home, tmp_path: Path) -> None:
    first = of_another_machine(api, tmp_path)
    first_holder = holder(api)
    second, said = tenure(api, home), io.StringIO()
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(second.take, "deploying", Progress(said))
        wait_until(lambda: bool(second.waited_for), SOON)
        assert not taking.done()
        first.release()
        taking.result(SOON)

    assert second.is_held
    assert second.waited_for == [first_holder]
    assert f"waiting for run {first_holder}, verifying since 20" in said.getvalue()
    assert holder(api) != first_holder


def test_run_that_waits_too_long_is_refused(api: LeaseApi, home: Home, tmp_path: Path) -> None:
    of_another_machine(api, tmp_path)
    before, second = holder(api), tenure(api, home)

    with pytest.raises(RefusedError, match="is not done"):
        second.take("verifying", quiet(), within=0)

    assert holder(api) == before
    assert not second.is_held
    second.release()
    assert holder(api) == before


def test_lease_that_is_not_renewed_for_its_duration_is_taken_over(
    api: LeaseApi, home: Home, tmp_path: Path
) -> None:
    of_another_machine(api, tmp_path)
    clock = Clock()
    second = tenure(api, home, clock)
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(second.take, "verifying", quiet())
        wait_until(lambda: api.calls.count("watch") > 1, SOON)
        clock.now += timeouts.LEASE - 1
        seen = api.calls.count("watch")
        watched_again(api, seen)
        assert not taking.done()
        clock.now += 1
        taking.result(SOON)

    assert second.is_held
    assert api.leases[PLACE]["spec"]["leaseTransitions"] == 1


def test_renewal_is_seen_by_its_change_and_not_by_its_time(
    api: LeaseApi, home: Home, tmp_path: Path
) -> None:
    """The other machine's clock may be years off."""
    first = of_another_machine(api, tmp_path)
    api.leases[PLACE]["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
    clock = Clock()
    second = tenure(api, home, clock)
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(second.take, "verifying", quiet())
        for _ in range(3):
            seen = api.calls.count("watch")
            watched_again(api, seen)
            clock.now += timeouts.LEASE - 1
            first.confirm(afresh=True)
        seen = api.calls.count("watch")
        watched_again(api, seen)
        assert not taking.done()
        first.release()
        taking.result(SOON)


def test_lease_of_a_killed_run_of_this_machine_is_taken_at_once(api: LeaseApi, home: Home) -> None:
    killed = Run(home)
    killed.begin()
    Tenure(Leases(api, PLACE), killed).take("verifying", quiet())
    killed.end(has_left=True)  # as the kernel does: the lock is gone and the file is there

    second = tenure(api, home)
    second.take("verifying", quiet())

    assert second.is_held
    assert second.waited_for == []
    assert "watch" not in api.calls


def test_lease_of_a_run_of_this_machine_that_goes_on_is_not_taken(
    api: LeaseApi, home: Home
) -> None:
    tenure(api, home).take("verifying", quiet())

    with pytest.raises(RefusedError):
        tenure(api, home).take("verifying", quiet(), within=0)


def test_foreign_lease_of_that_name_is_refused_at_once(api: LeaseApi, home: Home) -> None:
    api.create(
        {
            "metadata": {"name": "nova-acceptance", "namespace": PLACE},
            "spec": {"holderIdentity": "a controller of theirs"},
        }
    )

    with pytest.raises(RefusedError, match="is not one of this suite"):
        tenure(api, home).take("verifying", quiet())

    assert "update" not in api.calls


def test_of_runs_that_come_at_once_one_wins(api: LeaseApi, tmp_path: Path) -> None:
    barrier = threading.Barrier(COUNT)
    runs = [tenure(api, Home(tmp_path / str(number))) for number in range(COUNT)]

    def take(each: Tenure) -> bool:
        barrier.wait()
        return is_taken(each, within=0)

    with ThreadPoolExecutor(COUNT) as pool:
        won = list(pool.map(take, runs))

    assert won.count(True) == 1
    assert holder(api) == Holder.here(runs[won.index(True)].run)


def test_of_runs_that_see_a_lease_expire_at_once_one_wins(api: LeaseApi, tmp_path: Path) -> None:
    of_another_machine(api, tmp_path / "dead")
    clock = Clock()
    runs = [tenure(api, Home(tmp_path / str(number)), clock) for number in range(COUNT)]
    with ThreadPoolExecutor(COUNT) as pool:
        taking = [pool.submit(is_taken, each, within=timeouts.LEASE + 30) for each in runs]
        wait_until(lambda: all(each.waited_for for each in runs), SOON)
        wait_until(lambda: api.calls.count("watch") > 2 * COUNT, SOON)
        clock.now += timeouts.LEASE
        wait_until(lambda: any(each.done() for each in taking), SOON)
        clock.now += 31
        won = [each.result(SOON) for each in taking]

    assert won.count(True) == 1
    assert holder(api) == Holder.here(runs[won.index(True)].run)
    assert api.leases[PLACE]["spec"]["leaseTransitions"] == 1


def test_run_whose_lease_was_deleted_writes_nothing_more(api: LeaseApi, home: Home) -> None:
    mine = tenure(api, home)
    mine.take("verifying", quiet())
    api.leases.clear()

    with pytest.raises(RefusedError, match=r"holds the system no more: .* was deleted"):
        mine.confirm(afresh=True)

    with pytest.raises(RefusedError):
        mine.confirm()
    assert not mine.is_held
    mine.release()
    assert "delete" not in api.calls


def test_run_whose_lease_was_taken_over_leaves_it_to_the_other(
    api: LeaseApi, home: Home, tmp_path: Path
) -> None:
    mine = tenure(api, home)
    mine.take("verifying", quiet())
    api.leases.clear()
    of_another_machine(api, tmp_path)
    theirs = holder(api)

    with pytest.raises(RefusedError, match="is held by"):
        mine.confirm(afresh=True)

    mine.release()
    assert holder(api) == theirs


def test_run_is_told_of_its_loss_by_the_thread_that_renews(
    api: LeaseApi, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "LEASE_RENEWED", 0.01)
    mine = tenure(api, home)
    mine.take("verifying", quiet())
    first = api.leases[PLACE]["spec"]["renewTime"]
    wait_until(lambda: api.leases[PLACE]["spec"]["renewTime"] != first, SOON)

    api.leases.clear()

    wait_until(lambda: not mine.is_held, SOON)
    with pytest.raises(RefusedError):
        mine.confirm()
    mine.stop()


def test_old_renewal_is_not_trusted_before_something_is_changed(api: LeaseApi, home: Home) -> None:
    clock = Clock()
    mine = tenure(api, home, clock)
    mine.take("verifying", quiet())
    asked = len(api.calls)

    mine.confirm()
    assert len(api.calls) == asked
    clock.now += timeouts.LEASE_SERVES + 1
    api.is_away = True
    with pytest.raises(ClusterError):
        mine.confirm()
    api.is_away = False
    mine.confirm()
    assert mine.is_held


def test_lease_that_went_with_its_namespace_is_no_loss(api: LeaseApi, home: Home) -> None:
    mine = tenure(api, home)
    mine.take("removing", quiet())
    mine.goes_along = True
    api.leases.clear()

    mine.mark(None)
    mine.release()


def test_what_is_unfinished_stays_on_a_lease_that_nobody_holds(api: LeaseApi, home: Home) -> None:
    mine = tenure(api, home)
    mine.take("deploying", quiet())
    mine.mark("half of it")

    mine.release()

    assert holder(api) is None
    assert api.leases[PLACE]["metadata"]["annotations"] == {UNFINISHED: "half of it"}
    second = tenure(api, home)
    second.take("cleaning", quiet())
    assert second.waited_for == []
    assert second.unfinished == "half of it"
    second.mark(None)
    second.release()
    assert api.leases == {}


@pytest.mark.parametrize("verb", ["get", "create"])
def test_user_without_the_right_goes_on_and_is_told(api: LeaseApi, home: Home, verb: str) -> None:
    api.refuse = {verb}
    mine = tenure(api, home)

    mine.take("verifying", quiet())

    assert not mine.is_held
    assert mine.why_not == f"this user may not {verb} leases, so two runs could meet on this system"
    mine.confirm(afresh=True)
    mine.mark("anything")
    mine.release()
    assert api.leases == {}


def test_user_who_may_not_watch_waits_all_the_same(
    api: LeaseApi, home: Home, tmp_path: Path
) -> None:
    of_another_machine(api, tmp_path)
    api.leases[PLACE]["spec"]["leaseDurationSeconds"] = 0.2
    api.refuse = {"watch"}

    mine = Tenure(Leases(api, PLACE), Run(home), time.monotonic)
    mine.take("verifying", quiet())

    assert mine.is_held


def test_system_without_its_namespace_has_nothing_to_hold(home: Home) -> None:
    mine = tenure(LeaseApi(), home)

    mine.take("verifying", quiet())

    assert not mine.is_held
    assert mine.why_not.startswith("there is no namespace nova-redis")


def test_lease_that_cannot_be_given_up_is_told(api: LeaseApi, home: Home) -> None:
    mine = tenure(api, home)
    mine.take("verifying", quiet())
    api.is_away = True

    with pytest.raises(ClusterError, match="could not be given up") as error:
        mine.release()

    assert "nova-cluster clean" in error.value.hint
