"""Services and Endpoints to records, section by section of the specification 1.1."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from nova_node.api import Object
from nova_node.dns.records import Records, Zones, records_of_cluster
from nova_node.dns.wire import name_of

ZONES = Zones("cluster.local")


def service(
    name: str, cluster_ip: str, *ports: Object, namespace: str = "ns", **spec: object
) -> Object:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": cluster_ip, "ports": list(ports), **spec},
    }


def endpoints(
    *addresses: Object, not_ready: tuple[Object, ...] = (), port: Object | None = None
) -> Object:
    ports = [port or {"name": "http", "port": 8080, "protocol": "TCP"}]
    subset = {"addresses": list(addresses), "notReadyAddresses": list(not_ready), "ports": ports}
    return {"subsets": [subset]}


def look(records: Records, name: str, type_: str) -> list[str]:
    """The data of `name`'s records of a type as a zone file has them."""
    number = dns.rdatatype.from_text(type_)
    found = records.by_name.get(name_of(name), {}).get(number, [])
    return [
        dns.rdata.from_wire(dns.rdataclass.IN, number, r.data, 0, len(r.data)).to_text()
        for r in found
    ]


def exists(records: Records, name: str) -> bool:
    return name_of(name) in records.names


def of(*services: Object, **endpoints_by_name: Object) -> Records:
    by_key = {f"ns/{name}": value for name, value in endpoints_by_name.items()}
    return records_of_cluster(ZONES, services, by_key)


HTTP = {"name": "http", "port": 80, "protocol": "TCP"}


def test_schema_version_is_published() -> None:
    """2.2: a TXT record names the version of the specification."""
    assert look(of(), "dns-version.cluster.local", "TXT") == ['"1.1.0"']


def test_cluster_ip_has_its_address_and_the_way_back() -> None:
    """2.3.1 and 2.3.3."""
    records = of(service("web", "10.96.0.7", HTTP))

    assert look(records, "web.ns.svc.cluster.local", "A") == ["10.96.0.7"]
    assert look(records, "7.0.96.10.in-addr.arpa", "PTR") == ["web.ns.svc.cluster.local."]


def test_cluster_ips_of_two_families_have_both_addresses() -> None:
    """2.3.1: AAAA where the address is of IPv6."""
    dual = service("web", "10.96.0.7", HTTP, clusterIPs=["10.96.0.7", "fd00::7"])
    records = of(dual)

    assert look(records, "web.ns.svc.cluster.local", "A") == ["10.96.0.7"]
    assert look(records, "web.ns.svc.cluster.local", "AAAA") == ["fd00::7"]
    reverse = "7." + "0." * 27 + "0.0.d.f.ip6.arpa"
    assert look(records, reverse, "PTR") == ["web.ns.svc.cluster.local."]


def test_cluster_ip_has_a_service_record_for_each_named_port() -> None:
    """2.3.2: unnamed ports have none."""
    udp = {"name": "dns", "port": 53, "protocol": "UDP"}
    records = of(service("web", "10.96.0.7", HTTP, udp, {"port": 99}))

    base = "web.ns.svc.cluster.local"
    assert look(records, f"_http._tcp.{base}", "SRV") == [f"0 10 80 {base}."]
    assert look(records, f"_dns._udp.{base}", "SRV") == [f"0 10 53 {base}."]
    assert {name for name in records.names if b"\x04_tcp" in name} == {
        name_of(f"_tcp.{base}"),
        name_of(f"_http._tcp.{base}"),
    }


def test_endpoints_of_a_cluster_ip_have_no_names_of_their_own() -> None:
    """The way back from a pod's address is a headless Service's to give."""
    records = of(
        service("web", "10.96.0.7", HTTP), web=endpoints({"ip": "10.244.1.2", "hostname": "web-0"})
    )

    assert not exists(records, "web-0.web.ns.svc.cluster.local")
    assert not exists(records, "2.1.244.10.in-addr.arpa")


def test_headless_service_has_the_addresses_of_its_ready_endpoints() -> None:
    """2.4.1: under the Service's name, and each under its own."""
    records = of(
        service("db", "None", HTTP),
        db=endpoints(
            {"ip": "10.244.1.2", "hostname": "db-0"},
            {"ip": "10.244.2.2", "hostname": "db-1"},
            not_ready=({"ip": "10.244.3.2", "hostname": "db-2"},),
        ),
    )

    assert look(records, "db.ns.svc.cluster.local", "A") == ["10.244.1.2", "10.244.2.2"]
    assert look(records, "db-0.db.ns.svc.cluster.local", "A") == ["10.244.1.2"]
    assert look(records, "db-1.db.ns.svc.cluster.local", "A") == ["10.244.2.2"]
    assert not exists(records, "db-2.db.ns.svc.cluster.local")


def test_headless_service_that_publishes_early_has_endpoints_before_they_are_ready() -> None:
    """publishNotReadyAddresses: how a quorum finds its members before it is one."""
    records = of(
        service("db", "None", HTTP, publishNotReadyAddresses=True),
        db=endpoints(not_ready=({"ip": "10.244.3.2", "hostname": "db-2"},)),
    )

    assert look(records, "db-2.db.ns.svc.cluster.local", "A") == ["10.244.3.2"]


@pytest.mark.parametrize("found", [endpoints(), {}, {"subsets": None}])
def test_headless_service_without_ready_endpoints_does_not_exist(found: Object) -> None:
    """2.4.1: the answer should be NXDOMAIN."""
    records = of(service("db", "None", HTTP), db=found)

    assert not exists(records, "db.ns.svc.cluster.local")


def test_endpoint_without_a_hostname_is_named_after_its_address() -> None:
    """2.4.1: a unique identifier of the system's choice."""
    records = of(service("db", "None"), db=endpoints({"ip": "10.244.1.2"}, {"ip": "fd00::1:2"}))

    assert look(records, "10-244-1-2.db.ns.svc.cluster.local", "A") == ["10.244.1.2"]
    assert look(records, "fd00--1-2.db.ns.svc.cluster.local", "AAAA") == ["fd00::1:2"]


def test_headless_service_records_name_each_endpoint_at_its_own_port() -> None:
    """2.4.2: the port is the endpoint's, which may differ from the Service's."""
    records = of(
        service("db", "None", HTTP), db=endpoints({"ip": "10.244.1.2", "hostname": "db-0"})
    )

    target = "db-0.db.ns.svc.cluster.local."
    assert look(records, "_http._tcp.db.ns.svc.cluster.local", "SRV") == [f"0 10 8080 {target}"]


def test_address_in_two_headless_services_leads_back_to_both() -> None:
    """2.4.3."""
    own = endpoints({"ip": "10.244.1.2", "hostname": "db-0"})
    records = of(service("db", "None"), service("dc", "None"), db=own, dc=own)

    assert sorted(look(records, "2.1.244.10.in-addr.arpa", "PTR")) == [
        "db-0.db.ns.svc.cluster.local.",
        "db-0.dc.ns.svc.cluster.local.",
    ]


def test_address_in_two_subsets_is_given_once() -> None:
    """The API splits endpoints by port, not by address."""
    one = endpoints({"ip": "10.244.1.2", "hostname": "db-0"})
    other = endpoints({"ip": "10.244.1.2", "hostname": "db-0"}, port={"name": "peer", "port": 2380})
    records = of(service("db", "None"), db={"subsets": one["subsets"] + other["subsets"]})

    assert look(records, "db.ns.svc.cluster.local", "A") == ["10.244.1.2"]
    assert len(look(records, "_peer._tcp.db.ns.svc.cluster.local", "SRV")) == 1


def test_external_name_is_an_alias() -> None:
    """2.5."""
    alias = service("mail", "", type="ExternalName", externalName="mx.example.org")

    assert look(of(alias), "mail.ns.svc.cluster.local", "CNAME") == ["mx.example.org."]


def test_names_between_owners_exist() -> None:
    """RFC 4592, 2.2.2: empty non-terminals."""
    records = of(service("web", "10.96.0.7", HTTP))

    for name in ("svc.cluster.local", "ns.svc.cluster.local", "96.10.in-addr.arpa"):
        assert exists(records, name)
    assert not exists(records, "other.svc.cluster.local")


def test_service_without_an_address_yet_does_not_exist() -> None:
    """Between its creation and its address there is nothing to say."""
    assert not exists(of(service("web", "", HTTP)), "web.ns.svc.cluster.local")


def test_service_that_cannot_be_named_takes_no_other_away(caplog: pytest.LogCaptureFixture) -> None:
    """A bad ExternalName is the affair of its Service alone."""
    bad = service("bad", "", type="ExternalName", externalName="x" * 64)
    records = of(bad, service("web", "10.96.0.7"))

    assert look(records, "web.ns.svc.cluster.local", "A") == ["10.96.0.7"]
    assert "ns/bad" in caplog.text


def test_zone_follows_the_cluster_domain() -> None:
    """The domain is kubeadm's dnsDomain."""
    records = records_of_cluster(Zones("nova.test"), [service("web", "10.96.0.7")], {})

    assert look(records, "web.ns.svc.nova.test", "A") == ["10.96.0.7"]
    assert look(records, "7.0.96.10.in-addr.arpa", "PTR") == ["web.ns.svc.nova.test."]
