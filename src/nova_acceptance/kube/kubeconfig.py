"""What the kubeconfig says of one context: where the API is, whom it is to be, and who asks.

A field that cannot be used is named, with the user or the cluster that it is of.
Source: Kubernetes documentation, "kubeconfig (v1)".
"""

from __future__ import annotations

import atexit
import base64
import binascii
import contextlib
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import ConfigNode, KubeConfigMerger

from nova_acceptance import masking
from nova_acceptance.kube.credential_plugin import Plugin
from nova_acceptance.kube.credentials import Credentials, ends_of
from nova_acceptance.kube.failures import WayError
from nova_acceptance.kube.proxies import Proxy, proxy_of
from nova_acceptance.libraries import x509
from nova_acceptance.phrase import Phrase

_BEGIN: Final = b"-----BEGIN "
_END: Final = b"-----END "
_WITHOUT_KUBECTL: Final = ("gcp", "azure")
"""What kubectl itself knew until 1.26, and a credential plug-in does since."""

_TOLD: Final = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
)
"""What a credential plug-in may be told of the cluster."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one API, and who goes it.

    Attributes:
        file: the kubeconfig, as it was named.
        context: the context.
        cluster: the cluster's name in it.
        server: the API's URL.
        ca_file: the authorities that it is to be vouched for by; None for those of the machine.
        verifies: whether its certificate is looked at.
        server_name: the name that its certificate is to be for; None for the server's.
        certificate: the client's certificate, a file; None where there is none.
        key: its key, a file.
        proxy: what is on the way.
        credentials: who goes it.
    """

    file: str
    context: str
    cluster: str
    server: str
    ca_file: str | None
    verifies: bool
    server_name: str | None
    certificate: str | None
    key: str | None
    proxy: Proxy | None
    credentials: Credentials


def way_of(kubeconfig: Path | None, context: str | None) -> Way:
    """Return the way to the API of a context.

    Args:
        kubeconfig: the file to read; None takes `$KUBECONFIG`, else `~/.kube/config`.
        context: the context in it; None takes the current one.

    Raises:
        WayError: the kubeconfig cannot be used.
    """
    source = str(kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    try:
        return _read(source, context)
    except (ConfigException, OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise WayError(
            f"the kubeconfig {source} cannot be used"
            + (f" with the context {context}" if context else ""),
            hint="`kubectl config get-contexts` lists contexts; `nova-cluster up` makes a cluster",
            evidence=(f"{type(error).__name__}: {error}",),
        ) from error


def kept(data: bytes) -> str:
    """Return a file that holds these bytes until the process ends; nobody else reads it.

    It may be a key, so it is in memory where the system lets it: of a process that is killed it
    leaves nothing.
    """
    if there := _in_memory(data):
        return there
    descriptor, name = tempfile.mkstemp(prefix="nova-acceptance-")
    atexit.register(_removed, name)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return name


def _in_memory(data: bytes) -> str:
    """Return a file in memory; nothing where the system has none, or no /proc to open it by."""
    if not hasattr(os, "memfd_create"):  # as on macOS
        return ""
    try:
        descriptor = os.memfd_create("nova-acceptance")
    except OSError:
        return ""
    name = f"/proc/self/fd/{descriptor}"
    with contextlib.suppress(OSError):
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        if Path(name).read_bytes() == data:
            return name
    os.close(descriptor)
    return ""


def _removed(name: str) -> None:
    with contextlib.suppress(OSError):
        Path(name).unlink()


def _stamps(source: str) -> tuple[tuple[int, int, int], ...]:
    """Return what is another where one of the files has been written anew."""
    seen: list[tuple[int, int, int]] = []
    for name in source.split(os.pathsep):
        with contextlib.suppress(OSError):
            it = os.stat(os.path.expanduser(name))  # as the client's own reader does
            seen.append((it.st_ino, it.st_size, it.st_mtime_ns))
    return tuple(seen)


@lru_cache(maxsize=4)
def _merged(source: str, _as_of: tuple[tuple[int, int, int], ...]) -> Any:
    """Return what the files say together; a run wants it several times, and it takes 30 ms."""
    return KubeConfigMerger(source).config  # type: ignore[no-untyped-call]


def _read(source: str, context: str | None) -> Way:
    merged = _merged(source, _stamps(source))
    if merged is None:
        raise ConfigException("there is no such file")
    named = context or str(merged["current-context"])
    chosen = merged["contexts"].get_with_name(named)["context"]
    cluster_name = str(chosen["cluster"])
    user_name = str(chosen.safe_get("user") or "")
    cluster_node = merged["clusters"].get_with_name(cluster_name)
    user_node = None
    if user_name and merged.safe_get("users"):
        user_node = merged["users"].get_with_name(user_name, safe=True)
    cluster = _Part(f"the cluster {cluster_name}", cluster_node, "cluster")
    user = _Part(f"the user {user_name}", user_node, "user")
    server = str(cluster_node["cluster"]["server"]).rstrip("/")
    is_secure = server.startswith("https:")
    certificate, key = user.pair() if is_secure else (None, None)
    return Way(
        file=source,
        context=named,
        cluster=cluster_name,
        server=server,
        ca_file=cluster.authorities() if is_secure else None,
        verifies=not cluster.fields.get("insecure-skip-tls-verify"),
        server_name=str(cluster.fields.get("tls-server-name") or "") or None,
        certificate=certificate,
        key=key,
        proxy=proxy_of(
            server,
            str(cluster.fields.get("proxy-url") or ""),
            f"`proxy-url` of the cluster {cluster_name}",
        ),
        credentials=_credentials(user, user_name, named, cluster, certificate),
    )


class _Part:
    """A cluster or a user of the kubeconfig."""

    def __init__(self, whose: str, node: ConfigNode | None, field: str) -> None:
        found = node.value.get(field) if node is not None else None
        self.whose = whose
        self.fields: Mapping[str, Any] = found if isinstance(found, dict) else {}
        self.file = str(node.path) if node is not None else ""
        self.directory = Path(self.file).absolute().parent if self.file else Path()

    def authorities(self) -> str | None:
        """Return the file of `certificate-authority`, once it has been looked into."""
        field, file = self._file_of("certificate-authority")
        if file is None:
            return None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except (ssl.SSLError, OSError) as error:
            raise self.unusable(field, _why_not(file), error) from error
        return file

    def pair(self) -> tuple[str | None, str | None]:
        """Return the files of the client's certificate and its key, which belong together."""
        of_certificate, certificate = self._file_of("client-certificate")
        of_key, key = self._file_of("client-key")
        if certificate is None and key is None:
            return None, None
        if certificate is None or key is None:
            present, lacking = (
                (of_certificate, "client-key") if certificate else (of_key, "client-certificate")
            )
            why = Phrase("there is no `{field}` beside it", field=lacking)
            raise self.unusable(present, why)
        try:
            # a key that asks for a password would have the terminal asked
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(certificate, key, password="")
        except (ssl.SSLError, OSError) as error:
            if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
                why = Phrase("it does not belong to `{field}`", field=of_certificate)
                raise self.unusable(of_key, why, error) from error
            is_certificate = _certificate_of(certificate) is None
            field, file = (of_certificate, certificate) if is_certificate else (of_key, key)
            raise self.unusable(field, _why_not(file), error) from error
        return certificate, key

    def _file_of(self, name: str) -> tuple[str, str | None]:
        """Return the field that is set, and the file of its content."""
        if data := self.fields.get(f"{name}-data"):
            field = f"{name}-data"
            try:
                return field, kept(base64.b64decode("".join(str(data).split()), validate=True))
            except binascii.Error as error:
                is_short = "padding" in str(error).lower() or len(str(data)) % 4
                why = Phrase("it is cut short") if is_short else Phrase("it is no base64")
                raise self.unusable(field, why, error) from error
        if path := self.fields.get(name):
            file = self.directory / Path(str(path)).expanduser()
            if not file.is_file():
                raise self.unusable(name, Phrase("there is no file {file}", file=file))
            return name, str(file)
        return name, None

    def unusable(self, field: str, why: Phrase, cause: BaseException | None = None) -> WayError:
        return WayError(
            Phrase(
                "`{field}` of {whose} in the kubeconfig {file} cannot be used: {why}",
                field=field,
                whose=self.whose,
                file=self.file,
                why=why,
            ),
            hint=Phrase(
                "fetch the kubeconfig anew, and whole, from where it came from "
                "(`nova-cluster kubeconfig`, `kind export kubeconfig`, your provider's command)"
            ),
            evidence=[f"{type(cause).__name__}: {cause}"] if cause else [],
        )


def _credentials(
    user: _Part, name: str, context: str, cluster: _Part, certificate: str | None
) -> Credentials:
    fields = user.fields
    found = _certificate_of(certificate) if certificate else None
    ends = _end_of(found)
    if provider := fields.get("auth-provider"):
        return Credentials(name, token=_of_provider(name, context, provider), certificate_ends=ends)
    if token := str(fields.get("token") or ""):
        return Credentials(name, token=token, certificate_ends=ends)
    if path := fields.get("tokenFile"):
        file = user.directory / str(path)
        if not file.is_file():
            raise user.unusable("tokenFile", Phrase("there is no file {file}", file=file))
        return Credentials(name, token_file=file, certificate_ends=ends)
    if spec := fields.get("exec"):
        told = _told_of(cluster)
        plugin = Plugin(name, context, spec, user.directory, told)
        return Credentials(name, plugin=plugin, certificate_ends=ends)
    basic = ""
    if fields.get("username") and fields.get("password"):
        masking.register([str(fields["password"])])
        known = f"{fields['username']}:{fields['password']}".encode()
        basic = f"Basic {base64.b64encode(known).decode()}"
    return Credentials(name, basic=basic, certificate_ends=ends)


def _of_provider(name: str, context: str, provider: Mapping[str, Any]) -> str:
    """Return the token that an `auth-provider` of an old kubeconfig still holds."""
    kind = str(provider.get("name") or "")
    config = provider.get("config") or {}
    token = str(config.get("id-token" if kind == "oidc" else "access-token") or "")
    ends = ends_of(token) if kind == "oidc" else _moment(config.get("expiry"))
    is_good = token and (ends is None or ends > datetime.now(ends.tzinfo))
    if is_good and kind not in _WITHOUT_KUBECTL:
        return token
    what = Phrase(
        "the user {user} logs in by the auth-provider {kind}, which no program knows any more",
        user=name,
        kind=kind,
    )
    hint = Phrase(
        "have the kubeconfig written anew, with a credential plug-in: {command}",
        command={
            "gcp": "`gcloud container clusters get-credentials CLUSTER`",
            "azure": "`kubelogin convert-kubeconfig`",
        }.get(kind, "see your provider's documentation"),
    )
    if kind == "oidc":
        what = Phrase("the token of the user {user} (auth-provider oidc) has expired", user=name)
        if not token:
            what = Phrase("the user {user} (auth-provider oidc) has no token", user=name)
        hint = Phrase(
            "log in once by hand, which renews it: {command}",
            command=f"`kubectl get --raw /version --context {context}`",
        )
    raise WayError(what, hint=hint, evidence=[f"it ended at {ends:%F %T %Z}"] if ends else [])


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone()
    except ValueError:
        return None


def _told_of(cluster: _Part) -> dict[str, Any]:
    """Return what a plug-in is told of the cluster (`ExecCredential`, spec.cluster)."""
    told = {name: cluster.fields[name] for name in _TOLD if name in cluster.fields}
    for each in cluster.fields.get("extensions") or ():
        if each.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = each.get("extension")
    if "certificate-authority-data" not in told and (file := cluster.authorities()):
        told["certificate-authority-data"] = base64.b64encode(Path(file).read_bytes()).decode()
    return told


def _certificate_of(file: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(Path(file).read_bytes())
    except (ValueError, OSError):
        return None


def _end_of(certificate: x509.Certificate | None) -> datetime | None:
    return certificate.not_valid_after_utc if certificate else None


def _why_not(file: str) -> Phrase:
    """Return what is wrong with a file that should be PEM."""
    data = Path(file).read_bytes()
    if _BEGIN not in data:
        return Phrase("it is not in PEM")
    if data.count(_BEGIN) > data.count(_END):
        return Phrase("it is cut short")
    if b"ENCRYPTED" in data:
        return Phrase("it is a key with a password, which kubectl does not take either")
    return Phrase("it is damaged")
