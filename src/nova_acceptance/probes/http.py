"""HTTP from the runner, over a route."""

from __future__ import annotations

import http.client

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.probes.routes import LOOPBACK, Route


def exchange(route: Route, method: str, path: str, body: str | None = None) -> tuple[int, str]:
    """Send one HTTP request over a route.

    Returns:
        The status and the body.

    Raises:
        ProbeError: nothing answered.
    """
    connection = http.client.HTTPConnection(LOOPBACK, route.port, timeout=timeouts.CONNECT)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise ProbeError(
            f"{route.target} did not answer {method} {path}",
            hint="is the pod ready? `kubectl get pods -A` shows it",
            evidence=[f"{type(error).__name__}: {error}"],
        ) from error
    finally:
        connection.close()
