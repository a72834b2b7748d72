"""Four runs on one cluster: accepted, a test that flips, accepted again, and rejected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from nova_acceptance import masking
from nova_acceptance.phrase import Phrase, told
from nova_acceptance.report.history import PAGE
from testing.browser import nova
from testing.browser.nova import APPLICATIONS, SERVICES, WORKLOADS
from testing.browser.story import BEGINNING, Case, Story, asked

GREEN: Final = "20291230T080000Z-aaaaaa"
FLIPPED: Final = "20291231T080000Z-bbbbbb"
GREEN_AGAIN: Final = "20291231T200000Z-cccccc"
REJECTED: Final = "20300101T080000Z-dddddd"

PASSWORD: Final = "correct/horse+battery=staple"
"""It is in what a test was answered, and must be nowhere in what is written."""

POSTGRES: Final = "StatefulSet nova-database/postgres"
NO_ROOM: Final = told(
    {
        "cause": "INSUFFICIENT_RESOURCES",
        "subject": POSTGRES,
        "summary": Phrase(
            "{pod} is given no node: {what}",
            pod="Pod nova-database/postgres-2",
            what="3 Insufficient memory",
        ),
        "cure": "make room on a node, or ask for less memory",
        "evidence": ["0/3 nodes are available: 3 Insufficient memory."],
        "chain": [POSTGRES, "Pod nova-database/postgres-2"],
        "symptoms": [
            told(
                {
                    "cause": "WORKLOAD_NOT_READY",
                    "subject": POSTGRES,
                    "summary": Phrase(
                        "{where} is not ready: {why}",
                        where=POSTGRES,
                        why=Phrase(
                            "{count} of {wanted} {state}", count=2, wanted=3, state=Phrase("ready")
                        ),
                    ),
                }
            )
        ],
        "others": [],
    }
)
"""As a run tells it, but for its cure, which nobody has translated."""
WRONG_PASSWORD: Final[dict[str, Any]] = {
    "cause": "URL_PASSWORD_WRONG",
    "subject": "Secret nova-services/search-service-secrets",
    "summary": "DATABASE_URL holds another password than PostgreSQL knows",
    "cure": "write app_user's password into the URL",
    "evidence": ["password authentication failed for user app_user"],
    "chain": ["Deployment nova-services/search-service"],
    "symptoms": [],
    "others": [],
}
COLLECTED: Final = "collected/URL_PASSWORD_WRONG-Secret_nova-services_search-service-secrets"
FILES: Final = ("Secret.nova-services.search-service-secrets.yaml", "events.txt")

PING: Final = "tests/infrastructure/test_redis.py::test_redis_answers_ping"
NODES_ASKED_FOR: Final = (
    "tests/infrastructure/test_cluster.py::test_cluster_has_the_nodes_asked_for"
)
STREAM: Final = "tests/infrastructure/test_replication.py::test_postgres_replicas_stream"
SYNCHRONOUS: Final = (
    "tests/infrastructure/test_replication.py::test_postgres_replicates_synchronously"
)
LET_IN: Final = (
    "tests/services/test_urls.py::test_url_connects_and_authenticates[search-service to nova_auth]"
)
KEPT: Final = "tests/infrastructure/test_redis.py::test_redis_keeps_a_value[redis]"
LET_IN_WRONGLY: Final = (
    "tests/services/test_urls.py::test_url_with_another_password_is_refused[user-service to redis]"
)
TEXT: Final = """\
URL_PASSWORD_WRONG: DATABASE_URL holds another password than PostgreSQL knows → write it anew
  seen: password authentication failed for user app_user
E   psycopg.OperationalError: connection failed"""

DIGEST: Final = 32 * "ab"
MANIFESTS: Final = {"commit": 20 * "4f", "changed": False, "digest": DIGEST}
CHANGED_MANIFESTS: Final = {"commit": 20 * "5c", "changed": True, "digest": 32 * "cd"}


def write_runs(reports: Path) -> Path:
    """Write the four runs into a directory of reports and return that of the last one."""
    masking.register([PASSWORD])
    flip = Case(PING, ("redis",), ("infra", "redis"), "failed", text="E   no PONG")
    _write(reports / GREEN, days=2, whole=True)
    _write(reports / FLIPPED, days=1, whole=True, instead=flip)
    _write(reports / GREEN_AGAIN, days=0.5, whole=True)
    for earlier in (GREEN, FLIPPED, GREEN_AGAIN):
        (reports / earlier / PAGE).touch()
    return _write(reports / REJECTED, whole=False)


def write_accepted(reports: Path) -> Path:
    """Write one accepted run and return its directory."""
    return _write(reports / GREEN, whole=True)


def _write(directory: Path, *, whole: bool, days: float = 0.0, instead: Case | None = None) -> Path:
    tests = [
        instead if instead and case.nodeid == instead.nodeid else case
        for case in cases(whole=whole)
    ]
    story = Story(directory, BEGINNING - timedelta(days=days))
    story.begin(
        tests,
        versions={"python": "3.11.7", "pytest": "9.0.0"},
        options={"cluster": "kind"},
        arguments=["--cluster", "kind"],
        manifests=MANIFESTS if whole else CHANGED_MANIFESTS,
    )
    story.tell("cluster", after=0.5, **nova.cluster())
    story.tell("deployment", after=24.0, **nova.deployment(whole=whole))
    if not whole:
        story.tell("diagnosis", source="deployment", nodeid="", **WRONG_PASSWORD)
        _collect(story)
    story.tell("reachability", after=0.4, cells=nova.cells(whole=whole))
    story.run(tests)
    story.tell("snapshot", **nova.snapshot(whole=whole))
    return story.end(int(not whole or instead is not None))


def _collect(story: Story) -> None:
    place = story.directory / COLLECTED
    place.mkdir(parents=True)
    for name in FILES:
        (place / name).write_text(f"what was kept of it: {name}\n")
    story.tell(
        "collected-material",
        cause=WRONG_PASSWORD["cause"],
        subject=WRONG_PASSWORD["subject"],
        directory=COLLECTED,
        written=list(FILES),
        failed=[],
    )


def cases(*, whole: bool) -> list[Case]:
    """Return the tests of a run and what becomes of them."""
    found = [
        *_of_infrastructure(whole=whole),
        *_of_networking(whole=whole),
        *_of_services(whole=whole),
    ]
    return [replace(case, seconds=0.1 + number / 100) for number, case in enumerate(found)]


def _of_infrastructure(*, whole: bool) -> Iterator[Case]:
    infra = ("infra",)
    yield Case(
        NODES_ASKED_FOR,
        (),
        ("cluster", *infra),
        "skipped",
        text="Skipped: the cluster is not ours",
    )
    yield Case(
        PING,
        ("redis",),
        ("infra", "redis"),
        evidence=(asked("PING", "runner", "redis-service.nova-redis:6379", "PONG", 0.0012),),
    )
    if not whole:
        yield Case(
            KEPT,
            ("redis",),
            ("infra", "redis", "storage"),
            "quarantined",
            text="quarantined until 2030-01-31: its volume is slow (the platform team)",
        )
    for _, name, kind, namespace, _, replicas in WORKLOADS:
        fails = not whole and name in ("postgres", "search-service")
        ready = replicas - fails
        why = NO_ROOM if name == "postgres" else WRONG_PASSWORD
        yield Case(
            f"tests/infrastructure/test_workloads.py::test_workload_has_its_replicas[{name}]",
            (name,),
            ("infra", "workloads"),
            "failed" if fails else "passed",
            evidence=(
                asked(
                    f"get {kind} {namespace}/{name}", "runner", "Kubernetes API", f"{ready} ready"
                ),
            ),
            text=f"{why['cause']}: {why['summary']} → {why['cure']}" if fails else "",
            diagnosis=why if fails else None,
        )
    for service, (workload, _, _) in SERVICES.items():
        yield Case(
            f"tests/infrastructure/test_workloads.py::test_service_leads_to_its_pods[{service}]",
            tuple(sorted({service, workload})),
            ("infra", "workloads"),
            evidence=(asked(f"get Endpoints {service}", "runner", "Kubernetes API", "as wanted"),),
        )
    yield Case(
        STREAM,
        ("postgres",),
        ("infra", "postgres"),
        "passed" if whole else "error",
        text="" if whole else "E   ProbeError: Pod nova-database/postgres-2 is on no node",
        diagnosis=None if whole else NO_ROOM,
    )
    yield Case(
        SYNCHRONOUS, ("postgres",), ("infra", "postgres"), "passed" if whole else "no result"
    )


def _of_networking(*, whole: bool) -> Iterator[Case]:
    for cell in nova.cells(whole=whole):
        if cell["wanted"] != "open":
            continue
        source, target, port = cell["source"], cell["target"], cell["port"]
        name = f"{source} to {target}:{port}"
        is_open = cell["state"] == "open"
        yield Case(
            f"tests/networking/test_reachability.py::test_service_reaches[{name}]",
            (target, f"{target}:{port}", source, name),
            ("networking", "reachability"),
            "passed" if is_open else "failed",
            evidence=(asked(f"connect {target}:{port}", source, target, cell["state"], 0.003),),
            text="" if is_open else f"E   {target}:{port} does not answer {source}",
        )


def _of_services(*, whole: bool) -> Iterator[Case]:
    for name in APPLICATIONS:
        yield Case(
            f"tests/services/test_health.py::test_service_answers_health[{name}]",
            (name,),
            ("services",),
            evidence=(asked("GET /health", "auth-service", name, "200 ok"),),
        )
    yield Case(
        LET_IN,
        ("DATABASE_URL", "nova_auth", "search-service", "search-service to nova_auth"),
        ("configuration", "services"),
        "passed" if whole else "failed",
        evidence=(
            asked(
                "read DATABASE_URL",
                "runner",
                "Secret nova-services/search-service-secrets",
                f"postgresql://app_user:{PASSWORD}@postgres-primary.nova-database:5432/nova_auth",
                0.0031,
            ),
            asked("connect as app_user", "search-service", "postgres-primary:5432", "let in", 1.5),
        ),
        text="" if whole else TEXT,
        sections=(("Captured log call", "INFO one of two attempts failed"),),
        diagnosis=None if whole else WRONG_PASSWORD,
        worker="gw1",
    )
    yield Case(
        LET_IN_WRONGLY,
        ("REDIS_URL", "redis", "user-service", "user-service to redis"),
        ("configuration", "services"),
        "xfailed",
        text="E   it was let in",
    )
