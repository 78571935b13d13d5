"""Honest fidelity inside a controller: what it asks the ends to test, counts, tells and does."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest

from builders import chain, link, node, plan, request
from quantum_fabric.control import Controller
from quantum_fabric.control.verification import Verification
from quantum_fabric.control.verification.budget import Account, overdraft_chance
from quantum_fabric.control.verification.change import Alarm
from quantum_fabric.control.verification.liar import Lie, LyingAgent, left_over
from quantum_fabric.control.verification.readout import contrast
from quantum_fabric.control.verification.verifier import power, powered
from quantum_fabric.documents import topology
from quantum_fabric.errors import InputError
from quantum_fabric.messages import (
    Bell,
    Confirmed,
    Degraded,
    Delivered,
    DeliverRule,
    Doubt,
    PairId,
    Prepare,
    Prepared,
    Read,
    Send,
    Service,
    Suspected,
    Tested,
    Verified,
    Wake,
)
from quantum_fabric.physics.correlators import measured
from quantum_fabric.physics.frames import expected_parity
from quantum_fabric.physics.noise import OperationNoise
from quantum_fabric.units import MS, US

NET = chain(3, link(fidelity=0.95), node(8, t2=0.5), hop_delay=10 * US)
PLAN = plan(NET, "ABC", lanes=4)
C = 0.9
POLICY = Verification()


@pytest.fixture(autouse=True)
def _plan(planned: Callable[[Any], None]) -> None:
    planned(PLAN)


def start(policy: Verification | None = POLICY, pairs: int = 10_000, **more: Any) -> Controller:
    decider = Controller(topology(NET), verification=policy)
    decider.handle(request("A", "C", pairs, **{"fidelity": 0.8, "name": "r", **more}), 0)
    for name in "ABC":
        decider.handle(Prepared(1, name), 5)
    return decider


def pair(
    decider: Controller, number: int, reads: tuple[Read | None, Read | None] = (None, None)
) -> list[Any]:
    name, at = PairId(f"A~B/0#{number}", f"B~C/0#{number}"), MS * (number + 1)
    out: list[Any] = []
    for end, read in zip("AC", reads, strict=True):
        said = Confirmed(1, end, name, Bell.PSI_MINUS, (C, C, C), (4.0, 4.0, 0.0), at - 9, at, 0, (), read)
        out += decider.handle(said, at)
    return [each.message for each in out if isinstance(each, Send)]


def read_by_both(decider: Controller, number: int, agree: bool, spent: bool = True) -> list[Any]:
    basis = "XYZ"[number % 3]
    other = expected_parity(basis, Bell.PSI_MINUS) ^ (not agree)
    return pair(decider, number, (Read(basis, 0, spent), Read(basis, other, spent)))


def of(messages: list[Any], kind: type) -> list[Any]:
    return [each for each in messages if isinstance(each, kind)]


def test_only_a_verifying_controller_tells_the_ends_to_test() -> None:
    for policy, share in ((None, None), (Verification(), 0.018)):
        decider = Controller(topology(NET), verification=policy)
        out = decider.handle(request("A", "C", 5, fidelity=0.8, name="r"), 0)
        prepared = [
            each.message for each in out if isinstance(each, Send) and isinstance(each.message, Prepare)
        ]
        tests = [rule.tests for each in prepared for rule in each.rules if isinstance(rule, DeliverRule)]
        assert len(tests) == 2
        assert tests[0] == tests[1]
        if share is None:
            assert tests == [None, None]
        else:
            assert tests[0].share == pytest.approx(share)
            assert tests[0].bases == ("X", "Y", "Z")
            assert tests[0].key not in repr(prepared)


def test_delivered_pairs_carry_the_interval_of_the_tests() -> None:
    plain, decider = start(None), start()
    before = of(pair(decider, 0), Delivered)[0]
    assert before.low < before.fidelity < before.high
    for number in range(1, 700):
        read_by_both(decider, number, agree=number % 4 != 0)  # correlators of a half
    after = of(pair(decider, 700), Delivered)[0]
    assert after.low < 0.625 < after.high < before.low
    assert of(pair(plain, 700), Delivered)[0].low > 0.9


def test_a_test_is_told_and_counted_and_delivers_nothing() -> None:
    decider = start()
    pair(decider, 0)
    told = read_by_both(decider, 1, True)
    assert [type(each) for each in told] == [Tested, Verified]
    assert (told[1].tests, told[1].spent, told[1].pairs) == (1, 1, 2)
    assert decider.verifier is not None
    assert (decider.verifier.account.spent, decider.verifier.account.pairs) == (1, 2)


def test_pairs_that_are_measured_for_their_caller_are_tests_for_nothing() -> None:
    decider = start(service=Service.MEASURE, bases=("X", "Y", "Z"))
    told = of(read_by_both(decider, 0, True, spent=False), Verified)
    assert (told[0].tests, told[0].spent, told[0].pairs) == (1, 0, 1)
    crossed = pair(decider, 1, (Read("X", 0), Read("Z", 1)))
    assert of(crossed, Delivered)
    assert not of(crossed, Verified)


def test_a_bit_that_was_lost_costs_a_pair_and_shows_nothing() -> None:
    decider = start()
    told = pair(decider, 0, (Read("X", None, True), Read("X", 1, True)))
    assert [type(each) for each in told] == [Tested]
    assert decider.verifier is not None
    assert decider.verifier.account.spent == 1


def test_what_falls_below_what_was_asked_for_is_told_once_and_acted_on() -> None:
    decider, acted = start(fidelity=0.9), []
    handle = decider.handle

    def noted(message: Any, now: int) -> Any:
        out = handle(message, now)
        acted.extend(each for each in out if isinstance(each, Wake) and each.purpose == "degraded")
        return out

    decider.handle = noted  # type: ignore[method-assign]
    told: list[Any] = []
    dice = random.Random(1)
    for number in range(600):
        told += read_by_both(decider, number, dice.random() < 0.5 * (1.0 + C if number < 200 else 1.3))
    degraded = of(told, Degraded)
    assert len(degraded) == len(acted) == 1
    assert degraded[0].chance >= 0.99
    assert degraded[0].estimate < degraded[0].asked == 0.9
    assert acted[0].key == "r"
    assert {each.cause for each in of(told, Doubt)} <= {"change", "calibration"}
    assert of(told, Doubt)
    assert not of(told, Suspected)  # one path alone does not say who it is


def test_a_session_that_is_over_is_forgotten_and_taught() -> None:
    decider = start(pairs=1)
    assert decider.verifier is not None
    before = decider.verifier.experience.weights
    for number in range(60):
        read_by_both(decider, number, number % 2 == 0)
    pair(decider, 60)
    assert decider.verifier._watches == {}
    assert decider.verifier.experience.weights != before


def test_what_it_knows_survives_a_restart() -> None:
    decider = start()
    for number in range(30):
        read_by_both(decider, number, number % 9 != 0)
    assert decider.verifier is not None
    again = pickle.loads(pickle.dumps(decider.verifier))
    one, two = (each._watches["r"].estimator.belief for each in (decider.verifier, again))
    assert one.outlook((C, C, C)) == two.outlook((C, C, C))


def test_contrast_is_that_of_the_whole_measurement() -> None:
    a = OperationNoise(readout_error_0=0.08, readout_error_1=0.01, depolarising_1=0.02)
    b = OperationNoise(readout_error_0=0.02, readout_error_1=0.05, depolarising_1=0.01)
    for bell in Bell:
        for axis, basis in enumerate("XYZ"):
            quality = (0.9, 0.7, 0.8)
            chances = measured(quality, bell, basis, a, b)
            parity = expected_parity(basis, bell)
            agree = chances[1] + chances[2] if parity else chances[0] + chances[3]
            assert contrast(a, b, basis, bell, 0.1).agreement(quality[axis]) == pytest.approx(agree)


def test_the_account_stops_what_it_cannot_pay() -> None:
    account = Account(0.02)
    account.pairs, account.spent = 100, 3
    assert account.share(0, suspicious=True) == 0.0
    account.pairs = 200
    assert account.share(0) == pytest.approx(0.018)
    assert Account(1.0).share(10**6) == 1.0
    assert overdraft_chance(1000, 0.02, 0.02) == 1.0
    dice, over = random.Random(2), 0
    for _ in range(200):
        over += sum(dice.random() < 0.01 for _ in range(1000)) > 20
    assert over / 200 <= overdraft_chance(1000, 0.02, 0.01)


def test_the_alarm_of_changes_is_quiet_for_longer_than_it_promises() -> None:
    """At least 100 tests to a false alarm in the mean; the mean of 300 runs has a relative standard error of 6 %."""
    dice, waits = random.Random(3), []
    for _ in range(300):
        alarm, wait = Alarm(100.0), 1
        while not alarm.observe(dice.random() < 0.9, 0.9, wait):
            wait += 1
        waits.append(wait)
    assert sum(waits) / len(waits) > 100.0


def test_the_alarm_is_sooner_than_a_cusum_for_one_fall_at_the_same_rate() -> None:
    """Page's sum for a fall of 0.1, written anew here; after 150 quiet tests; 200 runs leave a standard error below 8 % of a mean."""
    for after, most in ((0.9, 0.7), (0.85, 0.9), (0.6, 0.8)):
        ours, page = 0, 0
        for seed in range(200):
            alarm, total, ends = Alarm(1e4), 0.0, [0, 0]
            dice = random.Random(seed)
            for number in range(6000):
                agree = dice.random() < (0.95 if number < 150 else after)
                rung = alarm.observe(agree, 0.95, number)
                total = max(0.0, total + (math.log(0.85 / 0.95) if agree else math.log(0.15 / 0.05)))
                ends = [ends[0] or rung * number, ends[1] or (total >= math.log(1e4)) * number]
                if all(ends):
                    break
            assert all(ends)
            ours, page = ours + max(ends[0] - 150, 0), page + max(ends[1] - 150, 0)
        assert ours < most * page


def test_powers_of_correlators_undo_each_other() -> None:
    quality = (0.9, 0.8, 0.95)
    for exponent in (0.3, 1.0, 4.0):
        x, y, z = powered(quality, exponent)
        assert power(quality, (1.0 + x + y + z) / 4.0) == pytest.approx(exponent)
    assert power(quality, 0.1) == 60.0
    assert power(quality, 1.0) == pytest.approx(0.0)


def test_bad_policies_are_refused() -> None:
    for wrong in ({"share": 0.0}, {"share": 1.1}, {"confidence": 1.0}, {"drift": -1.0}, {"jumps": -1.0}, {"doubt": 0.0},
                  {"change": 1.0}, {"alarm": 0.2}, {"suspicion": 0.5}, {"harmless": 0.0},
                  {"readout_tolerance": float("nan")}):  # fmt: skip
        with pytest.raises(InputError):
            Verification(**wrong)
    with pytest.raises(InputError):
        LyingAgent("B", 2, Lie.CLAIM, 1.5)
    assert left_over(Lie.OUTCOME, 0.75)[0] == pytest.approx(0.0)
