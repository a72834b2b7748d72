"""ConfigMaps and Secrets with their keys; a Secret's value is never shown."""

from __future__ import annotations

import time

import pytest

from nova_acceptance import timeouts
from nova_acceptance.collect.started import compare
from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes import outdated as container_checks
from nova_acceptance.components.kubernetes.backends import pods_selected
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.urls import values as value_checks
from nova_acceptance.components.urls.outdated import wrong_holders
from nova_acceptance.errors import UnaskedError
from nova_acceptance.findings import ref
from nova_acceptance.kube import Kube, forbidden
from nova_acceptance.system import Configuration, System, Workload
from nova_acceptance.vantage.transcript import Transcript

pytestmark = pytest.mark.configuration


def test_configuration_has_exactly_its_keys(objects: Seen, configuration: Configuration) -> None:
    """The ConfigMap or Secret has the keys of nova.yaml and no others."""
    assert checks.configuration.wrong_keys(objects, configuration) == []


def test_configuration_has_no_empty_value(objects: Seen, configuration: Configuration) -> None:
    """Behind every key there is something."""
    assert checks.configuration.unfit_values(objects, configuration) == []


def test_configuration_tells_where_the_service_is(
    objects: Seen, addressed: tuple[Configuration, str], system: System
) -> None:
    """The key holds the service's address, by its full name and port."""
    assert checks.configuration.wrong_address(objects, system, *addressed) == []


def test_configuration_is_written_as_it_is_meant(
    objects: Seen, configuration: Configuration
) -> None:
    """No value has blanks or quotes around it, is a placeholder, or is of another environment."""
    assert value_checks.written_otherwise(objects.bare(), configuration.ref) == []


def test_container_is_given_its_configuration_once(objects: Seen, workload: Workload) -> None:
    """No variable is overridden by another source, and what is mounted is what is read."""
    assert container_checks.given_otherwise(objects.bare(), workload.ref) == []


def test_container_has_what_its_configuration_says(
    objects: Seen, workload: Workload, system: System, kube: Kube, transcript: Transcript
) -> None:
    """Each container was started with what its Secrets and ConfigMaps say now."""
    pods = objects.pods_of(workload)
    seen = objects.bare()
    asked = "compare by digests what containers have with what it comes from"
    with transcript.asking(asked, source=str(workload.ref), target="the containers") as asking:
        is_known = all(ref(pod) in seen.compared for pod in pods)
        # those of all workloads side by side, where no look and no test has asked yet
        others = () if is_known else system.every_workload
        every = [*pods, *(pod for each in others for pod in pods_selected(seen, each))]
        unasked = compare(kube, seen, every, time.monotonic() + timeouts.READING)
        differing = [it.name for pod in pods for it in seen.outdated.get(ref(pod), ())]
        asking.answered(", ".join(differing) or "nothing differs")

    assert checks.started.outdated_containers(seen, pods, wrong_holders(seen)) == []
    for pod in pods:
        if (error := unasked.get(ref(pod))) is None:
            continue
        if forbidden(error):
            raise error
        raise UnaskedError(
            f"what {ref(pod)} was started with is not known: {getattr(error, 'message', error)}",
            hint=getattr(error, "hint", ""),
            evidence=getattr(error, "evidence", ()),
        )
