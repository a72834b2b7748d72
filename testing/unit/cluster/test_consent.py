"""What may be written to, by whose word, and what is remembered of it."""

from __future__ import annotations

import io
import json
import shlex
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.cluster import contexts
from nova_acceptance.cluster.consent import decide, require, without_option
from nova_acceptance.cluster.consents import Consent, Consents
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.identity import Identity, Target, host_of
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.errors import RefusedError
from nova_acceptance.kube import ApiError
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

UID, OTHER = "7f0c1a52-aaaa", "99999999-bbbb"
STAGING = Identity("staging", "k8s.example.com:443", UID)
KNOWN = Consent("staging", "k8s.example.com:443", UID, "2026-11-01")
COMMAND = ("pytest", "--cluster", "context:staging")
PRODUCTION = ("context: prod",)


@pytest.mark.parametrize(
    ("target", "allowed", "remembered", "is_news"),
    [
        (Target(STAGING, is_local=True), None, None, False),
        (
            Target(STAGING, is_local=True, production=PRODUCTION, is_unlimited=True),
            None,
            None,
            False,
        ),
        (Target(STAGING), "staging", None, True),
        (Target(STAGING), UID, None, True),
        (Target(STAGING), None, KNOWN, False),
        (Target(STAGING), "staging", KNOWN, False),
        (Target(STAGING), "another", KNOWN, False),  # it was allowed once, and is what it was
        (Target(STAGING), UID, replace(KNOWN, uid=OTHER), True),
        # for this run alone
        (Target(STAGING, production=PRODUCTION), UID, None, False),
        (Target(STAGING, is_unlimited=True), UID, KNOWN, False),
        (Target(STAGING, production=PRODUCTION, is_unlimited=True), UID, None, False),
        # what cannot be told from another is not remembered
        (Target(replace(STAGING, uid="")), "staging", None, False),
    ],
)
def test_cluster_is_written_to(
    target: Target, allowed: str | None, remembered: Consent | None, is_news: bool
) -> None:
    assert decide(target, allowed, remembered, COMMAND) is is_news


@pytest.mark.parametrize(
    ("target", "allowed", "remembered", "said", "command"),
    [
        (Target(STAGING), None, None, "nobody has allowed it", "staging"),
        (Target(STAGING), "", None, "nobody has allowed it", "staging"),
        (Target(STAGING), "stagin", None, "--allow-cluster names stagin", "staging"),
        (Target(STAGING), OTHER, None, f"--allow-cluster names {OTHER}", "staging"),
        (Target(replace(STAGING, uid="")), "", None, "nobody has allowed it", "staging"),
        (
            Target(STAGING),
            None,
            replace(KNOWN, uid=OTHER),
            "the cluster allowed on 2026-11-01 was another",
            UID,
        ),
        (Target(STAGING), "staging", replace(KNOWN, uid=OTHER), "was another", UID),
        (Target(STAGING), "staging", replace(KNOWN, host="other:6443"), "was another", UID),
        (Target(STAGING, production=PRODUCTION), None, None, "looks like production", UID),
        (Target(STAGING, production=PRODUCTION), "staging", KNOWN, "(context: prod)", UID),
        (Target(STAGING, is_unlimited=True), "staging", KNOWN, "may do everything there", UID),
        (Target(STAGING, is_unlimited=True), OTHER, None, "may do everything there", UID),
    ],
)
def test_cluster_is_not_written_to_and_the_message_says_what_makes_it(
    target: Target,
    allowed: str | None,
    remembered: Consent | None,
    said: str,
    command: str,
) -> None:
    with pytest.raises(RefusedError) as refused:
        decide(target, allowed, remembered, COMMAND)

    assert said in refused.value.message
    assert "staging at k8s.example.com:443" in refused.value.message
    assert f"`{shlex.join(COMMAND)} --allow-cluster {command}`" in refused.value.hint


def test_production_that_cannot_be_told_from_another_is_never_written_to() -> None:
    target = Target(replace(STAGING, uid=""), production=PRODUCTION)

    for allowed in (None, "", "staging"):
        with pytest.raises(RefusedError, match="looks like production") as refused:
            decide(target, allowed, None, COMMAND)
        assert "--allow-cluster" not in refused.value.hint


def test_cluster_that_was_replaced_is_told_with_the_one_that_was_allowed() -> None:
    with pytest.raises(RefusedError) as refused:
        decide(Target(STAGING), None, Consent("staging", "old:6443", OTHER, "2026-11-01"))

    before, now = refused.value.evidence
    assert "old:6443" in before
    assert OTHER in before
    assert "k8s.example.com:443" in now
    assert UID in now


def test_identity_by_the_authority_is_said_as_such() -> None:
    said = Identity("staging", "a:443", "sha256:beef").what

    assert "certificate authority sha256:beef" in said
    assert "may not be read" in said


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("https://K8s.example.com", "k8s.example.com:443"),
        ("https://10.0.0.1:6443", "10.0.0.1:6443"),
        ("https://[::1]:6443/base", "::1:6443"),
    ],
)
def test_host_of_an_api_has_its_port(server: str, host: str) -> None:
    assert host_of(server) == host


def test_command_is_told_without_what_it_allowed_before() -> None:
    words = ["pytest", "--allow-cluster", "a", "-k", "x", "--allow-cluster=b", "--no-deploy"]

    assert without_option(words) == ["pytest", "-k", "x", "--no-deploy"]


# What is remembered


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_consent_is_read_back_by_its_context(home: Home) -> None:
    consents = Consents(home.consents)
    assert consents.of("staging") is None
    consents.add(KNOWN)
    consents.add(replace(KNOWN, context="test"))
    consents.add(replace(KNOWN, uid=OTHER))

    again = Consents(home.consents)
    assert again.of("staging") == replace(KNOWN, uid=OTHER)
    assert again.of("test") == replace(KNOWN, context="test")
    assert json.loads(home.consents.read_text())["clusters"][0]["date"] == "2026-11-01"


def test_file_of_consents_is_its_users_alone_and_has_no_remains_beside_it(home: Home) -> None:
    Consents(home.consents).add(KNOWN)

    assert stat.S_IMODE(home.consents.stat().st_mode) == 0o600
    assert list(home.root.iterdir()) == [home.consents]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"clusters": [{}]}', '{"clusters": [{"a": 1}]}'])
def test_file_that_cannot_be_read_allows_nothing(home: Home, text: str) -> None:
    home.root.mkdir()
    home.consents.write_text(text)

    with pytest.raises(RefusedError, match="cannot be read") as refused:
        Consents(home.consents).of("staging")
    assert "remove it" in refused.value.hint
    with pytest.raises(RefusedError, match="cannot be read"):
        Consents(home.consents).add(KNOWN)
    assert home.consents.read_text() == text


def test_writing_that_fails_leaves_what_was_there(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents = Consents(home.consents)
    consents.add(KNOWN)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(RefusedError, match="cannot be written"):
        consents.add(replace(KNOWN, uid=OTHER))

    assert consents.of("staging") == KNOWN
    assert list(home.root.iterdir()) == [home.consents]


def test_all_of_it_goes_with_what_is_ours(home: Home) -> None:
    Consents(home.consents).add(KNOWN)

    home.remove()

    assert not home.root.exists()


# The whole way


class Api:
    """A cluster as its user sees it."""

    server = "https://k8s.example.com"
    authority = "beef"

    def __init__(self, **forbidden: bool) -> None:
        self.uid = UID
        self.labels: dict[str, str] = {}
        self.is_unlimited = False
        self._forbidden = forbidden
        self.asked = 0

    def get(self, *_: object) -> dict[str, Any]:
        self._ask("namespaces")
        metadata = {"name": "kube-system", "uid": self.uid, "labels": self.labels}
        return {"kind": "Namespace", "metadata": metadata}

    def list(self, *_: object) -> list[dict[str, Any]]:
        self._ask("nodes")
        return [{"kind": "Node", "metadata": {"name": "a"}}]

    def can_i(self, *_: object) -> bool:
        self._ask("rights")
        return self.is_unlimited

    def _ask(self, what: str) -> None:
        self.asked += 1
        if self._forbidden.get(what):
            raise ApiError("GET /it", 403, f'{{"message": "cannot get resource \\"{what}\\""}}')


class Asker:
    """Asks whether a cluster may be written to, and keeps what was said."""

    def __init__(self, home: Home, api: Api) -> None:
        self.home = home
        self.api: Any = api
        self.shown = io.StringIO()

    def ask(self, allowed: str | None = None, *, context: str = "staging", **more: Any) -> None:
        cluster = Cluster(context, "context", None, context, Phrase("it was named"), "", **more)
        progress = Progress(self.shown)
        require(cluster, self.api, allowed, progress, command=list(COMMAND), home=self.home)


@pytest.fixture
def asker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Asker:
    monkeypatch.setattr(contexts, "called", lambda _context: "theirs")
    return Asker(home, Api())


def test_consent_is_asked_once_and_told(asker: Asker) -> None:
    with pytest.raises(RefusedError, match="nobody has allowed it"):
        asker.ask()
    assert not asker.home.consents.exists()

    asker.ask("staging")
    asker.ask()

    assert asker.shown.getvalue().count("allowed from now on") == 1
    assert str(asker.home.consents) in asker.shown.getvalue()


def test_consent_holds_for_that_cluster_alone(asker: Asker) -> None:
    asker.ask("staging")

    with pytest.raises(RefusedError, match="nobody has allowed it"):
        asker.ask(context="another")
    asker.api.uid = OTHER
    with pytest.raises(RefusedError, match="was another"):
        asker.ask()
    asker.ask(OTHER)
    asker.ask()


def test_local_cluster_is_asked_nothing(asker: Asker) -> None:
    asker.ask(is_local=True)

    assert asker.api.asked == 0


@pytest.mark.parametrize(
    "change", [{"labels": {"environment": "production"}}, {"is_unlimited": True}]
)
def test_what_is_dangerous_is_allowed_for_one_run_alone(
    asker: Asker, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(asker.api, name, value)

    with pytest.raises(RefusedError):
        asker.ask("staging")
    asker.ask(UID)
    with pytest.raises(RefusedError):
        asker.ask()
    assert not asker.home.consents.exists()


def test_cluster_that_tells_little_is_known_by_its_authority(asker: Asker) -> None:
    asker.api = Api(namespaces=True, nodes=True, rights=True)

    asker.ask("staging")
    asker.ask()
    asker.api.authority = "cafe"
    with pytest.raises(RefusedError, match="was another") as refused:
        asker.ask()

    assert "sha256:beef" in refused.value.evidence[0]
    assert "--allow-cluster sha256:cafe" in refused.value.hint


def test_api_that_fails_is_no_consent(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ApiError("GET /it", 500, "{}")

    monkeypatch.setattr(asker.api, "get", fail)

    with pytest.raises(ApiError):
        asker.ask("staging")
    assert not asker.home.consents.exists()
