"""Trying the URL of a RabbitMQ from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.findings import Finding
from nova_rabbitmq.answers import Login
from nova_rabbitmq.checks import accepted_wrong_password, refused_login
from nova_rabbitmq.client import RabbitMQ
from nova_rabbitmq.spec import RabbitMQ as Spec


def lets_in(trial: UrlTrial, client: Callable[[], Any]) -> Iterator[Finding]:  # noqa: ARG001 - RabbitMQ says it itself
    """Yield why the URL's credentials do not lead into its virtual host."""
    yield from refused_login(*_asked(trial))


def demands_password(trial: UrlTrial, client: Callable[[], Any]) -> Iterator[Finding]:  # noqa: ARG001 - RabbitMQ says it itself
    """Yield that another password than the URL's is taken as well."""
    yield from accepted_wrong_password(*_asked(trial))


def _asked(trial: UrlTrial) -> tuple[RabbitMQ, Spec]:
    """Return a client with what the URL says, and what it says as nova.yaml would."""
    login = Login(trial.user, trial.password, unquote(trial.path))
    said = trial.owner.model_copy(update={"user": login.user, "vhost": login.vhost})
    return RabbitMQ(trial.route, login, trial.witness), said
