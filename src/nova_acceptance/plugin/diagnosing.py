"""Every failure is followed to its cause, and says it in its first line.

What a failure shows is what a check found, where a test asserts that it finds nothing, or what the
error itself names (`verification.answers`). Then the cluster is looked at for what that comes from.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import Any, Final

import pytest
from _pytest._code.code import ExceptionChainRepr, ReprEntryNative, ReprExceptionInfo

from nova_acceptance import masking
from nova_acceptance.collect import look
from nova_acceptance.diagnosis import Explanation, Ranked
from nova_acceptance.errors import DeployError, NovaError, UnaskedError
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.fixtures import SYSTEM
from nova_acceptance.kube import Kube
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase, told, verbatim
from nova_acceptance.plugin import ending, facts
from nova_acceptance.plugin.collected import keep_collected
from nova_acceptance.plugin.facts import extra
from nova_acceptance.system import System
from nova_acceptance.turns import log_of
from nova_acceptance.verification.answers import of_error, pods_of_error
from nova_acceptance.verification.examiner import Examiner
from nova_acceptance.verification.rights import unasked_of
from nova_acceptance.verification.scope import Scope, scope_of

COLLECTED: Final = "collected"
"""The directory beside the record that holds what was kept of each cause."""

UNASKED: Final = "unasked"
"""The key of a report's extra that says why a test could not ask."""

_FOUND: Final = pytest.StashKey[list[Finding]]()
"""What the check found whose assertion failed last."""
_NOT_ASKED: Final = pytest.StashKey[bool]()
"""Whether a test could not ask."""
_DIAGNOSIS: Final = pytest.StashKey["Diagnosis"]()
_ASSERT: Final = "assert "
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class NoClusterError(NovaError):
    """No cluster was found, so none can be looked at."""


class Diagnosis:
    """What is known of this run's failures, in this process.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._kube: Kube | None = None
        self._named: dict[tuple[str, str], Explanation] = {}
        self.examiner = Examiner(self._look, self._system)

    @property
    def named(self) -> tuple[Explanation, ...]:
        """What was named so far, each cause once."""
        return tuple(self._named.values())

    def attach(self, kube: Kube) -> None:
        """Look at this cluster from now on."""
        self._kube = kube

    def tell(self, error: DeployError, source: str) -> None:
        """Record what an error of a deployment says of its cause."""
        if explanation := _carried(error):
            self.name(
                replace(explanation, summary=error.message, refs=explanation.subjects), source
            )

    def lost(self, explanation: Explanation) -> None:
        """Record why a part of a deployment is lost, while the wait for the rest goes on."""
        if explanation.causes:
            first = explanation.causes[0].root
            self.name(
                replace(explanation, summary=first.summary, refs=explanation.subjects), "deployment"
            )

    def warn(self, found: Finding) -> None:
        """Record what a preflight has found and what does not keep anything from being deployed."""
        self._name_alone(Ranked(found), "preflight")

    def policies_unenforced(self) -> None:
        """Take no NetworkPolicy for a cause from now on: nothing enforces them."""
        self.examiner.are_policies_enforced = False

    def look(self) -> None:
        """Look at the cluster now, for `look_around`; nothing of what is seen is written yet."""
        self.examiner.fresh()

    def look_around(self) -> Snapshot | None:
        """Record what the cluster's objects show to be wrong, before anything is asked of them.

        Returns:
            what was seen; None where the API was away.
        """
        for each in self.examiner.overall():
            if not each.root.is_symptom:
                self._name_alone(each, "deployment")
        return self.examiner.snapshot

    def _name_alone(self, each: Ranked, source: str) -> None:
        subject = (each.root.subject,)
        self.name(Explanation((each,), subject, each.root.summary, refs=subject), source)

    def knows(self, finding: Explanation) -> bool:
        """Whether the cause was named before."""
        return finding.key in self._named

    def unwell(self, components: Iterable[str]) -> Finding | None:
        """Return what is known to be wrong with parts of the system now, by their names."""
        refs = [self._system.component(name).workload.ref for name in components]
        named = [each.root for each in self.named if each.root and each.root.subject in refs]
        found = self.examiner.explain(Scope(tuple(refs)), None, "").root
        return next(iter(named), found)

    def explain(self, item: pytest.Item, error: BaseException) -> Explanation | None:
        """Return why a test failed; None where nothing is known and no cluster can be looked at."""
        if explanation := _carried(error):
            return replace(explanation, summary=_sentence(error), refs=explanation.subjects)
        found = item.config.stash.get(_FOUND, []) if isinstance(error, AssertionError) else []
        shown = next(iter(found), None) or of_error(error)
        if shown is None and self._kube is None:
            return None
        return self.examiner.explain(self._scope(item, error), shown, _sentence(error))

    def name(self, finding: Explanation, source: str, item: pytest.Item | None = None) -> None:
        """Record a cause that is named for the first time, and keep what tells of it."""
        if finding.key in self._named:
            return
        self._named[finding.key] = finding
        deeper, below = self._folded(finding)
        if deeper:
            self._name_alone(deeper, source)
        said = masking.masked(finding.as_dict())
        said["symptoms"] += [masking.masked(each.brief) for each in below]
        follows = {"follows": masking.masked(deeper.root.brief)} if deeper else {}
        recorder = self._config.stash[facts.RECORDER]
        nodeid = item.nodeid if item else ""
        recorder.tell("diagnosis", source=source, nodeid=nodeid, **said, **follows)
        snapshot = self.examiner.snapshot
        if snapshot is not None and facts.DIRECTORY in self._config.stash:
            self._keep(finding, snapshot, said, item)

    def _folded(self, finding: Explanation) -> tuple[Ranked | None, list[Finding]]:
        """Return what a cause only follows from, and what was named before and follows from it."""
        doctor, root = self.examiner.doctor, finding.root
        if doctor is None or root is None:
            return None, []
        named = [each.root for each in self.named if each.root and each.root.key != root.key]
        end = doctor.folding.end_of(root, (*doctor.diagnoses, *named))
        every = doctor.overall() if end else ()
        known = next((each for each in every if end and each.root.key == end.key), None)
        deeper = (known or Ranked(end)) if end else None
        told = {symptom.key for each in finding.causes[:1] for symptom in each.symptoms}
        return deeper, [
            each
            for each in named
            if each.key not in told and doctor.folding.end_of(each, [root]) is root
        ]

    def _keep(
        self,
        finding: Explanation,
        snapshot: Snapshot,
        said: dict[str, Any],
        item: pytest.Item | None,
    ) -> None:
        run = self._config.stash[facts.DIRECTORY]
        whose = item.name if item and not finding.root else said["subject"]
        directory = run / COLLECTED / _UNSAFE.sub("_", f"{said['cause']}-{whose}")[:120]
        asked = log_of(item) if item else ()
        kept = keep_collected(directory, snapshot, finding.refs, kube=self._kube, asked=asked)
        self._config.stash[facts.RECORDER].tell(
            "collected-material",
            cause=said["cause"],
            subject=said["subject"],
            directory=str(directory.relative_to(run)),
            written=kept.written,
            failed=kept.failed,
        )

    @property
    def _system(self) -> System:
        system: System = self._config.stash[SYSTEM]
        return system

    def _look(self) -> Snapshot:
        if self._kube is None:
            raise NoClusterError("no cluster was found")
        return look(self._kube, self._system.namespaces, self._system)

    def _scope(self, item: pytest.Item, error: BaseException) -> Scope:
        components = [
            str(name) for marker in item.iter_markers("component") for name in marker.args
        ]
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        found = scope_of(
            self._system,
            parameters.values(),
            names=components,
            fixtures=getattr(item, "funcargs", {}).values(),
        )
        return found.asked_from(pods_of_error(error))


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing known."""
    config.stash[_DIAGNOSIS] = Diagnosis(config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what checks of an earlier test found."""
    item.config.stash[_FOUND] = []


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Keep what a check found where a test asserts that it finds nothing, and show it.

    Not of a test that is called before its turn: it is called again then.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    if op != "==" or right != [] or not isinstance(left, list) or not left:
        return None
    if not all(isinstance(each, Finding) for each in left):
        return None
    config.stash[_FOUND] = left
    return [f"{len(left)} found", *(masking.mask(each.headline) for each in left)]


@pytest.fixture(scope="session")
def diagnosis(pytestconfig: pytest.Config) -> Diagnosis:
    """Names causes, for fixtures that have something to say or to ask."""
    return pytestconfig.stash[_DIAGNOSIS]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the cause before everything else that a report says of a failure."""
    error = call.excinfo.value if call.excinfo else None
    # What could not be asked has nothing to clean up either; a clean-up that is forbidden after an
    # answer leaves something behind.
    may_be_unasked = call.when != "teardown" or item.stash.get(_NOT_ASKED, False)
    ended = ending.why_of(item, call.when) if error else None
    unasked = ended or (unasked_of(error) if error and may_be_unasked else None)
    if unasked:
        item.stash[_NOT_ASKED] = True
        call.excinfo = _skipped(unasked)
    bare = ""
    if error and not unasked and _says_what_came_back(error):
        bare = f"{type(error).__name__}: {masking.mask(str(error))}"
        call.excinfo = _bare(error, masking.mask(str(error)) if _is_ours(error) else bare)
    report = yield
    if bare and (crash := getattr(report.longrepr, "reprcrash", None)):
        crash.message = bare
    if unasked:
        extra(report)[UNASKED] = masking.masked(told({"why_not": _why_not(unasked)}))
    if ended:
        extra(report)[ending.QUIET] = True
    if report.failed and error:
        diagnosis = item.config.stash[_DIAGNOSIS]
        try:
            finding = diagnosis.explain(item, error)
            if finding:
                extra(report)["diagnosis"] = masking.masked(finding.as_dict())
                lines = [masking.mask(line) for line in finding.lines()]
                if _carried(error):  # it says the same to every test
                    is_known = diagnosis.knows(finding)
                    put_first(report, lines[:1] if is_known else lines, alone=True)
                else:
                    put_first(report, lines)
                diagnosis.name(finding, "test", item)
        except Exception as error:  # noqa: BLE001 - the test's own failure must not be lost with it
            said = masking.mask(f"failed: {type(error).__name__}: {error}")
            report.sections.append(("Diagnosis", said))
    return report


def put_first(report: pytest.TestReport, lines: list[str], *, alone: bool = False) -> None:
    """Make a report of a failure begin with these lines, everywhere where it is shown.

    Args:
        report: the report.
        lines: the first of them is its headline.
        alone: whether nothing else of it is shown.
    """
    text = "\n".join(lines)
    shown = report.longrepr
    if isinstance(shown, ExceptionChainRepr | ReprExceptionInfo):
        first = shown.reprtraceback
        if isinstance(shown, ExceptionChainRepr):
            first = shown.chain[0][0]
        rest = () if alone else first.reprentries
        first.reprentries = [ReprEntryNative([f"{text}\n"]), *rest]
    elif shown is not None:
        report.longrepr = f"{text}\n\n{shown}"
    crash = getattr(shown, "reprcrash", None)
    if crash is not None:
        crash.message = lines[0]


def _is_ours(error: BaseException) -> bool:
    """Whether its words are whole sentences, to which the name of its class adds nothing."""
    return isinstance(error, NovaError | FindingError)


def _says_what_came_back(error: BaseException) -> bool:
    return bool(_carried(error) or isinstance(error, NovaError) or of_error(error))


def _bare(error: BaseException, said: str) -> pytest.ExceptionInfo[BaseException]:
    """Return an error that says itself what came back, without the way to it.

    That leads through clients and threads, and takes pytest 60 ms to spell out for each test.
    """
    plain = pytest.fail.Exception(said, pytrace=False).with_traceback(error.__traceback__)
    return pytest.ExceptionInfo.from_exception(plain)


def _skipped(error: UnaskedError) -> pytest.ExceptionInfo[BaseException]:
    """Return what pytest knows that is neither passed nor failed."""
    plain = pytest.skip.Exception(masking.mask(str(error))).with_traceback(error.__traceback__)
    return pytest.ExceptionInfo.from_exception(plain)


def _why_not(error: UnaskedError) -> Phrase:
    said = verbatim(error.message)
    return Phrase("{what} → {hint}", what=said, hint=error.hint) if error.hint else said


def _carried(error: BaseException) -> Explanation | None:
    """Return the explanation that an error of a deployment brings along."""
    found = getattr(error, "explanation", None)
    return found if isinstance(found, Explanation) and found.causes else None


def _sentence(error: BaseException) -> str:
    if isinstance(error, NovaError):
        return error.message
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, AssertionError | pytest.fail.Exception):
        if not lines:
            return Phrase("a claim does not hold")
        if lines[0].startswith(_ASSERT):  # pytest's own words for one without a message
            said = verbatim(lines[0].removeprefix(_ASSERT))
            return Phrase("a claim does not hold: {said}", said=said)
        return lines[0]
    kind = type(error).__name__
    return f"{kind}: {lines[0]}" if lines else Phrase("{kind}: no message", kind=kind)
