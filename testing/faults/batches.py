"""Which faults can be in at the same time, and which of them what is seen belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from testing.faults import wording
from testing.faults.fault import Deploy, Fault
from testing.faults.reach import EVERYWHERE, Owners, Reach
from testing.faults.selection import Selection
from testing.faults.verdict import UNKNOWN, Failure, Seen, fits

MOST: Final = 4
"""Faults that are in at the same time, at most."""
_ALONE: Final = EVERYWHERE | {"storage", "scheduling"}
"""Families whose faults are put in alone: they reach what all components share."""

Batch = tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """One run in which several faults were in, by fault.

    Attributes:
        seen: what belongs to each fault, in the order of the batch.
        strange: what belongs to none of them, or to more than one, a line each.
    """

    seen: tuple[Seen, ...]
    strange: tuple[str, ...]


class Batches:
    """Takes faults together, and what a run says apart again.

    Args:
        owners: which component an object belongs to.
        selection: which tests are expected to fail.
    """

    def __init__(self, owners: Owners, selection: Selection) -> None:
        self._owners = owners
        self._selection = selection

    def planned(self, faults: Iterable[Fault]) -> list[Batch]:
        """Return all faults, each once, with those together that are independent.

        A batch stands where its first fault stood.
        """
        batches: list[list[Fault]] = []
        for fault in faults:
            fitting = (
                batch
                for batch in batches
                if len(batch) < MOST and all(self.are_independent(each, fault) for each in batch)
            )
            if found := next(fitting, None):
                found.append(fault)
            else:
                batches.append([fault])
        return [tuple(batch) for batch in batches]

    def are_independent(self, one: Fault, other: Fault) -> bool:
        """Whether two faults can be in together and be told apart.

        Neither changes what the other changes, or what that needs; neither is expected to name
        the other's cause, and no test is expected to fail for both.
        """
        if not (_is_sociable(one) and _is_sociable(other)):
            return False
        if (one.deploy is None) is not (other.deploy is None):
            return False  # a deployment writes over what was changed in the running system
        reach, others = self._owners.reach(one), self._owners.reach(other)
        if reach.is_everything or others.is_everything:
            return False
        if reach.components & others.felt or others.components & reach.felt:
            return False
        if _names_a_cause_of(one, other) or _names_a_cause_of(other, one):
            return False
        return not self._selection.expected(one) & self._selection.expected(other)

    def shared(self, batch: Batch, seen: Seen) -> Shared:
        """Return what of a run belongs to which fault.

        A failure or cause is a fault's when it is the cause that the fault expects at the object
        at which it does; else when its object is one of the fault's; and, where it names none,
        when the test is one that the fault expects, or is about the fault's components.
        """
        reaches = [self._owners.reach(fault) for fault in batch]
        failures: list[list[Failure]] = [[] for _ in batch]
        strange: list[str] = []
        for failure in seen.failures:
            mine = self._claimed(batch, reaches, failure)
            if len(mine) == 1:
                failures[mine[0]].append(failure)
            else:
                strange.append(f"{failure.nodeid}: {failure.cause or failure.message}")
        named: list[list[int]] = [[] for _ in batch]
        for number, each in enumerate(seen.named):
            mine = self._claimed(batch, reaches, Failure("", each.cause, each.subject))
            if len(mine) == 1:
                named[mine[0]].append(number)
            elif each.cause != UNKNOWN or any(fault.normal for fault in batch):
                strange.append(f"{each.cause} at {each.subject or 'no object'}")
        if seen.exit_status not in (0, 1) or not seen.passed:
            strange.append(f"the run ended with status {seen.exit_status}, {seen.passed} passed")
        open_ = wording.left_open_by(seen.told, batch)
        strange += [f"a sentence says {found!r}: {sentence.strip()}" for found, sentence in open_]
        return Shared(
            tuple(
                replace(
                    seen,
                    exit_status=int(bool(failures[place])),
                    failures=tuple(failures[place]),
                    named=tuple(seen.named[number] for number in named[place]),
                    told=(),  # it is judged for all of them, above
                )
                for place in range(len(batch))
            ),
            tuple(strange),
        )

    def _claimed(self, batch: Batch, reaches: Sequence[Reach], failure: Failure) -> list[int]:
        """Return whose a failure is, by the place in the batch."""
        expecting = [place for place, fault in enumerate(batch) if _expects(fault, failure)]
        if expecting:
            return expecting
        if failure.subject:
            owner = self._owner(failure.subject)
            return [place for place, reach in enumerate(reaches) if owner in reach.components]
        patterned = [
            place
            for place, fault in enumerate(batch)
            if fault.expect and any(fits(failure.nodeid, each) for each in fault.expect.tests)
        ]
        if patterned or not failure.nodeid:
            return patterned
        about = self._selection.owners_of(failure.nodeid)
        return [place for place, reach in enumerate(reaches) if about & reach.components]

    def _owner(self, subject: str) -> str | None:
        """Return what an object, `Kind namespace/name`, belongs to, as a `Reach` calls it."""
        at = subject.rpartition(" ")[2]
        namespace, slash, name = at.rpartition("/")
        return (self._owners.of(name, namespace) or at) if slash else None


def deployed_together(batch: Batch) -> Deploy | None:
    """Return what is deployed for all faults of a batch; None where nothing is."""
    deploys = [fault.deploy for fault in batch if fault.deploy is not None]
    if len(deploys) <= 1:
        return deploys[0] if deploys else None
    return Deploy(
        patches=tuple(patch for deploy in deploys for patch in deploy.patches),
        edits=tuple(edit for deploy in deploys for edit in deploy.edits),
        afresh=tuple(pods for deploy in deploys for pods in deploy.afresh),
        writes=all(deploy.writes for deploy in deploys),
    )


def _is_sociable(fault: Fault) -> bool:
    """Whether a fault may be in with others at all.

    One that waits until nothing else is amiss may not, nor one that takes more than one deployment.
    """
    return not (
        fault.family in _ALONE
        or fault.through
        or fault.calm.before
        or (fault.deploy is not None and not _is_one_deployment(fault, fault.deploy))
    )


def _is_one_deployment(fault: Fault, deploy: Deploy) -> bool:
    """Whether a fault is put in by deploying changed manifests, and by nothing else."""
    return deploy.changes_manifests and deploy.writes and not deploy.afresh and not fault.breaks


def _names_a_cause_of(one: Fault, other: Fault) -> bool:
    return bool(
        one.expect and other.expect and one.expect.cause in (other.expect.cause, *other.expect.also)
    )


def _expects(fault: Fault, failure: Failure) -> bool:
    wanted = fault.expect
    return bool(
        wanted
        and failure.cause == wanted.cause
        and wanted.subject
        and re.search(wanted.subject, failure.subject)
    )
