"""A run that cannot be begun ends there: one message, no error a test, an exit status of its own.

That is what a session fixture raises: where there is no cluster or no way to it, where the suite
does not write to it, and where nothing of the system could be deployed. The first two end the run,
and every test that has not run was not asked, for the one reason; so does the loss of the run's
hold on the system. Of a deployment that failed as a whole each test tells as ever, since the
cluster's own facts are verified all the same.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from nova_acceptance import tenancy
from nova_acceptance.errors import DeployError, NovaError, RefusedError, UnaskedError
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.plugin import facts
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.plugin.facts import extra
from nova_acceptance.report.model import NO_CLUSTER, REFUSED

NOT_DEPLOYED: Final = "not-deployed"
"""The fact of a deployment that failed as a whole."""

STATUSES: Final = {
    NO_CLUSTER: ExitStatus.NOT_ASKED,
    NOT_DEPLOYED: ExitStatus.NOT_DEPLOYED,
    REFUSED: ExitStatus.REFUSED,
}
"""The exit status of a run in whose record such a fact is; the last of several counts."""

QUIET: Final = "quiet"
"""The key of a report's extra that says that the terminal shows nothing of it."""

_FIXTURES: Final = ("cluster", "kube")
"""The fixtures that find a cluster and the way to it."""
_ENDED: Final = pytest.StashKey["Ended"]()
_OVER: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""The statuses of a run that came to its end; any other says more than ours."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why the run in this process has ended before its tests.

    Attributes:
        why: what each of them says that was not asked.
    """

    why: UnaskedError


def why_of(item: pytest.Item, when: str) -> UnaskedError | None:
    """Return why a test was not asked, where the run has ended before it."""
    ended = item.config.stash.get(_ENDED, None)
    return ended.why if ended and when == "setup" else None


def exit_status(found: int, told: set[str], *, is_unasked: bool) -> int:
    """Return the status with which a run ends.

    Args:
        found: pytest's own.
        told: the types of the facts in its record.
        is_unasked: whether a test could not be asked.
    """
    if found not in _OVER:
        return found
    for kind, status in reversed(STATUSES.items()):
        if kind in told:
            return status
    return ExitStatus.NOT_ASKED if is_unasked and found == pytest.ExitCode.OK else found


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """End the run where a session fixture says that it cannot be begun."""
    try:
        return (yield)
    except NovaError as error:
        kind = _kind_of(error, fixturedef)
        if kind and _ENDED not in request.config.stash:
            _end(request.config, kind, error)
        raise


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report a test as not asked, without running it, once the run has ended.

    Fixtures that nobody needs any more are torn down in its place, and one that fails is its error.
    """
    ended = item.config.stash.get(_ENDED, None)
    if ended is None:
        return None

    def unasked() -> None:
        raise ended.why

    def torn_down() -> None:
        # not the hook: others' parts of it rely on a setup of this test
        item.session._setupstate.teardown_exact(nextitem)

    for when, does in (("setup", unasked), ("teardown", torn_down)):
        call = pytest.CallInfo.from_call(does, when=when)  # type: ignore[arg-type]
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End the run before a test where it holds the system no more.

    Raises:
        RefusedError: it does not.
        ClusterError: the API did not answer, so that nobody knows.
    """
    try:
        tenancy.require_hold(item)
    except RefusedError as error:
        _end(item.config, REFUSED, error)
        raise


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show nothing of a test that the run ended before; the message at the end says it once."""
    return ("", "", "") if QUIET in extra(report) else None


def _kind_of(error: NovaError, fixture: pytest.FixtureDef[Any]) -> str:
    """Return as which fact an error goes into the record; empty where the run goes on."""
    if fixture.scope != "session":
        return ""
    if isinstance(error, RefusedError):
        return REFUSED
    if fixture.argname in _FIXTURES:
        return NO_CLUSTER
    is_whole = fixture.argname == "deployment" and isinstance(error, DeployError)
    return NOT_DEPLOYED if is_whole else ""


def _end(config: pytest.Config, kind: str, error: NovaError) -> None:
    said = verbatim(error.message)
    if error.evidence:
        said = Phrase("{what} ({seen})", what=said, seen=list(error.evidence))
    if error.hint:
        said = Phrase("{what} → {hint}", what=said, hint=error.hint)
    config.stash[facts.RECORDER].tell(kind, text=said, lines=str(error).splitlines())
    if kind != NOT_DEPLOYED:
        why = UnaskedError(error.message, hint=error.hint, evidence=error.evidence)
        config.stash[_ENDED] = Ended(why.with_traceback(error.__traceback__))
