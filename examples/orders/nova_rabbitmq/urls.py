"""Trying the URL of a RabbitMQ from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.findings import Finding
from nova_rabbitmq import checks
from nova_rabbitmq.answers import Login
from nova_rabbitmq.client import RabbitMQ
from nova_rabbitmq.spec import RabbitMQ as Spec


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why the URL's credentials do not lead into its virtual host."""
    yield from checks.refused_login(*_asked(trial))


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterator[Finding]:
    """Find that another password than the URL's is taken as well."""
    yield from checks.accepted_wrong_password(*_asked(trial))


def _asked(trial: UrlTrial) -> tuple[RabbitMQ, Spec]:
    """Return a client with what the URL says, and what it says as nova.yaml would."""
    login = Login(trial.user, trial.password, unquote(trial.path))
    said = trial.owner.model_copy(update={"user": login.user, "vhost": login.vhost})
    return RabbitMQ(trial.route, login, trial.transcript), said
