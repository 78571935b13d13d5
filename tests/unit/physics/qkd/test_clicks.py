"""Blocks of sampled clicks: their books, their edges, and what they refuse.

The numbers themselves are in tests/oracles/test_sampled_clicks.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.qkd.attacks import (
    Blinding,
    InterceptResend,
    Jamming,
    TimeShift,
    TrojanHorse,
)
from quantum_fabric.physics.qkd.clicks import UNWATCHED, Watch, chances, sample
from quantum_fabric.physics.qkd.dps import PulseTrain
from quantum_fabric.physics.qkd.fates import PulseLink, fates, poisson
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.mdi import BellStation
from quantum_fabric.physics.qkd.pair_clicks import MeasuredPairs, choices, intercepted, sample_pairs
from quantum_fabric.physics.qkd.station_clicks import sample_bell, sample_sending
from quantum_fabric.physics.qkd.train_clicks import sample_train
from quantum_fabric.physics.qkd.twin_field import MiddleStation

LINK = PulseLink(0.3, 0.4, 1e-4, 0.02, 1e-9)
SETTING = Setting(0.7, (0.5, 0.15), (0.6, 0.4))


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_records_say_what_the_counts_say() -> None:
    seen = sample(LINK, SETTING, 400_000, rng())
    (bases, bits, which), (measured, outcomes) = seen.records(rng(2))
    assert bases.size == seen.counts.sum() == seen.by_intensity.sum()
    assert [int((which == k).sum()) for k in (0, 1)] == seen.by_intensity.tolist()
    both = (bases == 0) & (measured == 0) & (bits == 1) & (which == 0)
    table = seen.counts[0, 0, 1, 0]
    sure_wrong, sure_right, either = int(table[:2].sum()), int(table[2:4].sum()), int(table[4])
    assert int(both.sum()) == sure_wrong + sure_right + either
    assert sure_right <= int(outcomes[both].sum()) <= sure_right + either
    assert seen.doubles == seen.counts[..., 4].sum() > 0


def test_blocks_add_up() -> None:
    first, second = (
        sample(LINK, SETTING, 1000, rng(1), watch=Watch()),
        sample(LINK, SETTING, 500, rng(2), watch=Watch()),
    )
    whole = first.then(second)
    assert whole.pulses + whole.tests == 1500
    assert np.array_equal(whole.counts, first.counts + second.counts)
    assert whole.order.tolist() == [*first.order, *second.order]


def test_the_same_seed_gives_the_same_clicks_and_nothing_gives_nothing() -> None:
    one, same = (sample(LINK, SETTING, 10_000, rng(3)) for _ in range(2))
    assert np.array_equal(one.order, same.order)
    assert sample(LINK, SETTING, 0, rng()).order.size == 0
    dark = sample(LINK, SETTING, 10_000_000, rng(), cut=True)
    assert abs(dark.order.size - 2000) < 5.5 * 2000**0.5


def test_chances_are_chances() -> None:
    for attack in (None, InterceptResend(0.5), Blinding(0.5), TimeShift(), Jamming(fraction=0.3)):
        table = chances(LINK, SETTING, fates(LINK, 0.5, attack))
        assert np.all(table >= 0.0)
        assert 0.0 < table.sum() < 1.0
    assert poisson(0.0).tolist()[:2] == [1.0, 0.0]
    assert poisson(20.0).sum() == pytest.approx(1.0, abs=1e-10)


def test_what_is_built_in_counts() -> None:
    watch = Watch(self_test=0.01, back_light=0.01)
    quiet = sample(LINK, SETTING, 10**7, rng(), watch=watch)
    assert abs(quiet.tests - 10**5) < 5.5 * 10**2.5
    assert 0 <= quiet.returns < 20
    assert sample(LINK, SETTING, 10**7, rng(), TrojanHorse(0.01), watch).returns > 700
    assert sample(LINK, SETTING, 10**7, rng(), Blinding(), watch).test_clicks == 0
    assert sample(LINK, SETTING, 10**7, rng(), TrojanHorse(0.01), UNWATCHED).returns == 0


def test_bad_input() -> None:
    with pytest.raises(QuantityError, match="pulses"):
        sample(LINK, SETTING, -1, rng())
    with pytest.raises(QuantityError, match="fewer than"):
        sample(LINK, SETTING, 10**12, rng())
    with pytest.raises(QuantityError, match="channel"):
        PulseLink(1.2, 0.5, 0.0, 0.0, 1e-9)
    with pytest.raises(QuantityError, match="self_test"):
        Watch(self_test=1.0)
    for bad in (
        lambda: InterceptResend(0.0),
        lambda: TimeShift(mismatch=1.0),
        lambda: TrojanHorse(0.0),
        lambda: Jamming("air"),
    ):
        with pytest.raises(QuantityError):
            bad()
    with pytest.raises(QuantityError, match="pairs"):
        sample_pairs((1.0, 0.0, 0.0, 0.0), -1, rng())
    with pytest.raises(QuantityError, match="protocol"):
        choices("b92", 0.5)
    with pytest.raises(QuantityError, match="key_basis"):
        choices("bbm92", 1.0)
    with pytest.raises(QuantityError, match="windows"):
        sample_bell(BellStation(1e-6, 0.01), 0.1, 0.1, 0.5, -1, rng())
    with pytest.raises(QuantityError, match="seconds"):
        sample_train(PulseTrain(1e9, 0.2, 0.1), 0.1, 0.0, rng())
    empty = sample_sending(MiddleStation(1e-9, 0.01), 0.1, 0.4, 0.1, 0, rng())
    assert (empty.rate, empty.error) == (0.0, 0.5)


def test_pairs_are_sifted_by_basis_and_read_by_somebody_else_only_where_bases_differ() -> None:
    clean = sample_pairs((1.0, 0.0, 0.0, 0.0), 5000, rng(), "six_state", 0.5)
    (a, x), (b, y) = clean.sifted()
    assert set(a.tolist()) | set(b.tolist()) == {0, 1}
    assert np.array_equal(x[a == b], y[a == b])
    hit = intercepted(clean, InterceptResend(1.0), rng(4))
    rates = {name: wrong / n for name, (wrong, n) in hit.error_rates().items()}
    assert rates["Z"] == pytest.approx(0.25, abs=0.07)
    assert rates["Y"] == pytest.approx(0.5, abs=0.15)
    assert MeasuredPairs.none().then(clean).bits.shape == clean.bits.shape
    assert MeasuredPairs.none().chsh() == (0.0, (0, 0, 0, 0))
