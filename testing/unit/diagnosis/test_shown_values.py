"""What a finding shows of the values that it is about."""

from __future__ import annotations

import pytest

from testing.unit.diagnosis.rendered import Nova


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("https://user-service:8080/?token=hidden", "says https://user-service:8080,"),
        ("ftp://user-service:8080/hidden", "says ftp://user-service:8080,"),
        ("not an address, but hidden", "does not say http://user-service."),
    ],
)
def test_wrong_address_is_shown_without_its_path_and_query(value: str, said: str) -> None:
    nova = Nova()
    (holder,) = (
        obj
        for where, obj in nova.objects.items()
        if (where.kind, where.namespace) == ("ConfigMap", "nova-services")
        and "USER_SERVICE_URL" in obj.get("data", {})
    )
    holder["data"]["USER_SERVICE_URL"] = value

    found = [each for each in nova.diagnoses() if each.cause == "ADDRESS_WRONG"]
    assert [said in each.summary for each in found] == [True]
    assert "hidden" not in str(found)
