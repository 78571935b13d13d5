"""Erlang's formula against its sum, and a table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.blocking import erlang_b, servers_for
from quantum_fabric.errors import QuantityError

TABLE = [
    (1, 0.5, 0.33333), (2, 1, 0.2), (4, 2, 0.09524), (4, 4, 0.31068), (8, 6, 0.12188), (10, 5, 0.01838), (16, 12, 0.06041),
]  # fmt: skip


@pytest.mark.parametrize(("servers", "load", "blocking"), TABLE)
def test_table(servers: int, load: float, blocking: float) -> None:
    assert erlang_b(servers, load) == pytest.approx(blocking, abs=6e-6)


@given(st.integers(0, 40), st.floats(0.0, 60.0))
def test_against_the_sum(servers: int, load: float) -> None:
    terms = [load**k / math.factorial(k) for k in range(servers + 1)]
    assert erlang_b(servers, load) == pytest.approx(terms[-1] / sum(terms), rel=1e-9, abs=1e-300)


@given(st.floats(0.0, 30.0), st.floats(0.001, 1.0))
def test_just_enough_servers(load: float, blocking: float) -> None:
    count = servers_for(load, blocking)
    assert erlang_b(count, load) <= blocking
    assert count == 0 or erlang_b(count - 1, load) > blocking


def test_bad_input() -> None:
    with pytest.raises(QuantityError):
        erlang_b(-1, 1.0)
    with pytest.raises(QuantityError):
        servers_for(1.0, 0.0)
