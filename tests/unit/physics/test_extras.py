"""Optional packages, and shares with their intervals."""

from __future__ import annotations

import sys

import pytest

from quantum_fabric.errors import InputError, QuantityError
from quantum_fabric.physics.extras import PACKAGES, extra, sampled


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package_says_how_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install 'quantum-fabric\[codes\]'"):
        extra(name)


def test_wilson_covers_about_as_often_as_it_says() -> None:
    """Exact coverage at p = 0.03 and 200 shots, summed over the binomial law."""
    from math import comb

    p, n = 0.03, 200
    inside = sum(
        comb(n, k) * p**k * (1 - p) ** (n - k)
        for k in range(n + 1)
        if sampled(k, n).low <= p <= sampled(k, n).high
    )
    assert 0.93 < inside < 0.98


@pytest.mark.parametrize(("hits", "shots"), [(1, 0), (3, 2), (-1, 5)])
def test_no_share_of_nothing(hits: int, shots: int) -> None:
    with pytest.raises(QuantityError):
        sampled(hits, shots)
