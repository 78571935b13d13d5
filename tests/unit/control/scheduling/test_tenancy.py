"""Quotas and who is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.tenancy import OPEN, Tenancy, Tenant, Usage
from quantum_fabric.errors import QuantityError, UnknownNameError


def test_unknown_tenants() -> None:
    policy = Tenancy.of([Tenant("gold"), Tenant("")])
    assert policy.knows("")
    assert not policy.knows("tin")
    with pytest.raises(
        UnknownNameError, match="found tenant 'tin', expected a tenant of the policy: '', 'gold'"
    ):
        Usage(policy).excess("tin", 1, 0.0)
    with pytest.raises(UnknownNameError, match="twice"):
        Tenancy.of([Tenant("a"), Tenant("a")])
    assert OPEN.tenant("tin").slots is None
    assert Usage().excess("tin", 10**6, 1e9) is None


def test_each_quota_names_itself() -> None:
    usage = Usage(Tenancy.of([Tenant("a", slots=4, rate=10.0, requests=2), Tenant("b")]))
    usage.opened("r1", "a", 3, 4.0, ends=700)
    assert usage.excess("a", 1, 6.0) is None
    slots, rate = usage.excess("a", 2, 0.0), usage.excess("a", 1, 6.5)
    assert slots is not None
    assert rate is not None
    assert str(slots) == "2 memory slots wanted, 3 of 4 held by a"
    assert (rate.quota, rate.available) == ("pairs per second", 700)
    usage.opened("r2", "a", 1, 0.0, ends=300)
    third = usage.excess("a", 0, 0.0)
    assert third is not None
    assert (third.resource, third.available) == ("quota of tenant a: open requests", 300)
    assert usage.excess("b", 100, 100.0) is None
    usage.closed("r1")
    usage.closed("r1")
    assert usage.held("a") == (1, 0.0, 1)


def test_when_nobody_can_say() -> None:
    usage = Usage(Tenancy.of([Tenant("a", slots=4)]))
    alone = usage.excess("a", 5, 0.0)
    assert alone is not None
    assert alone.available is None
    usage.opened("r1", "a", 4, 0.0, ends=None)
    waiting = usage.excess("a", 1, 0.0)
    assert waiting is not None
    assert waiting.available is None


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 99)), max_size=8), st.integers(1, 6))
def test_the_next_available_time_holds(requests: list[tuple[int, int]], wanted: int) -> None:
    """Once those that end by then have ended, the request is within the quota; a moment before, it is not."""
    policy = Tenancy.of([Tenant("a", slots=6)])
    usage = Usage(policy)
    admitted: dict[str, tuple[int, int]] = {}
    for k, (slots, ends) in enumerate(requests):
        if usage.excess("a", slots, 0.0) is None:
            usage.opened(str(k), "a", slots, 0.0, ends)
            admitted[str(k)] = (slots, ends)
    found = usage.excess("a", wanted, 0.0)
    if found is None:
        assert sum(slots for slots, _ in admitted.values()) + wanted <= 6
        return
    assert found.available is not None
    for name, (_, ends) in admitted.items():
        if ends < found.available:
            usage.closed(name)
    assert usage.excess("a", wanted, 0.0) is not None
    for name, (_, ends) in admitted.items():
        if ends <= found.available:
            usage.closed(name)
    assert usage.excess("a", wanted, 0.0) is None


@pytest.mark.parametrize("bad", [{"weight": 0.0}, {"slots": -1}, {"rate": float("nan")}, {"window": 0}])
def test_bad_limits(bad: dict[str, float]) -> None:
    with pytest.raises(QuantityError, match="tenant 'a'"):
        Tenant("a", **bad)  # type: ignore[arg-type]
