"""What every link architecture in the catalogue keeps, checked by looping over the catalogue."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

from quantum_fabric import links
from quantum_fabric.devices import Detector, Downlink, Emitter, Fibre, Node, PairSource, Source, sheet
from quantum_fabric.errors import QuantityError
from quantum_fabric.links import CATALOGUE, Architecture, Heralding, LinkModel, Parameter, Parts
from quantum_fabric.physics.bounds import plob

ONE_WAY = ("sender_receiver", "serial_reflection")
"""Architectures whose light goes all the way from a to b."""

EVERY = pytest.mark.parametrize("architecture", CATALOGUE.values(), ids=CATALOGUE)
NOISY = Node().build_override(
    {
        "interface.efficiency": "40 %",
        "interface.capture": "30 %",
        "interface.visibility": "90 %",
        "interface.double_excitation": "2 %",
        "interface.phase_noise": "10 deg",
        "interface.spin_photon_fidelity": "97 %",
        "interface.conversion_efficiency": "60 %",
        "interface.conversion_noise": "100 Hz",
        "memory.modes": "1000",
        "cavity.bright": "80 %",
        "cavity.dark": "2 %",
        "cavity.insertion": "50 %",
    }
)
DETECTOR = Detector(efficiency=0.8, dark_rate=100.0, window=20_000)
SOURCE = Source(pair_probability=0.02, double_pair=0.01, fidelity=0.97, pulses=50, pulse_period=20_000)
FIBRE = Fibre(attenuation=0.2e-3, fixed_loss=0.5)
SKY = Downlink(
    altitude=500e3,
    divergence=5e-6,
    receiver_radius=0.6,
    wavelength=1550e-9,
    pointing_jitter=1e-6,
    zenith_transmission=0.8,
    receiver_loss=3.0,
    radiance=1e3,
    field_of_view=1e-4,
    filter_bandwidth=1e-9,
)
LIGHT = {
    "source": SOURCE,
    "pair source": PairSource(
        pair_rate=2e6,
        fidelity=0.97,
        pulse_period=20_000,
        collection_a=0.8,
        collection_b=0.7,
        schmidt_modes=2.0,
    ),
    "photon source": Emitter(brightness=0.6, g2=0.05, state_error=0.02, pulse_period=20_000),
}
"""What an architecture may need -> what makes the light."""

SHEETS = {"source": "source", "pair source": "pair_source", "photon source": "emitter"}
"""What an architecture may need -> kind of data sheet."""


def parts(architecture: Architecture, **changes: object) -> Parts:
    given = Parts(NOISY, NOISY, FIBRE, (12_000.0, 20_000.0), DETECTOR)
    if architecture.name == "absorptive":  # what is not absorbed is an error of the pair
        clear = NOISY.build_override({"interface.capture": "90 %"})
        given = dataclasses.replace(given, a=clear, b=clear)
    for need in LIGHT.keys() & set(architecture.needs):
        given = dataclasses.replace(given, source=LIGHT[need])
    given = dataclasses.replace(given, **changes)  # type: ignore[arg-type]
    if "satellite" in architecture.needs:  # what is asked of a fibre's length is asked beyond the altitude
        return dataclasses.replace(given, fibre=SKY, arms=risen(given.arms))
    return given


def risen(arms: tuple[float, float]) -> tuple[float, float]:
    return (SKY.altitude + arms[0], SKY.altitude + arms[1])


def equipped(name: str) -> Node:
    """A bundled node with all that any architecture asks of it."""
    return sheet("node", name).build_override({"cavity.bright": "100 %", "memory.modes": "1000"})


def points(architecture: Architecture) -> list[tuple[Parts, LinkModel, Heralding]]:
    """Operating points from good to hopeless."""
    variants: list[dict[str, object]] = [
        {},
        {"arms": (0.0, 0.0)},
        {"arms": (0.0, 50_000.0)},
        {"arms": (300_000.0, 300_000.0)},
        {"modes": 7},
        {"detector": None},
        {"detector": Detector(efficiency=0.5, dark_rate=1e7, window=100_000, number_resolving=True)},
        {"a": equipped("ideal"), "b": equipped("ideal"), "detector": None},
        {"a": equipped("future"), "b": equipped("future"), "fibre": sheet("fibre", "ull")},
    ]
    made = []
    for change in variants:
        chosen = parts(architecture, **change)
        link = architecture.make(chosen)
        made += [
            (chosen, link, link.heralding(setting, lanes))
            for setting in settings(link)
            for lanes in (1, 3, 500)
        ]
    return made


def settings(link: LinkModel) -> list[float | None]:
    if link.knob is None:
        return [None]
    return [None, link.knob.low, math.sqrt(link.knob.low * link.knob.high), link.knob.high]


@EVERY
def test_heralds_are_probabilities(architecture: Architecture) -> None:
    for _, _, point in points(architecture):
        assert point.outcomes
        assert 0.0 < point.success <= 1.0
        for outcome in point.outcomes:
            assert outcome.bell in architecture.bells
            assert 0.0 <= outcome.probability <= 1.0
            assert min(outcome.weights) >= 0.0
            assert math.fsum(outcome.weights) == pytest.approx(1.0, abs=1e-12)
        assert math.fsum(point.weights) == pytest.approx(1.0, abs=1e-12)
        assert point.fidelity == point.weights[0]


@EVERY
def test_nothing_is_faster_than_light(architecture: Architecture) -> None:
    for chosen, _, point in points(architecture):
        arms = [chosen.fibre.latency(length) for length in chosen.arms]
        # Each end's news crosses its own arm, after the light of the other end has crossed the other one; the two
        # latencies are rounded apart, hence two picoseconds.
        for end in (0, 1):
            assert point.heard[end] - point.born[1 - end] >= sum(arms) - 2 or architecture.name in ONE_WAY
            assert point.heard[end] >= point.born[end]
        if architecture.name in ONE_WAY:
            assert point.heard[1] - point.born[0] >= sum(arms) - 2
            assert point.heard[0] - point.born[1] >= sum(arms) - 2
        assert min(point.born) == 0


@EVERY
def test_a_memory_is_free_before_its_next_attempt(architecture: Architecture) -> None:
    for chosen, link, point in points(architecture):
        busy = max(heard - born for heard, born in zip(point.heard, point.born, strict=True))
        if link.stores:  # where photons are measured as they come, nothing waits for news
            assert point.period >= busy
            assert point.period >= chosen.modes * chosen.local_cycle
        assert all(isinstance(time, int) for time in (point.period, point.cycle, *point.born, *point.heard))


@EVERY
def test_period_is_at_least_the_round_trip(architecture: Architecture) -> None:
    far = parts(architecture, arms=(15_000.0, 25_000.0))
    arms = [far.fibre.latency(length) for length in far.arms]
    trips = {**dict.fromkeys(ONE_WAY, 2 * sum(arms)), "midpoint_source": sum(arms)}
    link = architecture.make(far)
    assert not link.stores or link.heralding().period >= trips.get(architecture.name, 2 * max(arms)) - 2


@EVERY
def test_lanes_share_the_channel(architecture: Architecture) -> None:
    link = architecture.make(parts(architecture, modes=2))
    alone, many = link.heralding(), link.heralding(lanes=400)
    assert many.period >= 400 * many.cycle
    assert many.cycle == alone.cycle > 0
    assert many.outcomes == alone.outcomes


@EVERY
def test_modes_multiply_as_independent_trials(architecture: Architecture) -> None:
    one = architecture.make(parts(architecture)).heralding()
    five = architecture.make(parts(architecture, modes=5)).heralding()
    assert five.success == pytest.approx(1.0 - (1.0 - one.success) ** 5, rel=1e-12)
    assert five.weights == pytest.approx(one.weights, abs=1e-15)
    assert five.period > one.period or one.period >= 5 * one.cycle


def claims() -> list[tuple[Architecture, Parameter]]:
    return [(one, parameter) for one in CATALOGUE.values() for parameter in one.parameters]


@pytest.mark.parametrize(
    ("architecture", "parameter"), claims(), ids=[f"{a.name}-{p.part}.{p.field}" for a, p in claims()]
)
def test_parameters_do_what_the_catalogue_says(architecture: Architecture, parameter: Parameter) -> None:
    low, high = parameter.within
    assert parameter.quantity.domain
    values = [low + (high - low) * step / 8 for step in range(9)]
    measured = [architecture.make(_with(architecture, parameter, value)).heralding() for value in values]
    fidelities, successes = [p.fidelity for p in measured], [p.success for p in measured]
    for claim, series in ((parameter.fidelity, fidelities), (parameter.success, successes)):
        ordered = series if claim == "high" else series[::-1]
        if claim:
            assert all(later >= earlier * (1 - 1e-12) for earlier, later in itertools.pairwise(ordered))
            assert ordered[-1] > ordered[0], "the parameter has no effect"


def _with(architecture: Architecture, parameter: Parameter, value: float) -> Parts:
    base = parts(architecture)
    if parameter.part == "link":
        return dataclasses.replace(base, arms=(value, value))
    part = "source" if parameter.part in SHEETS.values() else parameter.part
    part = "fibre" if part == "satellite" else part
    names = ("a", "b") if parameter.part == "node" else (part,)
    changed = {name: _replaced(getattr(base, name), parameter.field, value) for name in names}
    return dataclasses.replace(base, **changed)


def _replaced(record: object, dotted: str, value: float) -> object:
    head, _, rest = dotted.partition(".")
    inner = _replaced(getattr(record, head), rest, value) if rest else value
    return dataclasses.replace(record, **{head: inner})  # type: ignore[type-var]


@EVERY
def test_a_knob_trades_rate_for_fidelity(architecture: Architecture) -> None:
    link = architecture.make(parts(architecture))
    if link.knob is None:
        with pytest.raises(QuantityError, match="setting"):
            link.heralding(0.1)
        return
    knob = link.knob
    ladder = [link.heralding(s) for s in np.geomspace(knob.low, knob.high, 12)]
    if knob.good_end == "high":
        ladder.reverse()
    for better, faster in itertools.pairwise(ladder):
        assert better.fidelity >= faster.fidelity - 1e-12
        assert better.success < faster.success


@EVERY
def test_ideal_parts_make_perfect_pairs(architecture: Architecture) -> None:
    node, fibre = equipped("ideal"), sheet("fibre", "ideal")
    kinds = [SHEETS[need] for need in architecture.needs if need in SHEETS]
    source = sheet(kinds[0], "ideal") if kinds else None
    arms = (1000.0, 3000.0)
    if "satellite" in architecture.needs:
        fibre, arms = sheet("satellite", "ideal"), risen(arms)
    link = links.build(architecture.name, node, node, fibre, arms, source=source)
    point = link.heralding(link.knob.low if link.knob else None)
    assert point.fidelity == pytest.approx(1.0, abs=1e-5)


def entropy(weights: tuple[float, ...]) -> float:
    return -math.fsum(w * math.log2(w) for w in weights if w > 0.0)


@EVERY
def test_capacity_is_never_exceeded(architecture: Architecture) -> None:
    """Distillable pairs of one mode (hashing bound, one-way) stay below PLOB of the channel that bounds them."""
    for chosen, link, point in points(architecture):
        if chosen.modes > 1:
            continue
        modes = getattr(chosen.source, "pulses", 1)
        distillable = point.success * max(0.0, 1.0 - entropy(point.weights))
        channel = link.total_transmission()
        if architecture.bound == "arm":
            channel = min(chosen.transmission(0), chosen.transmission(1))
        capacity = float(plob(channel)) if channel < 1.0 else math.inf
        assert distillable <= modes * capacity * (1.0 + 1e-12)


@EVERY
def test_draws_follow_the_heralds(architecture: Architecture) -> None:
    """Counts of 200,000 attempts within 5 standard errors each: false-alarm rate below 1e-6 per outcome."""
    point = architecture.make(parts(architecture)).heralding()
    attempts = 200_000
    chances = [outcome.probability for outcome in point.outcomes]
    counts = np.random.default_rng(20_240_611).multinomial(attempts, [*chances, 1.0 - sum(chances)])
    for count, chance in zip(counts, chances, strict=False):
        assert abs(count - attempts * chance) <= 5.0 * math.sqrt(attempts * chance * (1.0 - chance)) + 1.0


@EVERY
def test_the_record_is_complete(architecture: Architecture) -> None:
    for text in (architecture.title, architecture.equation, architecture.source, architecture.limits):
        assert text.strip()
    assert architecture.bound in {"arm", "end to end"}
    namespace: dict[str, object] = {}
    exec(architecture.example, namespace)
    link = namespace["link"]
    assert link.architecture == architecture.name  # type: ignore[attr-defined]
    assert 0.5 < link.heralding().fidelity < 1.0  # type: ignore[attr-defined]


@EVERY
def test_the_oracle_exists(architecture: Architecture, pytestconfig: pytest.Config) -> None:
    path, _, name = architecture.oracle.partition("::")
    text = (pytestconfig.rootpath / path).read_text()
    assert f"def {name}(" in text
