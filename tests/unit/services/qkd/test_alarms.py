"""With each attack its alarm, without it none. Honest blocks raise an alarm with a chance below 1e-9 each (`ALARM_CHANCE`)."""

from __future__ import annotations

import numpy as np
import pytest

from quantum_fabric.errors import QuantityError
from quantum_fabric.physics.qkd.attacks import (
    ATTACKS,
    Attack,
    Blinding,
    CompromisedNode,
    InterceptResend,
    Jamming,
    ManInTheMiddle,
    NumberSplitting,
    Replay,
    TimeShift,
    TrojanHorse,
    name_of,
)
from quantum_fabric.physics.qkd.clicks import UNWATCHED, Watch, sample
from quantum_fabric.physics.qkd.fates import PulseLink
from quantum_fabric.physics.qkd.finite_rate import Setting
from quantum_fabric.physics.qkd.pair_clicks import sample_pairs
from quantum_fabric.services.qkd.alarms import Alarm, Expectation, PairExpectation, Tolerance, tail
from quantum_fabric.services.qkd.signatures import ASSUMPTIONS, SIGNATURES, stance

LINK = PulseLink(channel=0.1, receiver=0.2, dark=1e-6, misalignment=0.01, period=1e-9)
SETTING = Setting(0.7, (0.5, 0.15, 2e-4), (0.6, 0.28, 0.12))
PULSES = 20_000_000
GOOD = (0.97, 0.01, 0.01, 0.01)


def names(attack: Attack | None, watch: Watch, link: PulseLink = LINK, seed: int = 1) -> set[str]:
    seen = sample(link, SETTING, PULSES, np.random.default_rng(seed), attack, watch)
    return {alarm.name for alarm in Expectation(LINK, SETTING, watch).alarms(seen)}


@pytest.mark.parametrize(
    "attack",
    [InterceptResend(), InterceptResend(0.3), NumberSplitting(), Blinding(), TimeShift(), TimeShift(0.5, 0.1), TrojanHorse(),
     Jamming(fraction=0.8)],
)  # fmt: skip
def test_each_attack_on_pulses_raises_the_alarms_that_are_foretold(attack: Attack) -> None:
    foretold = stance(attack, watch=Watch(), decoys=True)
    assert foretold.detectable
    assert set(foretold.alarms) <= names(attack, Watch())


def test_honest_blocks_raise_none() -> None:
    for seed in range(30):
        assert names(None, Watch(), seed=seed) == set()
        assert names(None, UNWATCHED, seed=seed) == set()


@pytest.mark.parametrize("loss", [0.6, 0.8, 1.3])
def test_a_change_of_the_weather_raises_none(loss: float) -> None:
    """Loss drifts by up to 2 dB, the error rate by 2 points: not an attack."""
    drifted = PulseLink(LINK.channel * loss, LINK.receiver, LINK.dark, LINK.misalignment + 0.02, LINK.period)
    for seed in range(5):
        assert names(None, Watch(), drifted, seed) == set()


def test_what_is_not_built_in_is_not_seen_and_the_program_says_so() -> None:
    for attack in (TrojanHorse(), TimeShift(), Blinding(0.5)):
        found = stance(attack, watch=UNWATCHED, decoys=True)
        assert not found.detectable
        assert found.why
        assert names(attack, UNWATCHED) == set()
    assert not stance(NumberSplitting(), watch=Watch(), decoys=False).detectable
    assert not stance(NumberSplitting(), watch=Watch(), decoys=True, pulses=False).detectable
    assert not stance(CompromisedNode(), watch=Watch(), decoys=True).detectable
    assert stance(ManInTheMiddle(), watch=UNWATCHED, decoys=True).alarms == ("authentication", "verification")
    assert stance(Replay(), watch=UNWATCHED, decoys=True).alarms == ("authentication",)
    assert stance(Jamming("classical"), watch=UNWATCHED, decoys=True).alarms == ("silence",)


def test_a_little_interception_raises_none_and_is_said_to_cost_key() -> None:
    attack = InterceptResend(0.1)  # 2.5 points of error
    found = stance(attack, watch=Watch(), decoys=True)
    assert (found.detectable, "shorter" in found.why) == (False, True)
    assert names(attack, Watch()) == set()


def test_alarms_carry_their_evidence() -> None:
    seen = sample(LINK, SETTING, PULSES, np.random.default_rng(1), InterceptResend(), Watch())
    alarm = next(each for each in Expectation(LINK, SETTING).alarms(seen) if each.name == "error rate")
    assert alarm.found == pytest.approx(0.26, abs=0.01)
    assert alarm.high == pytest.approx(0.04, abs=0.003)
    assert alarm.samples > 5000
    assert 0.0 < alarm.chance < 1e-100
    assert "25" in alarm.evidence or "26" in alarm.evidence


@pytest.mark.parametrize("protocol", ["bbm92", "e91", "six_state"])
def test_pairs(protocol: str) -> None:
    expected = PairExpectation(GOOD)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert expected.alarms(sample_pairs(GOOD, 20_000, rng, protocol, 0.6)) == []
        assert expected.alarms(sample_pairs(GOOD, 20_000, rng, protocol, 0.6, InterceptResend(0.08))) == []
    hit = {a.name for a in expected.alarms(sample_pairs(GOOD, 20_000, rng, protocol, 0.6, InterceptResend()))}
    foretold = stance(InterceptResend(), watch=UNWATCHED, decoys=False, pulses=False, chsh=protocol == "e91")
    assert hit == set(foretold.alarms)


def test_tail_bounds_the_exact_chance() -> None:
    """Against exact binomial sums."""
    from math import comb

    for n, p in ((50, 0.1), (200, 0.4)):
        for k in range(n + 1):
            if k / n > p:
                exact = sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))
                assert exact <= tail(k, n, 0.0, p) * (1 + 1e-12)
            elif k / n < p:
                exact = sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))
                assert exact <= tail(k, n, p, 1.0) * (1 + 1e-12)
    assert tail(0, 0, 0.1, 0.2) == 1.0
    assert tail(10**9, 10**9, 0.0, 0.5) == 1e-300


def test_the_table_is_complete() -> None:
    assert [each.attack for each in SIGNATURES] == list(ATTACKS)
    assert all(
        text for each in SIGNATURES for text in (each.acts, each.wants, each.otherwise, each.consequence)
    )
    assert len(ASSUMPTIONS) >= 7
    assert name_of(Replay()) == "replay"
    assert isinstance(Alarm("x", 1.0, 0.0, 0.0, 1, 0.0, ""), Alarm)


def test_tolerances_are_checked() -> None:
    with pytest.raises(QuantityError, match="error"):
        Tolerance(error=-1.0)
    with pytest.raises(QuantityError, match="gain"):
        Tolerance(gain=(1.2, 1.5))
