"""Nothing is allowed by default; the bucket never gives more than its burst and its rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import keydesk
from quantum_fabric.errors import InputError
from quantum_fabric.keys import Limits, Mode, Origin, Policy, Pool, Quota, Usage
from quantum_fabric.keys.policy import draw


def test_the_default_is_no() -> None:
    policy = Policy("kme-a", {}, {})
    assert policy.mode is Mode.PRODUCTION
    assert not policy.allows("alice", "bob")
    assert [policy.accepts(origin) for origin in Origin] == [True, False, False]


def test_pools() -> None:
    policy = keydesk.policy()
    assert policy.pool(("anna",)) == Pool("kme-a", "kme-a")
    assert policy.pool(("anna", "carol", "bob")) == Pool("kme-a", "kme-c")
    assert policy.abroad(("bob", "anna", "carol", "bob")) == ("kme-b", "kme-c")
    near = keydesk.policy(neighbours=frozenset({"kme-c"}))
    assert near.pool(("carol",)) == Pool("kme-a", "kme-a")
    assert near.pool(("carol", "bob")) == Pool("kme-a", "kme-b")


def test_shutting_out() -> None:
    policy = keydesk.policy().without("bob")
    assert "bob" not in policy.homes
    assert not policy.allows("alice", "bob")
    assert policy.allows("alice", "anna")


@pytest.mark.parametrize(
    "pairs", [{("alice", "alice"): Quota()}, {("alice", "eve"): Quota()}, {("eve", "alice"): Quota()}]
)
def test_pairs_that_make_no_sense(pairs: dict[tuple[str, str], Quota]) -> None:
    with pytest.raises(InputError):
        keydesk.policy(pairs=pairs)


@pytest.mark.parametrize(
    "wrong",
    [{"default_size": 100}, {"smallest": 0}, {"smallest": 512}, {"largest": 128}, {"per_request": 0}, {"lifetime": 0}, {"slaves": -1}],
)  # fmt: skip
def test_limits_that_make_no_sense(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        Limits(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"waiting": 0}, {"burst": 0}, {"rate": 0.0}, {"rate": float("inf")}, {"rate": float("nan")}]
)
def test_quotas_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Quota(**wrong)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(-2000, 5000), st.integers(1, 30)), max_size=40))
def test_no_more_than_burst_and_rate_whatever_the_clock_does(asks: list[tuple[int, int]]) -> None:
    quota, usage, now, latest, given_ = Quota(burst=20, rate=4.0), None, 0, 0, 0
    for step, keys in asks:
        now += step
        found: Usage | None = draw(quota, usage, keys, now)
        if usage is None:
            latest = now
            start = now
        if found is not None:
            usage, given_ = found, given_ + keys
            latest = max(latest, now)
            assert given_ <= 20 + 4.0 * (latest - start) / 1000 + 1e-6
            assert 0.0 <= usage.tokens <= 20.0
