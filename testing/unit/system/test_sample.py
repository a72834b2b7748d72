"""Of connections that are as many as the square of the components, a sample is tried."""

from __future__ import annotations

from collections import Counter

import pytest

from nova_acceptance.system import System
from nova_acceptance.system.parts import closed_passages, passages
from nova_acceptance.system.sample import EACH, WHOLE, sampled
from testing.unit.system.specs import spec


def shop(count: int, reachability: str) -> System:
    services = "".join(
        f"  - {{kind: http, name: web-{number}, namespace: shop, port: 80, uses: [cache]}}\n"
        for number in range(count)
    )
    return spec(f"""
components:
  - kind: redis
    name: cache
    namespace: data
    services: [{{name: cache, ports: {{redis: 6379}}}}]
{services}
reachability: {reachability}
""")


def pairs(system: System) -> list[tuple[str, str]]:
    return [
        (it.source.name, it.door.front.name) for it in (*passages(system), *closed_passages(system))
    ]


def test_few_connections_are_all_tried() -> None:
    system = shop(19, "{open: [{from: shop, to: '*'}], closed: [{from: cache, to: shop}]}")

    found = sampled(system, 1)

    assert found.system is system
    assert found.named == found.tried == 19 * 19 + 19


@pytest.mark.parametrize("count", [40, 100])
def test_of_many_a_sample_is_tried_that_grows_with_the_components(count: int) -> None:
    system = shop(count, "{open: [{from: shop, to: '*'}]}")

    found = sampled(system, 1)

    assert found.named == count * count > WHOLE
    assert found.tried <= EACH * (count + 2)
    tried = set(pairs(found.system))
    used = {(f"web-{number}", "cache") for number in range(count)}
    assert used < tried < set(pairs(system))
    by = Counter(source for source, target in tried - used)
    of = Counter(target for source, target in tried - used)
    assert len(by) == len(of) == count
    assert min(by.values()) >= EACH - 1
    assert min(of.values()) >= EACH // 2  # about as many: a source does not try itself


def test_what_is_to_be_closed_is_sampled_apart() -> None:
    system = shop(30, "{open: [{from: shop, to: cache}], closed: [{from: shop, to: shop}]}")

    found = sampled(system, 1)

    assert found.named == 30 + 30 * 29
    assert len(passages(found.system)) == 30
    assert 30 * (EACH - 1) <= len(closed_passages(found.system)) <= 30 * EACH


@pytest.mark.parametrize(("to", "count"), [("shop", 500), ("web-3", 1)])
def test_one_that_reaches_all_tries_all(to: str, count: int) -> None:
    system = shop(500, f"{{open: [{{from: cache, to: {to}}}]}}")

    assert sampled(system, 1).tried == count


def test_seed_draws_the_same_again() -> None:
    system = shop(40, "{open: [{from: shop, to: '*'}]}")

    assert pairs(sampled(system, 7).system) == pairs(sampled(system, 7).system)
    assert pairs(sampled(system, 7).system) != pairs(sampled(system, 8).system)
