"""A run's hold on a system: taken before its first write, renewed, and given up at its very end.

Whoever else wants to write waits, and is told who holds it. A run that has lost its hold, since
somebody took its Lease away or it was itself away for too long, writes nothing any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.cluster import lease as leases
from nova_acceptance.cluster.lease import DOING, Holder, Leases, Patience
from nova_acceptance.cluster.runs import Run
from nova_acceptance.errors import ClusterError, RefusedError
from nova_acceptance.kube import ApiError, Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

UNFINISHED: Final = "nova-acceptance/unfinished"
"""The annotation that says what was begun and has not come to its end.

A Lease that has it stays when its run gives it up, for whoever is to clear up.
"""

_ATTEMPTS: Final = 5
"""At a Lease that another process of the run may renew at the same moment."""
_PAUSE: Final = 1.0


class Tenure:
    """The hold of one run on one system, in one of the run's processes.

    Until it is taken, and where this user has no right to it, everything else does nothing.

    Args:
        kept: the system's Lease.
        run: the run.
        clock: a clock of this machine that only goes forward, in seconds.

    Attributes:
        waited_for: the holders that it had to wait for.
        why_not: why there is no hold although it was to be taken; empty where there is one.
        goes_along: whether the Lease goes with its namespace, so that its absence is no loss.
    """

    def __init__(self, kept: Leases, run: Run, clock: Callable[[], float] = time.monotonic) -> None:
        self.waited_for: list[Holder] = []
        self.why_not = Phrase()
        self.goes_along = False
        self._leases = kept
        self._run = run
        self._clock = clock
        self._holder = Holder.here(run.id)
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_held = False
        self._renewed = 0.0
        self._lost = ""
        self._annotations: dict[str, str] = {}

    @property
    def run(self) -> str:
        """The identifier of the run."""
        return self._run.id

    @property
    def is_held(self) -> bool:
        """Whether the run holds it, as far as was seen."""
        return self._is_held and not self._lost

    @property
    def is_lost(self) -> bool:
        """Whether the run held it and was seen to hold it no more."""
        return bool(self._lost)

    @property
    def unfinished(self) -> str:
        """What the Lease said, when it was last read, to have been begun and not ended."""
        return self._annotations.get(UNFINISHED, "")

    def take(self, purpose: str, progress: Progress, *, within: float | None = None) -> None:
        """Hold the system, once nobody else does; a process of the same run holds it already.

        Args:
            purpose: what others are told that the run is doing: "deploying".
            progress: where to show for whom it waits.
            within: seconds after which it waits no more; `timeouts.LEASE_WAIT` by itself.

        Raises:
            RefusedError: another run holds it still, or what is there is no Lease of a run.
            ClusterError: the API did not answer.
        """
        if self._is_held:
            self.say(purpose)
            return
        deadline = self._clock() + (timeouts.LEASE_WAIT if within is None else within)
        try:
            mine = self._taken(purpose, progress, deadline)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                self.why_not = Phrase(
                    "there is no namespace {name}, so no other run can be kept away",
                    name=self._leases.namespace,
                )
                return
            if error.forbidden is None:
                raise
            self.why_not = Phrase(
                "{why}, so two runs could meet on this system", why=error.forbidden
            )
            return
        self.why_not = Phrase()
        self._has(mine)
        self._is_held = True
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def say(self, purpose: str) -> None:
        """Have others told what the run is doing now."""
        if self._is_held:
            self._change(**{DOING: purpose})

    def mark(self, unfinished: str | None) -> None:
        """Note on the Lease what is begun now, or that nothing is unfinished any more."""
        if self._is_held:
            self._change(**{UNFINISHED: unfinished})

    def confirm(self, *, afresh: bool = False) -> None:
        """See that the run still holds the system, before it changes something.

        Args:
            afresh: whether the API is asked now, even if it was a moment ago.

        Raises:
            RefusedError: it does not.
            ClusterError: the API did not answer, so that nobody knows.
        """
        if not self._is_held:
            return
        self._require()
        if afresh or self._clock() - self._renewed > timeouts.LEASE_SERVES:
            self._change()

    def stop(self) -> None:
        """Renew it no more; another process of the run may."""
        self._over.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeouts.API_REQUEST)

    def release(self) -> None:
        """Give it up, at the very end of the run.

        Raises:
            ClusterError: it could not be given up, so that others have to wait until it expires.
        """
        self.stop()
        if self._is_held and not self._lost:
            self._is_held = False
            release(self._leases, self._run.id)

    def _taken(self, purpose: str, progress: Progress, deadline: float) -> Object:
        patience = Patience(self._clock)
        while True:
            found = self._leases.read()
            if found is None:
                mine = self._made(purpose, deadline)
            elif self._is_own(found):
                mine = self._leases.renewed(found)
            elif not leases.is_of_a_run(found):
                raise RefusedError(
                    Phrase("{lease} is not one of this suite", lease=self._leases),
                    hint=Phrase("remove it, if nobody needs it; nothing was written"),
                )
            elif self._is_needed(found, patience):
                self._wait(found, patience, progress, deadline)
                continue
            else:
                mine = self._leases.taken(found, self._holder, purpose)
            if mine is not None:
                return mine

    def _made(self, purpose: str, deadline: float) -> Object | None:
        try:
            return self._leases.made(self._holder, purpose)
        except ApiError as error:
            is_ending = "being terminated" in error.detail
            if not is_ending or self._clock() > deadline:
                raise
            time.sleep(_PAUSE)  # the namespace is on its way out, and its successor may come
            return None

    def _is_needed(self, lease: Object, patience: Patience) -> bool:
        holder = Holder.of(lease)
        if holder is None or not self._run.is_alive(holder.run):
            return False
        return patience.left(lease) > 0

    def _wait(self, found: Object, patience: Patience, progress: Progress, deadline: float) -> None:
        holder = Holder.of(found)
        assert holder is not None
        if holder not in self.waited_for:
            self.waited_for.append(holder)
        with progress.step(f"waiting for {_told(holder, found)}"):
            lease: Object | None = found
            while lease is not None and Holder.of(lease) == holder:
                if not self._is_needed(lease, patience):
                    return
                left = deadline - self._clock()
                if left <= 0:
                    raise RefusedError(
                        Phrase("{holder} is not done", holder=_told(holder, lease)),
                        hint=Phrase("wait until it has ended, or end it; nothing was written"),
                    )
                self._watch(lease, min(left, patience.left(lease), timeouts.LEASE_GLANCE))
                lease = self._leases.read()

    def _watch(self, lease: Object, within: float) -> None:
        try:
            self._leases.await_change(lease, within)
        except ApiError as error:
            if not error.forbidden:
                raise
            time.sleep(min(_PAUSE, within))

    def _keep(self) -> None:
        while not self._over.wait(timeouts.LEASE_RENEWED):
            # Whoever is about to write asks again, and is told.
            with suppress(ClusterError, RefusedError):
                self._change()
            if self._lost:
                return

    def _change(self, **annotations: str | None) -> None:
        with self._lock:
            for _ in range(_ATTEMPTS):
                self._require()
                began = self._clock()
                found = self._leases.read()
                if found is None and self.goes_along:
                    return
                self._lost = self._loss(found)
                if found is None or self._lost:
                    continue
                if mine := self._leases.renewed(found, **annotations):
                    self._has(mine, began)
                    return
        raise ClusterError(
            Phrase("{lease} was another at every attempt to renew it", lease=self._leases)
        )

    def _loss(self, found: Object | None) -> str:
        if found is None:
            return Phrase("{lease} was deleted", lease=self._leases)
        if self._is_own(found):
            return ""
        holder = Holder.of(found)
        taken = _told(holder, found) if holder else Phrase("nobody")
        return Phrase("{lease} is held by {holder}", lease=self._leases, holder=taken)

    def _require(self) -> None:
        if self._lost:
            raise RefusedError(
                Phrase("this run holds the system no more: {lost}", lost=self._lost),
                hint=Phrase("nothing more is changed; see who else is at work, and run again"),
            )

    def _has(self, lease: Object, began: float | None = None) -> None:
        self._renewed = self._clock() if began is None else began
        self._annotations = leases.annotated(lease)

    def _is_own(self, lease: Object) -> bool:
        holder = Holder.of(lease)
        return holder is not None and holder.run == self._run.id


def release(kept: Leases, run: str) -> None:
    """Give up a run's hold: delete its Lease, or keep it for what is unfinished.

    Raises:
        ClusterError: the API did not answer, or refused.
    """
    was_seen = False
    try:
        for _ in range(_ATTEMPTS):
            found = kept.read()
            was_seen = True
            holder = Holder.of(found) if found else None
            if found is None or holder is None or holder.run != run:
                return
            if UNFINISHED in leases.annotated(found):
                is_done = kept.vacated(found) is not None
            else:
                is_done = kept.delete(found)
            if is_done:
                return
    except ClusterError as error:
        if isinstance(error, ApiError) and error.forbidden and not was_seen:
            return  # who may not read it has not taken it
        raise ClusterError(
            Phrase("{lease} could not be given up: {why}", lease=kept, why=error.message),
            hint=Phrase("others wait until it expires; then `nova-cluster clean` removes it"),
            evidence=error.evidence,
        ) from error
    raise ClusterError(Phrase("{lease} was another at every attempt to give it up", lease=kept))


def _told(holder: Holder, lease: Object) -> str:
    return f"run {holder}, {leases.doing(lease)} since {leases.since(lease)}"
