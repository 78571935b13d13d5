"""Value-aware admission against exhaustion."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_fabric.control.scheduling.selection import Offer, by_value, in_order
from quantum_fabric.errors import QuantityError

CAPACITY = {"x": 1.0, "y": 0.5}
offer_sets = st.lists(
    st.builds(
        Offer,
        name=st.text("abc", min_size=3, max_size=6),
        value=st.floats(0.0, 5.0),
        load=st.dictionaries(st.sampled_from("xy"), st.floats(0.0, 1.2)),
    ),
    max_size=7,
    unique_by=lambda offer: offer.name,
)


def worth(offers: tuple[Offer, ...]) -> float:
    return sum(offer.value for offer in offers)


def fits(offers: tuple[Offer, ...]) -> bool:
    return all(sum(o.load.get(name, 0.0) for o in offers) <= room + 1e-9 for name, room in CAPACITY.items())


def best(offers: list[Offer]) -> float:
    return max(worth(c) for n in range(len(offers) + 1) for c in combinations(offers, n) if fits(c))


@settings(deadline=None)
@given(offer_sets)
def test_it_fits_and_is_never_worse_than_in_order(offers: list[Offer]) -> None:
    found = by_value(offers, CAPACITY)
    assert fits(found)
    assert worth(found) >= worth(in_order(offers, CAPACITY)) - 1e-9
    assert worth(found) <= best(offers) + 1e-9


def test_near_the_optimum_on_random_instances() -> None:
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(60):
        offers = [
            Offer(
                str(k),
                float(rng.uniform(0.1, 1.0)),
                {"x": float(rng.uniform(0.05, 0.6)), "y": float(rng.uniform(0.02, 0.3))},
            )
            for k in range(10)
        ]
        shares.append(worth(by_value(offers, CAPACITY)) / best(offers))
    assert min(shares) >= 0.9
    assert np.mean(shares) >= 0.99


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="0 or more"):
        by_value([Offer("a", -1.0, {"x": 1.0})], CAPACITY)
