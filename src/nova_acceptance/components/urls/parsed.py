"""A URL taken apart as its program does it, for connecting by it and never for showing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """The parts of a URL.

    Attributes:
        scheme: without what a driver is named by (`+asyncpg`), in lower case.
        user: decoded; empty if none.
        password: likewise.
        hosts: every host with its port.
        path: what follows the hosts, without its slash.
        options: its query.
    """

    scheme: str
    user: str
    password: str = field(repr=False)
    hosts: tuple[tuple[str, int], ...]
    path: str
    options: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, text: str, usual_port: int) -> ParsedUrl:
        """Take a URL apart.

        Several hosts may stand in it, each with a port of its own. Source: the PostgreSQL manual,
        34.1.1.3, "Specifying Multiple Hosts".

        Args:
            text: the URL.
            usual_port: the port that is meant where none is written.
        """
        written = urlsplit(text.strip())
        login, _, where = written.netloc.rpartition("@")
        user, _, password = login.partition(":")
        return cls(
            written.scheme.partition("+")[0].lower(),
            unquote(user),
            unquote(password),
            tuple(_host(each, usual_port) for each in where.split(",")),
            written.path.lstrip("/"),
            dict(parse_qsl(written.query, keep_blank_values=True)),
        )


def _host(written: str, usual_port: int) -> tuple[str, int]:
    found = urlsplit(f"//{written}")
    return str(found.hostname), found.port or usual_port
