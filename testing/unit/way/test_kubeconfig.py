"""Data of the kubeconfig that cannot be used are named by field, and by user or cluster."""

from __future__ import annotations

import pytest

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube
from testing.unit.way.conftest import Kubeconfig, encoded
from testing.unit.way.pki import Authority

API = "https://127.0.0.1:1"


def refused(kubeconfig: Kubeconfig, **parts: dict[str, object]) -> ClusterError:
    path = kubeconfig(API, **parts)
    with pytest.raises(ClusterError) as caught:
        Kube(path)
    error = caught.value
    assert f" in the kubeconfig {path} cannot be used: " in error.message
    assert "fetch the kubeconfig anew" in error.hint
    return error


def half(text: str) -> str:
    return text[: len(text) // 2 // 4 * 4]


@pytest.mark.parametrize(
    ("cut", "why"),
    [
        (lambda text: text[:-2], "it is cut short"),
        (half, "it is cut short"),
        (lambda text: f"{text[:40]}!{text[41:]}", "it is no base64"),
        (lambda _: encoded(b"no certificate"), "it is not in PEM"),
        (
            lambda _: encoded(
                b"-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"
            ),
            "it is damaged",
        ),
    ],
)
def test_authority_that_is_damaged_is_named(
    kubeconfig: Kubeconfig, authority: Authority, cut: object, why: str
) -> None:
    assert callable(cut)
    data = cut(encoded(authority.certificate))

    error = refused(kubeconfig, cluster={"certificate-authority-data": data})

    assert error.message.startswith("`certificate-authority-data` of the cluster shop in ")
    assert error.message.endswith(why)


@pytest.mark.parametrize("field", ["client-certificate-data", "client-key-data"])
@pytest.mark.parametrize("length", ["odd", "half"])
def test_clients_certificate_or_key_that_is_cut_short_is_named(
    kubeconfig: Kubeconfig, authority: Authority, field: str, length: str
) -> None:
    mine = authority.issue("tester")
    user = {
        "client-certificate-data": encoded(mine.certificate),
        "client-key-data": encoded(mine.key),
    }
    user[field] = half(user[field]) if length == "half" else user[field][:-1]

    error = refused(kubeconfig, user=dict(user))

    assert error.message.startswith(f"`{field}` of the user tester in ")
    assert error.message.endswith("it is cut short")


def test_key_of_another_certificate_is_named(kubeconfig: Kubeconfig, authority: Authority) -> None:
    user: dict[str, object] = {
        "client-certificate-data": encoded(authority.issue("tester").certificate),
        "client-key-data": encoded(authority.issue("tester").key),
    }

    error = refused(kubeconfig, user=user)

    assert error.message.startswith("`client-key-data` of the user tester in ")
    assert error.message.endswith("it does not belong to `client-certificate-data`")


def test_certificate_without_its_key_is_named(kubeconfig: Kubeconfig, authority: Authority) -> None:
    data = encoded(authority.issue("tester").certificate)

    error = refused(kubeconfig, user={"client-certificate-data": data})

    assert error.message.startswith("`client-certificate-data` of the user tester in ")
    assert error.message.endswith("there is no `client-key` beside it")


@pytest.mark.parametrize(
    ("part", "field", "whose"),
    [
        ("cluster", "certificate-authority", "the cluster shop"),
        ("user", "client-certificate", "the user tester"),
        ("user", "tokenFile", "the user tester"),
    ],
)
def test_file_that_is_not_there_is_named(
    kubeconfig: Kubeconfig, part: str, field: str, whose: str
) -> None:
    fields: dict[str, object] = {field: "gone.pem"}
    if part == "cluster":
        fields["certificate-authority-data"] = ""

    error = refused(kubeconfig, **{part: fields})

    assert error.message.startswith(f"`{field}` of {whose} in ")
    assert "there is no file " in error.message
    assert error.message.endswith("gone.pem")


def test_nothing_of_a_key_is_shown(kubeconfig: Kubeconfig, authority: Authority) -> None:
    mine = authority.issue("tester")
    key = half(encoded(mine.key))
    user: dict[str, object] = {
        "client-certificate-data": encoded(mine.certificate),
        "client-key-data": key,
    }

    assert key[60:90] not in str(refused(kubeconfig, user=user))
