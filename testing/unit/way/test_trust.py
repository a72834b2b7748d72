"""The API's certificate does not pass, or a clock is off: each is told apart."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta

import pytest

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube
from testing.unit.way.conftest import Kubeconfig, SecureApi, encoded
from testing.unit.way.pki import DAY, Authority

AT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def asked(kube: Kube) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        _ = kube.server_version
    return caught.value


def test_certificate_that_passes_is_trusted(secure_api: SecureApi, kubeconfig: Kubeconfig) -> None:
    with secure_api() as api:
        assert Kube(kubeconfig(api)).server_version == "v1.30.0"


def test_certificate_is_not_looked_at_where_the_kubeconfig_says_so(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    cluster = {"insecure-skip-tls-verify": True, "certificate-authority-data": ""}
    with secure_api(pair=Authority().issue("elsewhere")) as api, warnings.catch_warnings():
        warnings.simplefilter("error")
        kube = Kube(kubeconfig(api, cluster=cluster))
        assert kube.server_version == "v1.30.0"
    assert not kube.verifies


def test_expired_certificate_is_told_with_its_end(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority
) -> None:
    pair = authority.issue("127.0.0.1", begin=-30 * DAY, end=-3 * DAY - timedelta(hours=1))
    with secure_api(pair=pair) as api:
        error = asked(Kube(kubeconfig(api)))

    assert re.search(rf"at https://127\.0\.0\.1:\d+ expired 3 d ago, at {AT}$", error.message)
    assert "kubeadm certs renew all" in error.hint
    assert all("authorization" not in request.headers for request in api.requests)


def test_certificate_that_is_not_valid_yet_is_told_with_its_beginning(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority
) -> None:
    with secure_api(pair=authority.issue("127.0.0.1", begin=DAY, end=9 * DAY)) as api:
        error = asked(Kube(kubeconfig(api)))

    assert re.search(rf"not valid before {AT}, and this machine's clock says {AT}$", error.message)
    assert "date -u" in error.hint


@pytest.mark.parametrize("behind", [True, False])
def test_clock_that_is_off_is_told_instead(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority, *, behind: bool
) -> None:
    begin, end = (9 * DAY, 12 * DAY) if behind else (-12 * DAY, -9 * DAY)
    with secure_api(pair=authority.issue("127.0.0.1", begin=begin, end=end)) as api:
        api.clock = (10 * DAY if behind else -10 * DAY).total_seconds()
        error = asked(Kube(kubeconfig(api)))

    assert re.match(r"this machine's clock is off by (10|9) d: it says ", error.message)
    assert re.search(
        rf"it says {AT}, and that of the Kubernetes API at \S+ says {AT}$", error.message
    )
    assert "timedatectl" in error.hint
    assert any("its certificate is valid from" in line for line in error.evidence)


@pytest.mark.parametrize("names", [("api.shop.example", "10.0.0.1"), ()])
def test_certificate_for_another_name_is_told_with_its_names(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority, names: tuple[str, ...]
) -> None:
    with secure_api(pair=authority.issue(*names)) as api:
        error = asked(Kube(kubeconfig(api)))

    told = ", ".join(names) or "nobody"
    assert error.message.endswith(f"is not for 127.0.0.1: it is for {told}")
    assert f"set-cluster shop --tls-server-name={names[0] if names else 'NAME'}" in error.hint


def test_other_name_passes_once_the_kubeconfig_names_it(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority
) -> None:
    cluster = {"tls-server-name": "api.shop.example"}
    with secure_api(pair=authority.issue("api.shop.example")) as api:
        assert Kube(kubeconfig(api, cluster=cluster)).server_version == "v1.30.0"


def test_unknown_authority_is_told_with_its_name(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    with secure_api(pair=Authority("the inspecting one").issue("127.0.0.1")) as api:
        error = asked(Kube(kubeconfig(api)))

    assert "is not the one that the kubeconfig describes" in error.message
    assert any("issued by CN=the inspecting one" in line for line in error.evidence)
    assert "fetch its kubeconfig" in error.hint


def test_authority_of_the_kubeconfig_may_be_a_file_beside_it(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority
) -> None:
    cluster = {"certificate-authority-data": "", "certificate-authority": "ca.crt"}
    with secure_api() as api:
        path = kubeconfig(api, cluster=cluster)
        (path.parent / "ca.crt").write_bytes(authority.certificate)
        assert Kube(path).server_version == "v1.30.0"


def test_clients_certificate_is_shown(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority
) -> None:
    mine = authority.issue("tester")
    user = {
        "client-certificate-data": encoded(mine.certificate),
        "client-key-data": encoded(mine.key),
    }
    with secure_api(clients=authority.certificate) as api:
        assert Kube(kubeconfig(api, user=user)).server_version == "v1.30.0"
