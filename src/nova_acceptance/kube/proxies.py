"""Which proxy a request to the API goes through, chosen as kubectl chooses it.

`proxy-url` of the cluster in the kubeconfig, else `$HTTPS_PROXY` or `$HTTP_PROXY`, unless
`$NO_PROXY` or the API's being on this machine excepts it. Source: client-go, `rest.Config.Proxy`,
and `golang.org/x/net/http/httpproxy`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from nova_acceptance import masking
from nova_acceptance.kube.failures import WayError
from nova_acceptance.phrase import Phrase

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy on the way to the API.

    Attributes:
        scheme: `http`, `https`, or `socks5h`, which resolves names itself, as kubectl has it.
        host: its name or address.
        port: its port.
        source: where it is set: a variable of the environment, or a field of the kubeconfig.
        user: the user's name for it; empty where it wants none.
        password: likewise; registered for masking.
    """

    scheme: str
    host: str
    port: int
    source: str
    user: str = ""
    password: str = ""

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS 5."""
        return self.scheme == "socks5h"

    @property
    def shown(self) -> str:
        """Its URL without what is secret in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'socks5' if self.is_socks else self.scheme}://{host}:{self.port}"

    @property
    def url(self) -> str:
        """Its URL as urllib3 takes it; who may use it goes another way."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def proxy_of(server: str, proxy_url: str, field: str) -> Proxy | None:
    """Return the proxy on the way to an API; None where there is none.

    Args:
        server: the API's URL.
        proxy_url: the cluster's in the kubeconfig; empty where it has none.
        field: what that is called in a message.

    Raises:
        WayError: its URL cannot be used.
    """
    if proxy_url:
        return _proxy(proxy_url, field)
    parts = urlsplit(server)
    name = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    found, variable = _variable(os.environ, name)
    if not found or is_loopback(parts.hostname or "") or _is_excepted(server):
        return None
    return _proxy(found, f"${variable}")


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    for spelled in (name, name.lower()):
        if found := environment.get(spelled, "").strip():
            return found, spelled
    return "", name


def _proxy(url: str, source: str) -> Proxy:
    full = url if "://" in url else f"http://{url}"
    if told := re.match(r"[^/]*//([^@/]*):([^@/]*)@", full):
        masking.register([told[2], unquote(told[2])])
    try:
        parts = urlsplit(full)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _PORTS or not host:
        raise WayError(
            Phrase("the proxy that {source} names cannot be used: {url}", source=source, url=url),
            hint=Phrase("it takes http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT"),
        )
    return Proxy(
        "socks5h" if scheme == "socks5" else scheme,
        host,
        port or _PORTS[scheme],
        source,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _is_excepted(server: str) -> bool:
    """Whether `$NO_PROXY` excepts the API."""
    excepted, _ = _variable(os.environ, "NO_PROXY")
    parts = urlsplit(server)
    host = (parts.hostname or "").lower().rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return any(_fits(each.strip().lower(), host, port) for each in excepted.split(","))


def _fits(entry: str, host: str, port: int) -> bool:
    if entry in ("", "*"):
        return entry == "*"
    address = _address(host)
    if "/" in entry:
        with contextlib.suppress(ValueError):
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        return False
    if with_port := re.fullmatch(r"(\[[^\]]*\]|[^:]*):([0-9]+)", entry):
        entry = with_port[1]
        if int(with_port[2]) != port:
            return False
    entry = entry.strip("[]")
    if address is not None:
        return _address(entry) == address
    entry = entry.removeprefix("*")
    return host.endswith(entry) if entry.startswith(".") else f".{host}".endswith(f".{entry}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
