"""Drift: what a link does between two calibrations, and what a calibration does to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.unit.twin.bench import near

from builders import werner
from quantum_fabric.devices import sheet
from quantum_fabric.errors import ProtocolError
from quantum_fabric.kernel import Clock, Streams
from quantum_fabric.links import build
from quantum_fabric.links.conditions import ALIGNED, Conditions
from quantum_fabric.links.model import Heralding, HeraldOutcome
from quantum_fabric.links.upkeep import Calibrations, Residual, Upkeep
from quantum_fabric.messages import (
    Arm,
    Bell,
    Calibrate,
    Calibrated,
    Consume,
    Discard,
    Drifted,
    Event,
    Heralded,
    Truth,
)
from quantum_fabric.physics.drift import STILL, Magnitudes, coherence, isotropic, pointing_loss, worn
from quantum_fabric.physics.noise import MemoryNoise, OperationNoise
from quantum_fabric.twin import STATES, Twin, TwinLink, TwinNode
from quantum_fabric.twin.drift import DARK, Alignment
from quantum_fabric.units import SECOND, Time

FOREVER = MemoryNoise(math.inf, math.inf)


class Fading:
    """A link whose success and fidelity follow the efficiency of its detectors, so that its drift needs no chance."""

    architecture, knob, stores = "fading", None, True

    def __init__(self, success: float = 1.0, period: Time = 100, heard: Time = 0, share: float = 1.0) -> None:
        self.success, self.period, self.heard, self.share = success, period, heard, share

    def heralding(self, setting: float | None = None, lanes: int = 1) -> Heralding:
        outcome = HeraldOutcome(0, self.success * self.share, werner(self.share))
        return Heralding(self.period, 0, (0, 0), (self.heard, self.heard), (outcome,))

    def under(self, conditions: Conditions) -> Fading:
        return Fading(self.success, self.period, self.heard, conditions.detectors)

    def total_transmission(self) -> float:
        return 1.0


class Yard:
    """Two nodes with as many links between them as one likes; keeps what the plant tells and what it reveals."""

    def __init__(
        self,
        links: Sequence[tuple[str, Any, Upkeep]],
        seed: int = 1,
        slots: int = 4,
        states: str = "bell-diagonal",
    ) -> None:
        self.clock, self.streams = Clock(), Streams(seed)
        self.tape: list[tuple[Time, Any]] = []
        self.revealed: list[Truth | Drifted] = []
        self.react: Callable[[Any], None] = lambda event: None
        self.nodes = {name: TwinNode(name, slots, FOREVER, OperationNoise(), 0, 0) for name in "AB"}
        a, b = self.nodes.values()
        made = [
            TwinLink(name, a, b, model, 0, rank, STATES[states], upkeep)
            for rank, (name, model, upkeep) in enumerate(links)
        ]
        self.twin = Twin(self.nodes, made, self.clock, self.streams, self._emit, self.revealed.append)

    def _emit(self, node: str, event: Event) -> None:
        self.tape.append((self.clock.now, event))
        self.react(event)

    def do(self, *commands: Any) -> None:
        for command in commands:
            self.twin.execute(command, self.clock.now)

    def arm(self, link: str, slot: int = 0) -> None:
        self.do(Arm("A", slot, link, 0, 1, None), Arm("B", slot, link, 0, 1, None))

    def run(self, until: Time) -> Yard:
        self.clock.run(until)
        return self

    def heard(self, node: str = "A") -> list[Time]:
        return [at for at, event in self.tape if isinstance(event, Heralded) and event.node == node]

    @property
    def drifted(self) -> list[Drifted]:
        return [one for one in self.revealed if isinstance(one, Drifted)]

    @property
    def truths(self) -> list[Truth]:
        return [one for one in self.revealed if isinstance(one, Truth)]

    def keep_going(self) -> None:
        """Who hears of a pair hands it over and tries again."""

        def again(event: Any) -> None:
            if isinstance(event, Heralded):
                self.do(Consume(event.node, event.slot, event.bell))
                self.do(Arm(event.node, event.slot, event.link, 0, 1, None))

        self.react = again


def ageing(rate: float, step: Time, calibrations: Calibrations | None = None) -> Upkeep:
    return Upkeep(Magnitudes(detectors=rate), step, calibrations)


# ------------------------------------------------------------------------------------------ the walks


def aligned(count: int, upkeep: Upkeep, times: Sequence[float], seed: int) -> list[Conditions]:
    """Conditions of many links after the same steps, each by its own streams."""
    streams = Streams(seed)
    found = []
    for number in range(count):
        link = Alignment(f"link {number}", upkeep, streams)
        for time in times:
            link.wander(time)
        found.append(link.conditions)
    return found


def mean_is(values: Sequence[float], expected: float) -> bool:
    """Whether a mean is within 5.5 of its standard errors (false alarm 4e-8)."""
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return abs(mean - expected) <= 5.5 * spread / math.sqrt(n)


@pytest.mark.parametrize("steps", [[4.0], [0.5, 1.5, 2.0]])
def test_the_mean_coherence_of_a_walking_phase(steps: list[float]) -> None:
    found = aligned(3000, Upkeep(Magnitudes(phase=0.5)), steps, seed=5)
    cosines = [math.cos(one.phase) for one in found]
    assert mean_is(cosines, coherence(0.5, 4.0))
    assert not mean_is(cosines, coherence(0.5, 5.0))  # the test can tell
    assert mean_is([math.sin(one.phase) for one in found], 0.0)


def test_the_mean_correlator_of_a_walking_polarisation() -> None:
    found = aligned(3000, Upkeep(Magnitudes(polarisation=(0.3, 0.1))), [0.25] * 16, seed=6)
    for arm, rate in enumerate((0.3, 0.1)):
        kept = [(1.0 + 2.0 * math.cos(one.polarisation[arm])) / 3.0 for one in found]
        assert mean_is(kept, isotropic(rate, 4.0))
        assert not mean_is(kept, isotropic(rate, 5.5))


def test_the_mean_transmission_of_a_walking_mode() -> None:
    """<exp(-(x²+y²))> over two independent normals of variance s²: 1/(1 + 2s²)."""
    found = aligned(3000, Upkeep(Magnitudes(pointing=(0.2, 0.0))), [1.0] * 4, seed=7)
    share = [10.0 ** (-one.loss[0] / 10.0) for one in found]
    assert mean_is(share, 1.0 / (1.0 + 2.0 * 0.2**2 * 4.0))
    assert not mean_is(share, 1.0 / (1.0 + 2.0 * 0.2**2 * 5.0))
    assert all(one.loss[1] == 0.0 for one in found)


def test_a_mode_that_is_gone_is_gone() -> None:
    [far] = aligned(1, Upkeep(Magnitudes(pointing=(100.0, 0.0))), [100.0], seed=1)
    assert far.loss == (DARK, 0.0)
    assert pointing_loss((4.8, 0.0)) > DARK


def test_detectors_age_without_chance() -> None:
    [old] = aligned(1, Upkeep(Magnitudes(detectors=0.01)), [30.0, 70.0], seed=1)
    assert old.detectors == pytest.approx(math.exp(-1.0), rel=1e-12)


def test_what_a_calibration_leaves_is_drawn_anew() -> None:
    left = Residual(phase=0.1, polarisation=0.05, pointing=0.2)
    link = Alignment("A~B", Upkeep(STILL, None, Calibrations(takes=1, residual=left)), Streams(3))
    seen = []
    for _ in range(2000):
        link.calibrate()
        seen.append(link.conditions)
    assert mean_is([one.phase**2 for one in seen], 0.1**2)
    for arm in (0, 1):
        assert mean_is([(1 + 2 * math.cos(one.polarisation[arm])) / 3 for one in seen], isotropic(0.05, 1.0))
        assert mean_is([10.0 ** (-one.loss[arm] / 10.0) for one in seen], 1.0 / (1.0 + 2.0 * 0.2**2))
    assert len({one.phase for one in seen}) == 2000


def test_each_walk_has_a_stream_of_its_own() -> None:
    """Letting the polarisation go does not change what the phase does."""
    alone = aligned(5, Upkeep(Magnitudes(phase=0.1)), [1.0, 1.0], seed=2)
    beside = aligned(5, Upkeep(Magnitudes(phase=0.1, polarisation=(0.1, 0.0))), [1.0, 1.0], seed=2)
    assert [one.phase for one in alone] == [one.phase for one in beside]


# ------------------------------------------------------------------------------------------ in the plant


def test_a_link_that_stands_still_costs_nothing_and_draws_nothing() -> None:
    def runs(upkeep: Upkeep) -> Any:
        yard = Yard([("L", Fading(0.1), upkeep)], seed=4)
        yard.keep_going()
        yard.arm("L")
        yard.run(100_000)
        return yard.tape, yard.truths, yard.clock.events, dict(yard.streams._open).keys()

    plain, still = runs(Upkeep()), runs(Upkeep(STILL, None))
    assert plain == still
    assert not any("drift" in name for name in still[3])
    on_demand = runs(Upkeep(calibrations=Calibrations(takes=5)))
    assert on_demand[:3] == plain[:3]


@pytest.mark.parametrize("states", list(STATES))
def test_a_pair_is_born_under_the_conditions_at_the_start_of_its_attempt(states: str) -> None:
    node = sheet("node", "lab-best")
    model = build(
        "single_click", node, node, sheet("fibre", "smf-28"), (5000.0, 5000.0), sheet("detector", "snspd")
    )
    rates = Magnitudes(phase=0.8, polarisation=(0.2, 0.3), pointing=(0.1, 0.05), detectors=0.1)
    upkeep = Upkeep(rates, SECOND // 10, Calibrations(SECOND // 4, 3 * SECOND))
    yard = Yard([("L", model, upkeep)], seed=11, states=states)
    yard.keep_going()
    yard.arm("L")
    yard.run(5 * SECOND)
    point = model.heralding()
    known = [(0, ALIGNED)] + [
        (one.at, Conditions(one.phase, one.polarisation, one.loss, one.detectors)) for one in yard.drifted
    ]
    truths = yard.truths
    assert len(truths) > 100
    seen = set()
    for truth in truths:
        start = truth.at - max(point.heard)
        since, here = [entry for entry in known if entry[0] < start or entry[0] == 0][-1]
        there = model.under(here).heralding()
        expected = {outcome.bell: outcome.weights for outcome in there.outcomes}[int(truth.bell)]
        assert truth.weights == pytest.approx(expected, abs=1e-9)
        seen.add(since)
    assert len(seen) > 20  # different conditions did occur
    assert not any(3 * SECOND < truth.at - max(point.heard) < 3 * SECOND + SECOND // 4 for truth in truths)


def test_mean_fidelity_over_many_links_falls_by_the_law_of_the_phase() -> None:
    """F(t) = populations + coherence exp(-σ²t/2), from heralds; false alarm 4e-8 by 5.5 standard errors."""
    node = sheet("node", "lab-best")
    model = build(
        "single_click", node, node, sheet("fibre", "smf-28"), (100.0, 100.0), sheet("detector", "snspd")
    )
    upkeep = Upkeep(Magnitudes(phase=1.0), SECOND // 2)
    count = 250
    yard = Yard([(f"L{n}", model, upkeep) for n in range(count)], seed=21, slots=count)

    def hand_over(event: Any) -> None:
        if isinstance(event, Heralded):
            yard.do(Consume(event.node, event.slot, event.bell))

    yard.react = hand_over
    yard.run(2 * SECOND + 1)
    for number in range(count):
        yard.arm(f"L{number}", number)
    yard.run(
        2 * SECOND + SECOND // 2
    )  # all heralds of this half second were born under the conditions of 2 s
    found = [truth.weights[0] for truth in yard.truths]
    assert len(found) == count
    ends = [
        model.under(Conditions(phase=phase)).heralding().outcomes[0].weights[0] for phase in (0.0, math.pi)
    ]
    middle, swing = 0.5 * (ends[0] + ends[1]), 0.5 * (ends[0] - ends[1])
    assert mean_is(found, middle + swing * coherence(1.0, 2.0))
    assert not mean_is(found, middle + swing * coherence(1.0, 0.5))


def test_rate_falls_with_the_detectors_and_comes_back_with_a_calibration() -> None:
    """Heralds between two times are binomial: attempts there x the success of that step."""
    step, every, takes = 1_000_000, 5_000_000, 500_000
    upkeep = ageing(0.5 * SECOND / step, step, Calibrations(takes, every))
    yard = Yard([("L", Fading(0.05), upkeep)], seed=8)
    yard.keep_going()
    yard.arm("L")
    yard.run(10 * every)
    heard = yard.heard()
    for round_ in range(1, 10):
        start = round_ * every
        assert not any(start < at < start + takes for at in heard)
        for number in range(5):
            low = start + number * step + (takes if number == 0 else 0)
            high = start + (number + 1) * step
            age = (low - start - takes) / step if number else 0.0
            success = 0.05 * math.exp(-0.5 * age)
            count = sum(low < at <= high for at in heard)
            assert near(count, (high - low) // 100, success)


def test_a_changing_link_is_exact() -> None:
    """First success after n attempts at p and then at p': (1-p)^n, over many lanes (false alarm below 1e-8)."""
    count, step = 4000, 1000
    upkeep = ageing(math.log(2.0) * SECOND / step, step)  # the success halves with each step
    links = [(f"L{n}", Fading(0.1), upkeep) for n in range(count)]
    yard = Yard(links, seed=9, slots=count)
    for number in range(count):
        yard.arm(f"L{number}", number)
    yard.run(3 * step)
    heard = yard.heard()
    still = 1.0
    for number in range(3):
        success = 0.1 * 0.5**number
        # attempts at 0, 100, ..., 1000 belong to the first step: one at the moment of a change has started already
        attempts = 11 if number == 0 else 10
        low = -1 if number == 0 else number * step
        here = sum(low < at <= (number + 1) * step for at in heard)
        chance = still * (1.0 - (1.0 - success) ** attempts)
        assert near(here, count, chance)
        still *= (1.0 - success) ** attempts


def test_a_herald_on_its_way_keeps_its_outcome() -> None:
    yard = Yard([("L", Fading(1.0, period=100, heard=5000), ageing(math.log(2) * SECOND / 1000, 1000))])
    yard.arm("L")
    yard.run(4999)
    assert yard.tape == []
    assert [one.detectors for one in yard.drifted] == pytest.approx([0.5, 0.25, 0.125, 0.0625])
    yard.run(5000)
    assert yard.heard() == [5000]
    yard.do(Consume("A", 0, Bell.PHI_PLUS), Consume("B", 0, Bell.PHI_PLUS))
    assert yard.truths[0].weights[0] == 1.0  # born at 0, when all was well


def test_attempts_that_have_no_chance_start_again_when_they_have_one() -> None:
    upkeep = ageing(1e4 * SECOND, 1000, Calibrations(takes=500, every=10_000))
    yard = Yard([("L", Fading(1.0), upkeep)])
    yard.run(2500)
    yard.arm("L")
    yard.run(20_000)
    assert yard.heard() == [10_500]


def test_same_seed_same_run_whatever_else_there_is() -> None:
    def one(extra: int) -> Any:
        upkeep = Upkeep(Magnitudes(phase=1.0, detectors=0.1 * SECOND / 1000), 1000, Calibrations(300, 7000))
        others = [(f"X{n}", Fading(0.3), upkeep) for n in range(extra)]
        yard = Yard([("L", Fading(0.1), upkeep), *others], seed=3, slots=8)
        yard.keep_going()
        for number, (name, _, _) in enumerate([("L", 0, 0), *others]):
            yard.arm(name, number)
        yard.run(50_000)
        told = [entry for entry in yard.tape if entry[1].link == "L"]
        return told, [entry for entry in yard.drifted if entry.link == "L"]

    assert one(0) == one(0) == one(3)
    assert len(one(0)[0]) > 20


# ------------------------------------------------------------------------------------------ calibration


def calibrations(yard: Yard) -> list[tuple[Time, str, bool]]:
    return [(at, event.node, event.done) for at, event in yard.tape if isinstance(event, Calibrated)]


def test_a_schedule_pauses_resets_and_tells_both_ends() -> None:
    upkeep = ageing(0.1 * SECOND / 1000, 1000, Calibrations(takes=300, every=2500, first=1200))
    yard = Yard([("L", Fading(), upkeep)])
    yard.run(6600)
    assert calibrations(yard) == [
        (at, node, True) for at in (1500, 4000, 6500) for node in "AB"
    ]  # fmt: skip
    levels = {one.at: one.detectors for one in yard.drifted}
    for at in (1500, 4000, 6500):
        assert levels[at] == 1.0
    assert levels[3000] == pytest.approx(worn(0.1, 1.5))


def test_an_operator_and_the_schedule_may_meet() -> None:
    yard = Yard([("L", Fading(), ageing(1.0, 10_000, Calibrations(takes=300, every=2500)))])
    yard.run(2400)
    yard.do(Calibrate("A", "L"), Calibrate("B", "L"))
    yard.run(3000)
    assert calibrations(yard) == [(2700, "A", True), (2700, "B", True)]


def test_no_attempt_starts_while_somebody_calibrates() -> None:
    yard = Yard([("L", Fading(1.0, period=100, heard=40), Upkeep(calibrations=Calibrations(takes=1000)))])
    yard.keep_going()
    yard.arm("L")
    yard.run(110)
    yard.do(Calibrate("A", "L"))  # the attempt of 100 is on its way
    yard.run(1400)
    assert yard.heard() == [
        40,
        140,
        1240,
        1340,
    ]  # its last moment, 1110, is off the grid: next attempt at 1200


def test_a_calibration_shorter_than_an_attempt_loses_no_half() -> None:
    yard = Yard([("L", Fading(1.0, period=1000, heard=900), Upkeep(calibrations=Calibrations(takes=50)))])
    yard.arm("L")
    yard.run(100)
    yard.do(Calibrate("A", "L"))
    yard.run(900)
    assert yard.heard() == [900]
    assert yard.heard("B") == [900]


@pytest.mark.parametrize("when", ["before", "during", "blink"])
def test_without_light_a_calibration_comes_to_nothing(when: str) -> None:
    upkeep = ageing(0.1 * SECOND / 1000, 10_000, Calibrations(takes=1000))
    yard = Yard([("L", Fading(), upkeep)])
    yard.run(1000)
    if when == "before":
        yard.twin.change_link("L", False, 1000)
    yard.do(Calibrate("A", "L"))
    yard.run(1500)
    if when != "before":
        yard.twin.change_link("L", False, 1500)
    if when == "blink":
        yard.twin.change_link("L", True, 1500)
    yard.run(2000)
    assert calibrations(yard) == [(2000, "A", False), (2000, "B", False)]
    assert yard.drifted[-1].detectors == pytest.approx(worn(0.1, 2.0))
    yard.twin.change_link("L", True, 2000)
    yard.arm("L")
    yard.run(2200)
    assert yard.heard() or yard.twin.links["L"].calibrating is False


def test_a_node_that_fails_spoils_the_calibration_and_hears_nothing() -> None:
    yard = Yard([("L", Fading(), ageing(1.0, 10_000, Calibrations(takes=1000)))])
    yard.do(Calibrate("A", "L"))
    yard.run(500)
    yard.twin.fail_node("B", 500)
    yard.run(1000)
    assert calibrations(yard) == [(1000, "A", False)]
    yard.do(Calibrate("B", "L"))  # a dead node asks for nothing
    assert not yard.twin.links["L"].calibrating


def test_calibrations_that_make_no_sense() -> None:
    yard = Yard([("L", Fading(), Upkeep()), ("M", Fading(), ageing(1.0, 1000))])
    for name in "LM":
        with pytest.raises(ProtocolError, match="how long that takes"):
            yard.do(Calibrate("A", name))
    lonely = TwinNode("C", 1, FOREVER, OperationNoise(), 0, 0)
    yard.twin.nodes["C"] = lonely
    with pytest.raises(ProtocolError, match="not an end"):
        yard.do(Calibrate("C", "L"))


def test_a_cut_during_a_calibration_and_its_repair() -> None:
    """Nothing is tried before both are over."""
    yard = Yard([("L", Fading(), Upkeep(calibrations=Calibrations(takes=1000)))])
    yard.do(Calibrate("A", "L"))
    yard.arm("L")
    yard.run(200)
    yard.twin.change_link("L", False, 200)
    yard.run(400)
    yard.twin.change_link("L", True, 400)
    yard.run(2000)
    assert yard.heard() == [1000]


def test_arming_and_letting_go_while_somebody_calibrates() -> None:
    yard = Yard([("L", Fading(), Upkeep(calibrations=Calibrations(takes=1000)))])
    yard.arm("L")
    yard.run(0)
    assert yard.heard() == [0]
    yard.do(Discard("A", 0), Discard("B", 0), Calibrate("A", "L"))
    yard.arm("L")
    yard.do(Discard("B", 0))
    yard.run(500)
    yard.do(Arm("B", 0, "L", 0, 1, None))
    yard.run(3000)
    assert yard.heard() == [0, 1000]


def test_a_link_that_went_blind_tries_no_attempts_of_the_past_when_it_sees_again() -> None:
    yard = Yard([("L", Fading(), Upkeep())])
    link = yard.twin.links["L"]
    link.drift(Conditions(detectors=0.0), 0)
    yard.arm("L")
    yard.run(1050)
    link.drift(ALIGNED, 1050)
    yard.run(2000)
    assert yard.heard() == [1100]


def test_a_node_that_comes_back_too_late_for_a_calibration() -> None:
    yard = Yard([("L", Fading(), ageing(1.0, 10_000, Calibrations(takes=1000)))])
    yard.twin.fail_node("B", 0)
    yard.do(Calibrate("A", "L"))
    yard.run(500)
    yard.twin.recover_node("B", 500)
    yard.run(1000)
    assert calibrations(yard) == [(1000, "A", False), (1000, "B", False)]
