"""What answering one DNS question costs the node image's server, and dnspython."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import dns.flags
import dns.message
import dns.rrset

from benchmarks.table import rounds

sys.path.insert(0, str(Path(__file__).parents[1] / "images/node"))
from nova_node.dns import wire

NAME: Final = "user-service.nova-services.svc.cluster.local"
ADDRESS: Final = (10, 96, 0, 7)
OCTETS: Final = 1232
ANSWERS: Final = 5000
REPEATS: Final = 5


def measure_wire() -> None:
    """Print the time from a question's octets to those of its answer, in turns."""
    question = dns.message.make_query(NAME, "A", use_edns=0, payload=OCTETS).to_wire()
    record = wire.Record(wire.name_of(NAME), wire.Type.A, bytes(ADDRESS))
    addresses = dns.rrset.from_text(
        f"{NAME}.", wire.TTL, "IN", "A", ".".join(str(octet) for octet in ADDRESS)
    )

    def ours() -> bytes:
        query = wire.parse(question)
        return wire.respond(query, wire.Code.NOERROR, [record], octets=query.udp_octets)

    def of_dnspython() -> bytes:
        asked = dns.message.from_wire(question)
        answer = dns.message.make_response(asked, our_payload=OCTETS)
        answer.flags |= dns.flags.AA
        answer.answer.append(addresses)
        return answer.to_wire(max_size=OCTETS)

    pairs = [(_microseconds(ours), _microseconds(of_dnspython)) for _ in range(REPEATS)]
    ours_took, of_dnspython_took = zip(*pairs, strict=True)
    rounds("one DNS answer, the node image's", ours_took, "µs", ANSWERS)
    rounds("one DNS answer, dnspython's", of_dnspython_took, "µs", ANSWERS)


def _microseconds(answer: Callable[[], bytes]) -> float:
    started = time.perf_counter()
    for _ in range(ANSWERS):
        answer()
    return 1e6 * (time.perf_counter() - started) / ANSWERS
