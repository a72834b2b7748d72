"""What a pod of every namespace makes of the system's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from nova_acceptance.components.dns.questions import expected_records
from nova_acceptance.components.dns.records import Records
from nova_acceptance.components.kubernetes.checks.services import is_headless
from nova_acceptance.components.kubernetes.seen import Seen, addresses_of
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.findings import ref
from nova_acceptance.kube import PodRef
from nova_acceptance.system import Front, System, Workload
from nova_acceptance.vantage.survey import Survey


@dataclass(frozen=True, eq=False)
class Lookups:
    """The answers to names, beside what the API says that they should be.

    Attributes:
        survey: every name, asked from every namespace.
        points: a pod of every namespace in which the system has a component.
        objects: what the API says.
        system: what nova.yaml says.
    """

    survey: Survey
    points: VantagePoints
    objects: Seen
    system: System

    @property
    def pods(self) -> Mapping[str, PodRef]:
        """The pods that asked, by their namespaces.

        Raises:
            FindingError: a namespace has no pod to ask from.
        """
        return self.points.all()

    def addresses(self, front: Front) -> frozenset[str]:
        """Return what the API says that a Service's name stands for."""
        return addresses_of(self.objects, front)

    def records(self, front: Front, *types: str) -> list[Records]:
        """Return the records of some types that the API implies for a Service."""
        expected = expected_records(self.objects, front, self.system)
        return [each for each in expected if each.rdtype in types]

    def headless_before(self, pointer: str) -> frozenset[str]:
        """Return the full names of the headless Services that lead to an address.

        Args:
            pointer: the name of the address for a reverse lookup.
        """
        return frozenset(
            f"{where.name}.{where.namespace}.svc.{self.system.zone}"
            for service in self.objects.of_kind("Service")
            if is_headless(service)
            for where in (ref(service),)
            for endpoint in self.objects.endpoints(where.name, where.namespace)
            if ip_address(endpoint.address).reverse_pointer == pointer
        )

    def pod_addresses(self, workload: Workload) -> dict[str, frozenset[str]]:
        """Return the addresses of a workload's pods by their names, of those that have one.

        Of a pod with two families a name may lead to either, as its Service has them.
        """
        pods = self.objects.pods_of(workload)
        found = {
            pod["metadata"]["name"]: frozenset(
                filter(
                    None,
                    (
                        pod["status"].get("podIP"),
                        *(each.get("ip") for each in pod["status"].get("podIPs") or ()),
                    ),
                )
            )
            for pod in pods
        }
        return {name: addresses for name, addresses in found.items() if addresses}
