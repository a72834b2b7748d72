"""A query to its response, from records in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_node.dns.records import Records, Zones, soa
from nova_node.dns.wire import (
    CLASS_IN,
    HEADER,
    QR,
    Code,
    FormatError,
    Name,
    Query,
    Record,
    Type,
    ancestors,
    parse,
    refuse,
    respond,
)

TCP_OCTETS: Final = 65535
CHAIN: Final = 8
"""ExternalName Services that name each other are followed this far."""
KEPT: Final = 10_000
"""Responses kept; names that do not exist are without number, memory is not."""


class Answers:
    """Responses to queries, of one state of the cluster.

    Args:
        zones: the names for which to speak.
        records: what there is to say.
    """

    def __init__(self, zones: Zones, records: Records) -> None:
        self._records = records
        self._starts = {apex: soa(zones, apex) for apex in zones.apexes}
        self._kept: dict[bytes, bytes] = {}

    def over_udp(self, message: bytes) -> bytes | None:
        """The response to a datagram; None to what deserves none.

        A query that came before, but for its id, gets the response that was made then.
        """
        question = message[2:]
        kept = self._kept.get(question)
        if kept is not None:
            return message[:2] + kept
        response = self._response(message, udp=True)
        if response is not None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[question] = response[2:]
        return response

    def over_tcp(self, message: bytes) -> bytes | None:
        """The response to a message that came over a connection, of any length."""
        return self._response(message, udp=False)

    def _response(self, message: bytes, *, udp: bool) -> bytes | None:
        # Never answer an answer: two servers could go on for ever.
        if len(message) < HEADER.size or message[2] << 8 & QR:
            return None
        try:
            query = parse(message)
        except FormatError:
            return refuse(message, Code.FORMERR)
        octets = query.udp_octets if udp else TCP_OCTETS
        if query.opcode != 0:
            return refuse(message, Code.NOTIMP)
        if query.edns_version:
            return respond(query, Code.BADVERS, octets=octets)
        if query.class_ != CLASS_IN:
            return respond(query, Code.REFUSED, octets=octets)
        return self._answer(query, octets)

    def _answer(self, query: Query, octets: int) -> bytes:
        answers: list[Record] = []
        name = query.name
        for _ in range(CHAIN):
            found = self._find(name, query.type)
            answers += found
            aliases = [record for record in found if record.type is Type.CNAME]
            if not aliases or query.type in (Type.CNAME, Type.ANY):
                break
            name = aliases[0].data
        start = self._start_of(name)
        if name not in self._records.names:
            # An alias to a name outside is all there is to say: its target is not ours.
            outside = bool(answers) and len(start.name) == 1
            code = Code.NOERROR if outside else Code.NXDOMAIN
            return respond(query, code, answers, () if outside else [start], octets=octets)
        if not found:
            return respond(query, Code.NOERROR, answers, [start], octets=octets)
        return respond(query, Code.NOERROR, answers, (), [*self._targets(answers)], octets=octets)

    def _find(self, name: Name, type_: int) -> list[Record]:
        records = self._records.by_name.get(name, {})
        if type_ == Type.ANY:
            return [record for siblings in records.values() for record in siblings]
        return records.get(type_) or records.get(Type.CNAME) or []

    def _start_of(self, name: Name) -> Record:
        """The start of the innermost authority over `name`."""
        return next(self._starts[apex] for apex in ancestors(name) if apex in self._starts)

    def _targets(self, answers: list[Record]) -> Iterator[Record]:
        """The addresses of what SRV records name, so that nobody needs to ask for them."""
        for record in answers:
            if record.type is Type.SRV:
                target = self._records.by_name.get(record.data[6:], {})
                yield from target.get(Type.A, [])
                yield from target.get(Type.AAAA, [])
