"""etcd as a test sees it, by the JSON gateway of its v3 API."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.http import Kept, exchange
from nova_acceptance.vantage.lately import Lately
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript

_READING: Final = frozenset({"/v3/maintenance/status", "/v3/cluster/member/list", "/v3/kv/range"})
"""What changes nothing, and so is all that is asked in a run that only reads."""
_SAID: Final = (
    ("ETCD_NO_SPACE", re.compile(r"(?i)database space exceeded|NOSPACE")),
    ("ETCD_STRANGER", re.compile(r"(?i)cluster[ _-]?id mismatch|permanently removed")),
    ("ETCD_QUORUM_LOST", re.compile(r"(?i)no leader|request timed out|lost leader|not healthy")),
)


@dataclass(frozen=True, slots=True)
class Status:
    """What a member says of itself.

    Attributes:
        id: its own number.
        leader: the number of the member that it takes for the leader; 0 while there is none.
        cluster: the number of the cluster that it belongs to.
        errors: what it complains of, such as an alarm.
    """

    id: str
    leader: str
    cluster: str = ""
    errors: tuple[str, ...] = ()


class RefusalError(ProbeError):
    """etcd answered, with an error."""

    def __init__(self, target: str, path: str, status: int, text: str) -> None:
        super().__init__(
            f"etcd at {target} answered {path} with status {status}",
            hint="the log of that pod tells more",
            evidence=[text[:300]],
        )
        cause = next((cause for cause, words in _SAID if words.search(text)), None)
        said = Phrase("etcd at {target} answers: {said}", target=target, said=text.strip()[:200])
        self.shown = Finding(cause, NOWHERE, said, evidence=(text[:300],)) if cause else None


@dataclass(frozen=True, eq=False)
class Member:
    """One member of etcd, asked by itself.

    Source: https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ (keys and values in base64).
    """

    _route: Route
    _transcript: Transcript
    _kept: Kept = field(default_factory=list, init=False)
    _status: Lately[Status] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_status", Lately(self._transcript, self._ask_for_status))

    @property
    def status(self) -> Status:
        """What it says of itself, or said to another test a moment ago."""
        return self._status.told()

    def _ask_for_status(self) -> Status:
        answer = self._post("status", "/v3/maintenance/status", {})
        header = answer["header"]
        return Status(
            str(header["member_id"]),
            str(answer.get("leader", "0")),
            str(header.get("cluster_id", "")),
            tuple(str(line) for line in answer.get("errors") or ()),
        )

    @property
    def members(self) -> dict[str, str]:
        """The names of the members that it knows, by number."""
        found = self._post("member list", "/v3/cluster/member/list", {})["members"]
        return {str(member["ID"]): str(member.get("name", "")) for member in found}

    def put(self, key: str, value: str) -> None:
        """Write through the quorum; returns when a majority holds the value."""
        self._post(f"put {key} {value}", "/v3/kv/put", _encoded(key=key, value=value))

    def get(self, key: str) -> str | None:
        """Read through the quorum (a linearizable read)."""
        found = self._post(f"get {key}", "/v3/kv/range", _encoded(key=key)).get("kvs")
        return base64.b64decode(found[0].get("value", "")).decode() if found else None

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is as good as removed."""
        self._post(f"del {key}", "/v3/kv/deleterange", _encoded(key=key))

    def keys(self, prefix: str) -> list[str]:
        """Return every key that begins with a prefix, whose last letter is not the last of all."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        body = {**_encoded(key=prefix, range_end=end), "keys_only": True}
        found = self._post(f"keys {prefix}", "/v3/kv/range", body).get("kvs") or ()
        return [base64.b64decode(each["key"]).decode() for each in found]

    def _post(self, asked: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path not in _READING:
            self._route.require_writing()
        source, target = self._route.source, self._route.target
        with self._transcript.asking(asked, source=source, target=target) as asking:
            status, text = exchange(self._route, "POST", path, json.dumps(body), self._kept)
            if status != HTTPStatus.OK:
                raise RefusalError(target, path, status, text)
            answer: dict[str, Any] = json.loads(text)
            asking.answered(json.dumps({k: v for k, v in answer.items() if k != "header"}))
            return answer


def _encoded(**texts: str) -> dict[str, str]:
    return {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
