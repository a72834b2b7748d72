"""Why the API's certificate does not pass, or its clock and ours disagree, told apart.

The certificate is looked at once more without trust, by a connection that says nothing of who asks.
"""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from nova_acceptance import timeouts
from nova_acceptance.kube.dial import dial
from nova_acceptance.kube.failures import WayError, certificate_error
from nova_acceptance.kube.kubeconfig import Way
from nova_acceptance.libraries import x509
from nova_acceptance.phrase import Phrase

OFF: Final = timedelta(minutes=2)
"""How far two clocks may be apart before one of them is off."""

_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
"""`X509_V_ERR_…` of OpenSSL, of which `ssl.SSLCertVerificationError.verify_code` is one."""
_LONGEST: Final = 65536


def unauthorized(way: Way, date: str) -> tuple[Phrase, Phrase] | None:
    """Return why the API does not know the user, and the cure; None where that does not show.

    Args:
        way: the way that was gone.
        date: the `Date` that the API answered with; empty where it did not.
    """
    here = datetime.now(UTC)
    there = _moment(date)
    if there and abs(there - here) > OFF and way.credentials.lapse(max(here, there)):
        return _clock_is_off(way, here, there)
    lapse = way.credentials.lapse(there or here)
    if lapse is None:
        return None
    return (
        Phrase(
            "the {what} of the user {user} expired {ago} ago, at {at}",
            what=lapse.what,
            user=way.credentials.user,
            ago=_spelled((there or here) - lapse.at),
            at=_at(lapse.at),
        ),
        Phrase(
            "log in again, or fetch the kubeconfig anew; then see `kubectl get --raw /version "
            "--context {context}`",
            context=way.context,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Server:
    """What a server shows to whoever asks without trust, and without saying who asks."""

    certificate: x509.Certificate | None
    date: datetime | None


def distrusted(way: Way, cause: ssl.SSLCertVerificationError) -> WayError:
    """Return the error for an API whose certificate does not pass, by the reason."""
    shown = _shown_by(way)
    here = datetime.now(UTC)
    evidence = [f"{type(cause).__name__}: {cause.verify_message or cause}"]
    if shown.date:
        evidence.append(f"this machine's clock says {_at(here)}, the API's says {_at(shown.date)}")
    certificate = shown.certificate
    if certificate is not None:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        evidence.append(f"its certificate is valid from {_at(begin)} to {_at(end)}")
        if cause.verify_code in (_EXPIRED, _NOT_YET):
            told = _of_dates(way, here, shown.date, certificate)
            return WayError(told[0], hint=told[1], evidence=evidence)
        if cause.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
            names = _names_of(certificate)
            asked = way.server_name or urlsplit(way.server).hostname or ""
            return WayError(
                Phrase(
                    "the certificate of the Kubernetes API at {server} is not for {asked}: "
                    "it is for {names}",
                    server=way.server,
                    asked=asked,
                    names=names or ["nobody"],
                ),
                hint=Phrase(
                    "name the API by one of them, or say which is meant: `kubectl config "
                    "set-cluster {cluster} --tls-server-name={name}`",
                    cluster=way.cluster,
                    name=names[0] if names else "NAME",
                ),
                evidence=evidence,
            )
        evidence.append(f"its certificate is issued by {certificate.issuer.rfc4514_string()}")
    if way.proxy:
        host = urlsplit(way.server).hostname
        evidence.append(
            f"the proxy {way.proxy.shown} ({way.proxy.source}) is on the way, and may answer with "
            f"a certificate of its own: NO_PROXY={host} goes past it"
        )
    return certificate_error(way.server, cause, evidence)


def _of_dates(
    way: Way, here: datetime, there: datetime | None, certificate: x509.Certificate
) -> tuple[Phrase, Phrase]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if there and abs(there - here) > OFF and begin <= there <= end and not begin <= here <= end:
        return _clock_is_off(way, here, there)
    if begin > here:
        return (
            Phrase(
                "the certificate of the Kubernetes API at {server} is not valid before {begin}, "
                "and this machine's clock says {here}",
                server=way.server,
                begin=_at(begin),
                here=_at(here),
            ),
            Phrase("see whether this machine's clock is right (`date -u`), or wait until then"),
        )
    if end < here:
        return (
            Phrase(
                "the certificate of the Kubernetes API at {server} expired {ago} ago, at {end}",
                server=way.server,
                ago=_spelled(here - end),
                end=_at(end),
            ),
            Phrase(
                "have it renewed: `kubeadm certs check-expiration` and `kubeadm certs renew all` "
                "on a control-plane node, or your provider's way"
            ),
        )
    return _of_authority(way, here)


def _of_authority(way: Way, here: datetime) -> tuple[Phrase, Phrase]:
    """Return the same where it is not the certificate itself, but who vouches for it."""
    ends = [each.not_valid_after_utc for each in _authorities(way)]
    at = min(ends, default=here)
    return (
        Phrase(
            "the authority that vouches for the Kubernetes API at {server} is not valid now: "
            "by the kubeconfig it ends at {end}",
            server=way.server,
            end=_at(at),
        ),
        Phrase(
            "have it renewed, and fetch the kubeconfig anew "
            "(`nova-cluster kubeconfig`, `kind export kubeconfig`)"
        ),
    )


def _authorities(way: Way) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(Path(way.ca_file or "").read_bytes())
    except (OSError, ValueError):
        return []


def _clock_is_off(way: Way, here: datetime, there: datetime) -> tuple[Phrase, Phrase]:
    return (
        Phrase(
            "this machine's clock is off by {off}: it says {here}, and that of the Kubernetes API "
            "at {server} says {there}",
            off=_spelled(abs(there - here)),
            here=_at(here),
            server=way.server,
            there=_at(there),
        ),
        Phrase(
            "set it (`sudo timedatectl set-ntp true`; under WSL2 `sudo hwclock -s`), "
            "or the API's, whichever is wrong"
        ),
    )


def _names_of(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    ]


def _shown_by(way: Way) -> _Server:
    parts = urlsplit(way.server)
    host, port = parts.hostname or "", parts.port or 443
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is only looked at, and told nothing
    certificate = None
    try:
        with (
            dial(host, port, way.proxy, timeouts.CONNECT) as plain,
            context.wrap_socket(plain, server_hostname=way.server_name or host) as opened,
        ):
            der = opened.getpeercert(binary_form=True)
            certificate = x509.load_der_x509_certificate(der) if der else None
            opened.sendall(
                f"GET /version HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            )
            return _Server(certificate, _date_of(_head(opened)))
    except (OSError, ValueError, WayError):
        return _Server(certificate, None)


def _head(opened: ssl.SSLSocket) -> bytes:
    deadline = time.monotonic() + timeouts.CONNECT
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST and time.monotonic() < deadline:
        if not (more := opened.recv(4096)):
            break
        head += more
    return head


def _date_of(head: bytes) -> datetime | None:
    found = re.search(rb"(?im)^date:[ \t]*(.+?)\r?$", head)
    return _moment(found[1].decode("latin-1")) if found else None


def _moment(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _spelled(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
