"""What can be asked from inside a pod, and the answers.

Every answer has a `state`, and the states tell refusals apart: a name that does not resolve is
`unresolved`, never `refused`; `refused` is the target's own reset; `timeout` is silence.
"""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.libraries import dns
from nova_acceptance.vantage.transcript import shorten

Scheme = Literal["http", "https"]
PORTS: Final[Mapping[Scheme, int]] = {"http": 80, "https": 443}
"""The usual port of each scheme, which a URL and a Host leave out."""

AnswerT_co = TypeVar("AnswerT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Question(Generic[AnswerT_co]):
    """A question as the agent takes it, and the reading of its raw answer.

    Attributes:
        operation: what the agent calls it.
        timeout: seconds until the agent gives up; a lookup of a name before that has its own.
    """

    operation: ClassVar[str]
    timeout: float = field(default=timeouts.PROBE_DIAL, kw_only=True)

    def as_json(self) -> dict[str, Any]:
        """Return the question in the agent's terms."""
        return {"op": self.operation, **asdict(self)}

    @abstractmethod
    def read(self, raw: dict[str, Any], source: str) -> AnswerT_co:
        """Return the answer, given what the agent in `source` wrote."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What every answer has.

    Attributes:
        state: `open`, `resolved`, `answered`, or how it failed: `refused`, `timeout`,
            `unreachable`, `unresolved`, `cut`, `garbled`, `no-tls`, `alert`.
        detail: more about a failure, such as `EAI_NONAME`; `timeout` where a name was not
            resolved since no answer came.
        evidence: the question and this answer, for the report.
    """

    state: str
    detail: str
    evidence: Evidence

    @property
    def seconds(self) -> float:
        """From the question to the answer."""
        return self.evidence.seconds


@dataclass(frozen=True, slots=True)
class Dial(Question[Answer]):
    """One TCP connection, opened and closed."""

    operation = "dial"
    host: str
    port: int

    def read(self, raw: dict[str, Any], source: str) -> Answer:
        """Return `open`, `refused`, `timeout`, `unreachable` or `unresolved`."""
        return _answer(raw, "connect", source, f"{self.host}:{self.port}", raw.get("address", ""))


@dataclass(frozen=True, slots=True)
class Resolved(Answer):
    """The addresses of a name; none where it does not resolve."""

    addresses: frozenset[str]

    @property
    def is_answered(self) -> bool:
        """Whether the resolver came to an end: with addresses, or with that there are none."""
        return self.state == "resolved" or self.is_absent

    @property
    def is_absent(self) -> bool:
        """Whether the name is known not to exist, which a resolver that fails does not say."""
        return self.state == "unresolved" and self.detail in ("EAI_NONAME", "EAI_NODATA")


@dataclass(frozen=True, slots=True)
class Resolve(Question[Resolved]):
    """A lookup of a name as an application does it, by getaddrinfo with its search list."""

    operation = "resolve"
    host: str

    def read(self, raw: dict[str, Any], source: str) -> Resolved:
        """Return `resolved` with the addresses, or `unresolved`."""
        addresses = raw.get("addresses", [])
        plain = _answer(raw, f"getaddrinfo {self.host}", source, "resolver", ", ".join(addresses))
        return Resolved(plain.state, plain.detail, plain.evidence, frozenset(addresses))


@dataclass(frozen=True, slots=True)
class Resolving(Answer):
    """What a resolver is configured with.

    Attributes:
        servers: the name servers, in their order.
        search: the domains by which it completes names, in their order.
    """

    servers: tuple[str, ...]
    search: tuple[str, ...]

    @property
    def zone(self) -> str:
        """The cluster's zone, by the search list that a kubelet writes; empty where it has none."""
        found = (name.rstrip(".") for name in self.search)
        return next((name.removeprefix("svc.") for name in found if name.startswith("svc.")), "")


@dataclass(frozen=True, slots=True)
class Resolver(Question[Resolving]):
    """What /etc/resolv.conf says where it is asked."""

    operation = "resolver"

    def read(self, raw: dict[str, Any], source: str) -> Resolving:
        """Return `read`, with the name servers and the search list."""
        servers, search = tuple(raw.get("servers", ())), tuple(raw.get("search", ()))
        said = f"nameserver {' '.join(servers)}; search {' '.join(search)}"
        plain = _answer(raw, "resolver", source, "/etc/resolv.conf", said)
        return Resolving(plain.state, plain.detail, plain.evidence, servers, search)


@dataclass(frozen=True, slots=True)
class Exchanged(Answer):
    """A name server's message; None where none came.

    Attributes:
        server: the name server's address.
        message: what it answered.
    """

    server: str
    message: dns.message.Message | None


@dataclass(frozen=True, slots=True)
class Exchange(Question[Exchanged]):
    """One DNS message to the pod's own name server."""

    operation = "dns"
    name: str
    rdtype: str
    tcp: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the question in the agent's terms."""
        wire = dns.message.make_query(self.name, self.rdtype).to_wire()
        message = {"wire": base64.b64encode(wire).decode(), "host": "", "port": 53}
        return {"op": self.operation, "tcp": self.tcp, "timeout": self.timeout, **message}

    def read(self, raw: dict[str, Any], source: str) -> Exchanged:
        """Return `answered` with the message, or how the exchange failed."""
        message = None
        said = ""
        if "wire" in raw:
            try:
                message = dns.message.from_wire(base64.b64decode(raw["wire"]))
            except dns.exception.DNSException as error:
                raw = {**raw, "state": "garbled", "detail": str(error)}
            else:
                sets = ("; ".join(f"{item}" for item in entry) for entry in message.answer)
                said = f"{dns.rcode.to_text(message.rcode())} {'; '.join(sets)}".strip()
                if (sent := raw.get("sent", 1)) > 1:  # packets were lost, or the answer was slow
                    said = f"{said} (asked {sent} times)"
        asked = f"{self.rdtype} {self.name} over {'TCP' if self.tcp else 'UDP'}"
        plain = _answer(raw, asked, source, raw.get("server", "name server"), said)
        return Exchanged(plain.state, plain.detail, plain.evidence, raw.get("server", ""), message)


@dataclass(frozen=True, slots=True)
class Page(Answer):
    """A response of HTTP; status 0 where none came.

    Attributes:
        certificate: what the peer showed over TLS, in DER; empty where that was not come to.
    """

    status: int
    body: str
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Get(Question[Page]):
    """One GET by HTTP/1.1.

    Attributes:
        scheme: `https` asks over TLS, for the host by its name, and verifies nothing.
    """

    operation = "http"
    host: str
    port: int
    path: str
    scheme: Scheme = "http"

    @property
    def authority(self) -> str:
        """The host, with the port where it is not the usual one (RFC 9110, 4.2 and 7.2)."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    def as_json(self) -> dict[str, Any]:
        """Return the question in the agent's terms."""
        return {
            "op": self.operation,
            "host": self.host,
            "port": self.port,
            "path": self.path,
            "authority": self.authority,
            "tls": self.host if self.scheme == "https" else "",
            "timeout": self.timeout,
        }

    def read(self, raw: dict[str, Any], source: str) -> Page:
        """Return `answered` with status and the start of the body, or how it failed.

        Over TLS it may have failed with `no-tls`, where what answers does not speak it, or with
        `alert`, where the peer ended the handshake and said why.
        """
        status, body = raw.get("status", 0), raw.get("body", "")
        asked = f"GET {self.path}{' over TLS' if self.scheme == 'https' else ''}"
        plain = _answer(raw, asked, source, f"{self.host}:{self.port}", f"{status} {body}")
        shown = base64.b64decode(raw.get("certificate", ""))
        return Page(plain.state, plain.detail, plain.evidence, status, body, shown)


@dataclass(frozen=True, slots=True)
class Http2(Question[Answer]):
    """The first words of a connection by HTTP/2 without TLS, as gRPC begins one."""

    operation = "http2"
    host: str
    port: int

    def read(self, raw: dict[str, Any], source: str) -> Answer:
        """Return `answered` where the server began with its settings, or how it failed."""
        return _answer(raw, "preface of HTTP/2", source, f"{self.host}:{self.port}", "")


@dataclass(frozen=True, slots=True)
class Listening(Answer):
    """Where something listens.

    Attributes:
        at: pairs of address and port.
    """

    at: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Listeners(Question[Listening]):
    """At which addresses and ports something listens in the network that is asked from."""

    operation = "listeners"

    def read(self, raw: dict[str, Any], source: str) -> Listening:
        """Return `listed`, with what `/proc/net/tcp` and `/proc/net/tcp6` say."""
        at = frozenset((str(address), int(port)) for address, port in raw.get("listeners", ()))
        said = ", ".join(sorted(f"{address} port {port}" for address, port in at)) or "nobody"
        plain = _answer(raw, "who listens", source, "/proc/net/tcp, /proc/net/tcp6", said)
        return Listening(plain.state, plain.detail, plain.evidence, at)


def _answer(raw: dict[str, Any], asked: str, source: str, target: str, said: str) -> Answer:
    if "state" not in raw:
        raise ProbeError(
            f"{asked} could not be asked from {source} of {target}",
            hint="this is a fault of the probe or of its container, not an answer",
            evidence=[str(raw.get("error", raw))],
        )
    state = str(raw["state"])
    detail = str(raw.get("detail", ""))
    text = " ".join(part for part in (state, detail, said) if part)
    evidence = Evidence(asked, source, target, shorten(text), float(raw["seconds"]))
    return Answer(state, detail, evidence)
