"""What is asked of a PostgreSQL as its roles before the first test reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from nova_acceptance.components.postgres.ahead import Ahead
from nova_acceptance.components.postgres.checks import admission
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.logins import Parts
from nova_acceptance.components.postgres.parts import clients, denials
from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript, apart
from testing.unit.probes.a_server import SHOP, Shop, running

DENIALS = list(denials(SHOP))
CLIENT = clients(SHOP)[0]
TESTS: list[Parts] = [*({"denial": each} for each in DENIALS), {"client": CLIENT}]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with running() as port:
        made = Shop(port)
        made.again()
        yield made


@pytest.fixture
def background() -> Iterator[Background]:
    with Background() as opened:
        yield opened


def connections(shop: Shop, transcript: Transcript) -> RoleConnections:
    with transcript.asking("dial pg:5432", source="runner", target="pg:5432") as asking:
        asking.answered("open")
    return RoleConnections(
        SHOP, shop.postgres, Server(Route(shop.port, "a", "pg:5432"), transcript)
    )


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Login]:
    """As whom connections were opened."""
    logins: list[Login] = []
    connect = Server.connect

    def counting(server: Server, login: Login) -> Session:
        logins.append(login)
        return connect(server, login)

    monkeypatch.setattr(Server, "connect", counting)
    return logins


def test_what_is_wanted_is_asked_before_it_is_read(
    shop: Shop, background: Background, connected: list[Login]
) -> None:
    transcript, running_test, reader = Transcript(), list[Evidence](), list[Evidence]()
    ahead = Ahead(background, transcript, lambda _spec: connections(shop, transcript))
    with transcript.listening(running_test.append):
        ahead.begin(SHOP, TESTS)
        background.settle()
    ahead_of_it = list(connected)

    with transcript.listening(reader.append):
        trials = ahead.trials(SHOP)
        felt = [each for each in DENIALS if each.deed.is_felt]
        assert all(trials.is_denied(each) for each in DENIALS if each not in felt)
        (found,) = admission.client_with_wrong_password(trials.connections, CLIENT)
    ahead.close()

    assert running_test == []
    assert reader[0].asked == "dial pg:5432"
    assert found.cause == "TRUST_AUTHENTICATION"  # as the server of this test lets everybody in
    assert len(ahead_of_it) > len({each.user for each in ahead_of_it}) > 1
    assert connected == ahead_of_it


def test_what_cannot_be_reached_fails_each_test_and_is_tried_again(
    shop: Shop, background: Background
) -> None:
    transcript = Transcript()
    errors = [ProbeError("silent"), ProbeError("still silent")]

    def connect(_spec: object) -> RoleConnections:
        if errors:
            raise errors.pop(0)
        return connections(shop, transcript)

    ahead = Ahead(background, transcript, connect)
    ahead.begin(SHOP, TESTS)
    background.settle()

    with pytest.raises(ProbeError, match="still silent"):
        ahead.trials(SHOP)
    assert ahead.trials(SHOP) is ahead.trials(SHOP)
    ahead.close()


def test_nobody_connects_over_a_network_that_the_way_does_not_take(
    shop: Shop, background: Background, connected: list[Login]
) -> None:
    transcript = Transcript()
    made = connections(shop, transcript)
    unasked = UnaskedError("no pod can be asked from")
    route = replace(made.server.route, instead_of=unasked)
    ours = RoleConnections(SHOP, shop.postgres, replace(made.server, route=route))
    ahead = Ahead(background, transcript, lambda _spec: ours)

    ahead.begin(SHOP, TESTS)
    background.settle()

    assert [each.password for each in connected if each.user == CLIENT.role.name] == [""]
    assert ahead.trials(SHOP).is_denied(DENIALS[0])
    with pytest.raises(UnaskedError):
        admission.client_with_wrong_password(ours, CLIENT)
    ahead.close()


def test_members_that_are_asked_side_by_side_are_heard_by_who_asks(shop: Shop) -> None:
    heard: list[Evidence] = []

    with apart(heard.append):
        shop.postgres.find_leader()

    assert "pg_is_in_recovery" in heard[-1].asked
