"""What components say by their own protocols, asked by `nova-cluster diagnose`.

Only what changes nothing is asked, and only what the user has the rights for. What could not be
asked is neither right nor wrong, and is told with the reason, once a component.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova_acceptance import masking
from nova_acceptance.components.kind import ComponentCheck
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.vantage_points import vantage_points
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.network.questions import every_question
from nova_acceptance.components.registry import component_checks
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Kube
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import System, parts
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.survey import Survey
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients, RunAccess
from nova_acceptance.verification.answers import of_error
from nova_acceptance.verification.examiner import Examiner
from nova_acceptance.verification.scope import scope_of
from nova_acceptance.verification.secret_values import SecretValues


@dataclass(frozen=True, slots=True)
class Answers:
    """What the checks of components found.

    Attributes:
        findings: what is wrong, each with its object, and with the cause that objects show for it.
        unasked: what could not be asked, a line a component.
    """

    findings: tuple[Finding, ...] = ()
    unasked: tuple[str, ...] = ()


def ask_components(kube: Kube, snapshot: Snapshot, system: System) -> Answers:
    """Ask every component all that its kind knows to ask without changing anything.

    Args:
        kube: the API.
        snapshot: what its objects showed a moment ago.
        system: what nova.yaml says.
    """
    transcript = Transcript()
    checks = [each for each in component_checks(system) if not each.check.writes]
    try:
        secrets = SecretValues(
            kube,
            system.namespaces,
            frozenset(url.key for url in parts.urls(system, inside=False)),
        )
        masking.register(secrets.to_mask())
        objects = Seen(snapshot, transcript)
        points = vantage_points(objects, {it.name: [it.workload] for it in system.components})
        questions = every_question(system, objects, points)
    except NovaError as error:
        return Answers(unasked=(f"the components: {error.message}",))
    places = Places(kube)  # this command makes nothing on a cluster
    with Routes(places) as routes:
        connections = Connections(
            places=places,
            system=system,
            objects=objects,
            routes=routes,
            survey=Survey(places, transcript, questions),
            pods=points,
        )
        clients = Clients(RunAccess(transcript, connections, secrets))
        try:
            return _asked(clients, checks, Examiner(lambda: snapshot, system), system)
        finally:
            clients.close()


def _asked(
    clients: Clients, checks: list[ComponentCheck], examiner: Examiner, system: System
) -> Answers:
    found: dict[tuple[object, ...], Finding] = {}
    unasked: dict[str, str] = {}
    lost: set[str] = set()  # components that are not asked again: the next check would wait as long
    for each in checks:
        name = each.component.name
        if name in lost:
            continue
        try:
            shown = each.found(clients.of(each.component))
        except Exception as error:  # noqa: BLE001 - a client's library raises what it will
            lost.add(name)
            answer = of_error(error)
            shown = [answer] if answer else []
            if answer is None:
                unasked[name] = f"{name}: {type(error).__name__}: {error}".splitlines()[0]
        for one in shown:
            why = examiner.explain(scope_of(system, [each]), one, one.summary).root or one
            found.setdefault(why.key, why)
    return Answers(tuple(found.values()), tuple(unasked.values()))
