"""etcd as a test sees it, by the JSON gateway of its v3 API."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import Any

from nova_acceptance.errors import ProbeError
from nova_acceptance.probes.http import exchange
from nova_acceptance.probes.routes import Route
from nova_acceptance.probes.witness import Witness


class Member:
    """One member of etcd, asked by itself.

    Source: https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ (keys and values in base64).
    """

    def __init__(self, route: Route, witness: Witness) -> None:
        self._route = route
        self._witness = witness

    @property
    def id(self) -> str:
        """Its own number."""
        return str(self._status()["header"]["member_id"])

    @property
    def leader(self) -> str:
        """The number of the member that it takes for the leader; 0 while there is none."""
        return str(self._status().get("leader", "0"))

    @property
    def members(self) -> dict[str, str]:
        """The names of the members that it knows, by number."""
        found = self._post("/v3/cluster/member/list", {})["members"]
        return {str(member["ID"]): str(member.get("name", "")) for member in found}

    def put(self, key: str, value: str) -> None:
        """Write through the quorum; returns when a majority holds the value."""
        self._post("/v3/kv/put", {"key": _encoded(key), "value": _encoded(value)})

    def get(self, key: str) -> str | None:
        """Read through the quorum (a linearizable read)."""
        found = self._post("/v3/kv/range", {"key": _encoded(key)}).get("kvs")
        return base64.b64decode(found[0].get("value", "")).decode() if found else None

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is as good as removed."""
        self._post("/v3/kv/deleterange", {"key": _encoded(key)})

    def _status(self) -> dict[str, Any]:
        return self._post("/v3/maintenance/status", {})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        source, target = self._route.source, self._route.target
        with self._witness.asking(f"POST {path}", source=source, target=target) as asking:
            status, text = exchange(self._route, "POST", path, json.dumps(body))
            asking.answered(f"{status} {text}")
            if status != HTTPStatus.OK:
                raise ProbeError(
                    f"etcd at {target} answered {path} with status {status}",
                    hint="the log of that pod tells more",
                    evidence=[text[:300]],
                )
            answer: dict[str, Any] = json.loads(text)
            return answer


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
