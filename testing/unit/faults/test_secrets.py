from __future__ import annotations

import base64
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nova_acceptance.deploy.certificate import KeyPair
from testing.faults.fault import Certificate, Url, Value
from testing.faults.secrets import changed_url, reissued, rewritten

URL = "postgresql://app_user:p%40ss@db.here.svc:5432/nova"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def url_with(**parts: str | int) -> str:
    wanted = Url(namespace="here", secret="s", key="U", **parts)  # type: ignore[arg-type]
    changed = changed_url({"U": encoded(URL), "OTHER": "x"}, wanted)
    assert changed.keys() == {"U"}
    return base64.b64decode(changed["U"]).decode()


def test_only_the_part_that_is_named_changes() -> None:
    assert url_with() == URL
    assert url_with(host="old.here.svc") == URL.replace("db.", "old.")
    assert url_with(port=5433) == URL.replace("5432", "5433")
    assert url_with(path="/other") == URL.replace("/nova", "/other")
    assert url_with(password="s/p") == URL.replace("p%40ss", "s%2Fp")


def test_value_is_written_otherwise() -> None:
    def written(**more: object) -> str:
        wanted = Value(namespace="here", name="s", key="U", **more)  # type: ignore[arg-type]
        return rewritten({"U": encoded("pw"), "OTHER": "x"}, wanted)["U"]

    assert written(written="{value}\n") == encoded("pw\n")
    assert written(times=2) == encoded(encoded("pw"))
    plain = Value(kind="ConfigMap", namespace="here", name="c", key="U", written="'{value}'")
    assert rewritten({"U": "pw"}, plain) == {"U": "'pw'"}


def certificate_of(**changes: object) -> tuple[x509.Certificate, bool]:
    pair = KeyPair.issue(["front", "front.here"])
    held = {"tls.crt": encoded(pair.certificate), "tls.key": encoded(pair.key)}
    wanted = Certificate(namespace="here", secret="tls", **changes)  # type: ignore[arg-type]
    now = held | reissued(held, wanted)
    certificate = x509.load_pem_x509_certificate(base64.b64decode(now["tls.crt"]))
    key = load_pem_private_key(base64.b64decode(now["tls.key"]), None)
    return certificate, key.public_key() == certificate.public_key()


def test_expired_certificate_is_right_but_for_its_time() -> None:
    certificate, fits = certificate_of(from_days=-9, to_days=-2)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert fits
    assert certificate.not_valid_after_utc < datetime.now(UTC)
    assert names.get_values_for_type(x509.DNSName) == ["front", "front.here"]


def test_certificate_of_another_key_is_valid() -> None:
    certificate, fits = certificate_of(keeps_key=True)

    assert not fits
    assert certificate.not_valid_after_utc > datetime.now(UTC)


def test_certificate_of_another_name_has_only_that() -> None:
    certificate, fits = certificate_of(names=("elsewhere.example",))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert fits
    assert names.get_values_for_type(x509.DNSName) == ["elsewhere.example"]
