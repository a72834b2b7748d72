"""Names, queries and responses as octets (RFC 1035; EDNS: RFC 6891).

A name is kept in wire form, in lower case, without compression. Length octets are at most
63 and therefore no letters, so that `bytes.lower` is safe on a whole name, and the parent
of a name is what follows its first label.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

Name = bytes
ROOT: Final[Name] = b"\0"
CLASS_IN: Final = 1
TTL: Final = 5
"""Seconds for which an answer may be kept, an absent name's included."""

HEADER: Final = struct.Struct("!6H")
MAX_LABEL: Final = 63
MAX_NAME: Final = 255
_POINTER: Final = 0xC000
_FIXED: Final = struct.Struct("!2HIH")
_TYPE_AND_CLASS: Final = struct.Struct("!2H")

QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
PLAIN_UDP_OCTETS: Final = 512
EDNS_UDP_OCTETS: Final = 1232
"""Fits every path without fragments (DNS flag day 2020)."""


class Type(IntEnum):
    """Record types that are served or understood."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    TXT = 16
    AAAA = 28
    SRV = 33
    OPT = 41
    ANY = 255


class Code(IntEnum):
    """Response codes."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16


class FormatError(Exception):
    """A message that cannot be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of class IN: its owner, its type and its data in wire form."""

    name: Name
    type: Type
    data: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """What a resolver asked.

    Args:
        id: repeated in the response.
        opcode: 0 is a query.
        recursion_desired: repeated in the response.
        question: name (as it was written), type and class in wire form; repeated likewise.
        name: the name asked for, in lower case.
        type: its type, a `Type` or any other number.
        class_: its class.
        edns_version: None without EDNS.
        udp_octets: the longest datagram that the resolver takes.
    """

    id: int
    opcode: int
    recursion_desired: bool
    question: bytes
    name: Name
    type: int
    class_: int
    edns_version: int | None
    udp_octets: int


def name_of(text: str) -> Name:
    """The wire form of a name written with dots.

    Raises:
        ValueError: a label is empty or longer than 63 octets, or the name than 255.
    """
    text = text.rstrip(".").lower()
    labels = [label.encode("ascii") for label in text.split(".")] if text else []
    if not all(0 < len(label) <= MAX_LABEL for label in labels):
        raise ValueError(f"not a domain name: {text!r}")
    name = b"".join(bytes([len(label)]) + label for label in labels) + ROOT
    if len(name) > MAX_NAME:
        raise ValueError(f"longer than 255 octets: {text!r}")
    return name


def ancestors(name: Name) -> Iterator[Name]:
    """`name`, its parent, and so on up to the root."""
    while True:
        yield name
        if name == ROOT:
            return
        name = name[name[0] + 1 :]


def parse(message: bytes) -> Query:
    """Read a query.

    Raises:
        FormatError: it is cut short, is no query or asks not exactly one question.
    """
    try:
        id_, flags, questions, *others = HEADER.unpack_from(message)
        if flags & QR or questions != 1:
            raise FormatError("not one question")
        end = _skip_name(message, HEADER.size)
        name = message[HEADER.size : end]
        if not name.endswith(ROOT) or len(name) > MAX_NAME:
            raise FormatError("not a whole name")
        type_, class_ = _TYPE_AND_CLASS.unpack_from(message, end)
        end += _TYPE_AND_CLASS.size
        question = message[HEADER.size : end]
        edns_version, octets = None, PLAIN_UDP_OCTETS
        for _ in range(sum(others)):
            end = _skip_name(message, end)
            rtype, rclass, ttl, length = _FIXED.unpack_from(message, end)
            end += _FIXED.size + length
            if rtype == Type.OPT:
                edns_version = ttl >> 16 & 0xFF
                octets = max(PLAIN_UDP_OCTETS, min(rclass, EDNS_UDP_OCTETS))
    except (struct.error, IndexError) as error:
        raise FormatError("cut short") from error
    return Query(
        id=id_,
        opcode=flags >> 11 & 0xF,
        recursion_desired=bool(flags & RD),
        question=question,
        name=name.lower(),
        type=type_,
        class_=class_,
        edns_version=edns_version,
        udp_octets=octets,
    )


def respond(
    query: Query,
    code: Code,
    answers: Sequence[Record] = (),
    authority: Sequence[Record] = (),
    additional: Sequence[Record] = (),
    *,
    octets: int,
) -> bytes:
    """The response to `query` in at most `octets`.

    Records that do not fit are left out: additional ones silently, others with the
    truncation bit, upon which a resolver asks again over TCP (RFC 2181, section 9).
    """
    opt = b""
    if query.edns_version is not None:
        opt = ROOT + _FIXED.pack(Type.OPT, EDNS_UDP_OCTETS, code >> 4 << 24, 0)
    room = octets - HEADER.size - len(query.question) - len(opt)
    body: list[bytes] = []
    counts = []
    truncated = False
    for section in (answers, authority, additional):
        count = 0
        for record in section:
            packed = _pack(record, query)
            if truncated or len(packed) > room:
                truncated = truncated or section is not additional
                break
            body.append(packed)
            room -= len(packed)
            count += 1
        counts.append(count)
    flags = QR | query.opcode << 11 | AA | RA | code & 0xF
    flags |= TC if truncated else 0
    flags |= RD if query.recursion_desired else 0
    counts[2] += bool(opt)
    header = HEADER.pack(query.id, flags, 1, *counts)
    return b"".join([header, query.question, *body, opt])


def refuse(message: bytes, code: Code) -> bytes:
    """The response to a message of which no more than the header can be read."""
    id_, flags, *_ = HEADER.unpack_from(message)
    return HEADER.pack(id_, QR | flags & 0x7800 | flags & RD | code, 0, 0, 0, 0)


def _pack(record: Record, query: Query) -> bytes:
    owner = record.name
    if query.name.endswith(owner):
        # A pointer into the question, which starts right after the header. A suffix of
        # octets that is a name is a suffix of labels only if it starts at a length octet.
        offset = len(query.name) - len(owner)
        if owner in ancestors(query.name):
            owner = (_POINTER | HEADER.size + offset).to_bytes(2, "big")
    return owner + _FIXED.pack(record.type, CLASS_IN, TTL, len(record.data)) + record.data


def _skip_name(message: bytes, offset: int) -> int:
    """The offset after the name at `offset`; a compression pointer ends a name."""
    while length := message[offset]:
        if length >= _POINTER >> 8:
            return offset + 2
        if length > MAX_LABEL:
            raise FormatError("unknown kind of label")
        offset += length + 1
    return offset + 1
